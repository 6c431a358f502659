"""What a request that draws is remembered by, so that its images can be found and drawn again."""

import json
from dataclasses import replace
from typing import Any, get_args

import msgspec

from linocut.api.operation import Operation
from linocut.generation.drawings import Request
from linocut.jobs.types import JobInput
from linocut.wire.gallery import ImageOperation
from linocut.wire.types import Nothing

IMAGE_OPERATIONS = frozenset(get_args(ImageOperation))
_PROMPTS = ("prompt", "text_prompt", "json_prompt")
_WHOLE = "image_request"
"""Where the older routes have what others have at the top."""
_PICTURE = ("image", "images", "image_file")
"""The picture that is worked on, under its names in requests. Jobs call it by the first."""
_LINKS = "image_urls"
"""Links, which expire; the pictures behind them are remembered instead."""


def request_of(operation: Operation, sent: msgspec.Struct) -> Request | None:
    """A request as it is remembered, without its pictures; None where no images come of it.

    What is as the contract has it by default is left out. ``seed`` stays, as None, wherever one may be sent: it becomes
    that of each image.
    """
    if operation.path.rpartition("/")[2] not in IMAGE_OPERATIONS:
        return None
    fields = _given(sent, without=operation.files | {_LINKS})
    asked = fields.get(_WHOLE, fields)
    prompt: Any = next((asked[name] for name in _PROMPTS if asked.get(name)), "")
    text = prompt if isinstance(prompt, str) else json.dumps(prompt, ensure_ascii=False)
    return Request(operation.path, text, asked.get("custom_model_uri"), fields)


def with_pictures(operation: Operation, request: Request, ask: Any) -> Request:
    """The same with the pictures that were taken in, under the names of the operation's own fields."""
    inputs = getattr(getattr(ask, "draws", ask), "inputs", ())
    named = [replace(one, role=_field(one, operation)) for one in inputs]
    return replace(request, inputs=tuple(one for one in named if one.role in operation.files))


def _field(given: JobInput, operation: Operation) -> str:
    if given.role in operation.files or given.role != _PICTURE[0]:
        return given.role
    return next((name for name in _PICTURE if name in operation.files), given.role)


def _given(sent: msgspec.Struct, without: frozenset[str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for one in msgspec.structs.fields(sent):
        value = getattr(sent, one.name)
        if one.name in without:
            continue
        if one.name == "seed":
            given[one.name] = None
        elif isinstance(value, msgspec.Struct):
            given[one.encode_name] = _given(value, without)
        elif not isinstance(value, Nothing) and (one.required or value != one.default):
            given[one.encode_name] = msgspec.to_builtins(value)
    return given
