"""Small types that several messages share: times, seeds, names."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from linocut.ids import MAX_SEED

__all__ = ["UNSET", "Bytes", "DatasetName", "Json", "ModelName", "ModelUri", "Nothing", "Seed", "Time"]

Nothing = UnsetType
"""The type of an absent field: ``field: str | Nothing = UNSET``."""

Json = dict[str, Any]

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
ModelUri = Annotated[str, Meta(examples=["model/my-custom-model/version/1"])]
Bytes = Annotated[
    str,
    Meta(extra_json_schema={"contentMediaType": "application/octet-stream"}, description="A file part (multipart)."),
]
