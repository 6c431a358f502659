"""Datasets on the wire."""

from typing import Annotated

import msgspec
from msgspec import Meta

from linocut.wire.enums import AssetType, FailureReason
from linocut.wire.types import UNSET, Bytes, DatasetName, Nothing, SafetyVerdict, Time


class CreateDatasetRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /datasets``."""

    name: DatasetName


class AssetIdentifier(msgspec.Struct, kw_only=True, frozen=True):
    """Names one stored picture."""

    asset_type: AssetType
    asset_id: str


class Dataset(msgspec.Struct, kw_only=True, frozen=True):
    """A named set of pictures. ``cover_asset_identifier`` is absent while there is no picture."""

    dataset_id: str
    name: str
    user_id: str
    creation_time: Time
    cover_asset_identifier: AssetIdentifier | Nothing | None = UNSET


class ListDatasetsResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /datasets``: the caller's own, most recently updated first."""

    datasets: list[Dataset]


_FileNotes = Annotated[list[str], Meta(examples=[["The caption had bytes that are no UTF-8; save it as UTF-8."]])]


class FileExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a file. ``notes``: what a training would not use of it as it is, a sentence each."""

    asset_id: str
    notes: _FileNotes | Nothing = UNSET


class DatasetFile(msgspec.Struct, kw_only=True, frozen=True):
    """One picture of a dataset; ``caption`` is its text unchanged, or a structured caption as JSON text."""

    file_name: str | None
    file_size_bytes: int | None
    caption: str | None
    x_linocut: FileExtras | Nothing = UNSET


class GetDatasetResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /datasets/{dataset_id}``."""

    dataset: Dataset
    file_count: int
    files: list[DatasetFile]
    custom_model_ids: list[str]


class UploadDatasetAssetsRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /datasets/{dataset_id}/upload_assets``: pictures, .txt, .caption and .json captions, ZIP files of both."""

    files: Annotated[list[Bytes], Meta(min_length=1)]


class DatasetUploadSucceededAsset(msgspec.Struct, kw_only=True, frozen=True):
    """A picture that was stored, or a caption that was applied to it."""

    asset_identifier: AssetIdentifier
    file_name: str | None


class DatasetUploadFailedAsset(msgspec.Struct, kw_only=True, frozen=True):
    """A file that was refused, why, and in ``message`` what to do about it."""

    file_name: str | None
    failure_reason: FailureReason
    message: str


class UploadExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on an upload: what was not clear, and captions that wait for their pictures, a sentence each; who judged the
    pictures that were taken, where pictures are judged."""

    safety: SafetyVerdict | Nothing = UNSET
    notes: (
        Annotated[list[str], Meta(examples=[["1 caption waits for a picture of the same name: poster.txt."]])] | Nothing
    ) = UNSET


class UploadDatasetAssetsResponse(msgspec.Struct, kw_only=True, frozen=True):
    """Counts are of pictures; captions stand in ``successful_assets`` only (DECISIONS 25)."""

    total_count: int
    success_count: int
    failure_count: int
    successful_assets: list[DatasetUploadSucceededAsset]
    failed_assets: list[DatasetUploadFailedAsset]
    x_linocut: UploadExtras | Nothing = UNSET
