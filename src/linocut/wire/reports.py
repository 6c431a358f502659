"""Ours on the wire: what the report says of a dataset, and the pictures of one with their captions."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.types import Json, Time

FindingCode = Literal[
    "too_few_images",
    "too_many_images",
    "exact_duplicate",
    "near_duplicate",
    "blurred",
    "tiny",
    "extreme_aspect",
    "caption_missing",
    "caption_identical",
    "caption_damaged",
    "caption_cut",
    "caption_unreadable",
    "caption_waiting",
    "not_measured",
]
Size = Annotated[str, Meta(examples=["1024x768"], description="Width and height in pixels.")]
_CAPTION_RULE = "must be text, a structured caption (a JSON object), or null for none"
Share = Annotated[float, Meta(ge=0, le=1)]


class DatasetFinding(msgspec.Struct, kw_only=True, frozen=True):
    """One thing to know before training. ``asset_id`` and ``file_name`` are null where it is about no one picture;
    ``related_asset_ids`` are the others that it is about; ``file_names`` are the pictures or captions that it is said
    of, and ``count`` is how many. What ``measured`` and ``threshold`` count is the code's own: docs/dataset-report.md.
    ``message`` says what to do."""

    code: FindingCode
    asset_id: str | None
    file_name: str | None
    related_asset_ids: list[str]
    file_names: Annotated[list[str], Meta(examples=[["poster.png"]])]
    count: int
    measured: float | None
    threshold: float | None
    message: str


class TrainingCrop(msgspec.Struct, kw_only=True, frozen=True):
    """How a picture fills its bucket: scaled to ``scaled_width`` x ``scaled_height``, then ``width`` x ``height`` cut
    out at (``left``, ``top``). All in pixels of the scaled picture."""

    scaled_width: int
    scaled_height: int
    left: int
    top: int
    width: int
    height: int


class ReportFile(msgspec.Struct, kw_only=True, frozen=True):
    """One picture as a training sees it. ``cut_away``: the share of its area outside the crop; ``sharpness``: the share
    of an edge's step that lies in one pixel of the crop, null where the picture has no edges or was not measured."""

    asset_id: str
    file_name: str
    width: int
    height: int
    bucket: Size
    crop: TrainingCrop
    cut_away: Share
    sharpness: Share | None
    has_caption: bool


class ReportSummary(msgspec.Struct, kw_only=True, frozen=True):
    """``is_ready``: a training on the dataset as it is now is accepted. ``finding_counts``: of each code that
    occurs, how many pictures or captions it is said of."""

    is_ready: bool
    message: str
    image_count: int
    min_training_images: int
    max_training_images: int
    captioned_count: int
    waiting_caption_count: int
    finding_count: int
    finding_counts: dict[str, int]


class DatasetReport(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /datasets/{dataset_id}/report``. Files in upload order, findings by kind."""

    dataset_id: str
    base: str
    summary: ReportSummary
    findings: list[DatasetFinding]
    files: list[ReportFile]


class DatasetAsset(msgspec.Struct, kw_only=True, frozen=True):
    """One picture of a dataset. ``caption``: its text, a structured caption as an object, or null."""

    asset_id: str
    file_name: str
    file_size_bytes: int
    width: int
    height: int
    creation_time: Time
    caption: str | Json | None


class ListAssetsResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /datasets/{dataset_id}/assets``: in upload order."""

    dataset_id: str
    assets: list[DatasetAsset]


class SetCaptionRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``PUT …/caption``: text, a structured caption as an object (V4JsonPrompt), or null (or "") for none."""

    caption: Annotated[str | Json | None, Meta(extra_json_schema={"x-rule": _CAPTION_RULE})]


class CaptionResponse(msgspec.Struct, kw_only=True, frozen=True):
    """The caption of one picture."""

    asset_id: str
    file_name: str
    caption: str | Json | None
