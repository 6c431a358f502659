"""JSON as a client writes it, into values. An object with a name twice is refused: nobody could say which counts."""

import json
from typing import Any

import msgspec

from linocut.errors import InvalidRequest
from linocut.json_names import NameTwice, once

_MALFORMED = "JSON is malformed: "
_EXAMPLES = {"color_palette": '{"name":"EMBER"}', "image_request": '{"prompt":"a red fox"}'}


def decoded(text: bytes | str) -> Any:
    """The value. ``InvalidRequest`` for a name that an object has twice, at any depth; ``ValueError`` or
    ``RecursionError`` for what is no JSON."""
    value = msgspec.json.decode(text)
    if isinstance(value, dict | list):
        try:  # msgspec keeps the last of two; the standard library shows both. Numbers are of no interest here.
            json.loads(text, object_pairs_hook=once, parse_int=str, parse_float=str)
        except NameTwice as twice:
            message = f"The name {twice.name!r} stands twice in one JSON object; send it once."
            raise InvalidRequest(message, field=twice.name) from twice
    return value


def reason_of(broken: Exception) -> str:
    """Why a text is no JSON, as the end of "... is not valid JSON"; "" where the reader does not say."""
    said = str(broken)
    return f": {said.removeprefix(_MALFORMED)}" if said.startswith(_MALFORMED) else ""


def such_as(field: str) -> str:
    """An example of an object's field, as the end of a sentence about it; "" where it would be too long."""
    return f", such as {_EXAMPLES[field]}" if field in _EXAMPLES else ""
