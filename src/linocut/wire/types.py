"""Small types that several messages share: times, seeds, names."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from linocut.ids import MAX_SEED

__all__ = [
    "UNSET",
    "Bytes",
    "DatasetName",
    "Json",
    "ModelName",
    "ModelUri",
    "Notes",
    "Nothing",
    "SafetyVerdict",
    "Seed",
    "Time",
    "not_yet",
]

Nothing = UnsetType
"""The type of an absent field: ``field: str | Nothing = UNSET``."""

Json = dict[str, Any]


def not_yet(unless: str = "") -> Meta:
    """Marks a field that is published and that the server does not act on yet: ``Annotated[str, not_yet()]``.

    A value that asks for anything is refused; one that asks for nothing passes. With the field ``unless`` it is
    published to have no effect, so then every value passes.
    """
    sentence = "Leave it out; a value that asks for anything is refused."
    if unless:
        sentence = f"Leave it out, unless you send {unless}: then it has no effect."
    return Meta(extra_json_schema={"x-not-supported-yet": {"sentence": sentence, "unless": unless}})


Time = Annotated[
    str, Meta(extra_json_schema={"format": "date-time"}, examples=["2000-01-23T04:56:07+00:00"], description="UTC.")
]
Seed = Annotated[int, Meta(ge=0, le=MAX_SEED)]
ModelName = Annotated[
    str,
    Meta(
        min_length=5,
        max_length=30,
        pattern="^[A-Za-z0-9 -]+$",
        extra_json_schema={"x-rule": "must have 5 to 30 characters: letters, digits, spaces and hyphens"},
    ),
]
DatasetName = Annotated[str, Meta(description="1 to 64 characters.")]
Notes = Annotated[list[str], Meta(examples=[["The base draws 128x128 pixels; this image was enlarged to 1024x1024."]])]
"""What was not taken as it was asked, a sentence each."""
ModelUri = Annotated[str, Meta(examples=["model/my-custom-model/version/1"])]
Bytes = Annotated[
    Any,
    Meta(
        extra_json_schema={"type": "string", "contentMediaType": "application/octet-stream"},
        description="A file part (multipart).",
    ),
]


class SafetyVerdict(msgspec.Struct, kw_only=True, frozen=True):
    """Who judged a picture or a prompt (a classifier, the rules for prompts), and how. "not evaluated": nobody could,
    which is not the same as passed. ``reason``: why it was refused or is withheld."""

    component: Annotated[str, Meta(examples=["open_nsfw"])]
    verdict: Literal["passed", "withheld", "refused", "not evaluated"]
    reason: Annotated[str, Meta(examples=["the picture's content"])] | Nothing = UNSET
