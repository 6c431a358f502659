"""Datasets and uploads, as their room sees them, into the published objects."""

from linocut import ids
from linocut.datasets import types
from linocut.datasets.findings import is_damaged
from linocut.verdicts import SafetyMode
from linocut.wire import (
    AssetIdentifier,
    Dataset,
    DatasetFile,
    DatasetUploadFailedAsset,
    DatasetUploadSucceededAsset,
    FileExtras,
    GetDatasetResponse,
    UploadDatasetAssetsResponse,
    UploadExtras,
)
from linocut.wire.types import UNSET, Nothing, SafetyVerdict

_DAMAGED = "The caption had bytes that are no UTF-8 and read as \ufffd; save it as UTF-8 and send it again."


def dataset(view: types.Dataset) -> Dataset:
    """A dataset; its cover is absent while it is empty."""
    return Dataset(
        dataset_id=view.dataset_id,
        name=view.name,
        user_id=view.user_id,
        creation_time=ids.wire_time(view.created_at),
        cover_asset_identifier=UNSET if view.cover_asset_id is None else _upload(view.cover_asset_id),
    )


def dataset_detail(view: types.DatasetDetail) -> GetDatasetResponse:
    """A dataset with its pictures in upload order."""
    files = [
        DatasetFile(
            file_name=file.file_name,
            file_size_bytes=file.file_size_bytes,
            caption=file.caption,
            x_linocut=FileExtras(asset_id=file.asset_id, notes=[_DAMAGED] if is_damaged(file) else UNSET),
        )
        for file in view.files
    ]
    return GetDatasetResponse(
        dataset=dataset(view.dataset),
        file_count=len(files),
        files=files,
        custom_model_ids=list(view.custom_model_ids),
    )


def upload_report(report: types.UploadReport, safety: SafetyMode = "off") -> UploadDatasetAssetsResponse:
    """What became of each file of an upload; where pictures are judged (``safety``), by whom those that were taken."""
    judged = _judged(report) if safety != "off" and report.success_count else UNSET
    return UploadDatasetAssetsResponse(
        total_count=report.total_count,
        success_count=report.success_count,
        failure_count=report.failure_count,
        successful_assets=[
            DatasetUploadSucceededAsset(asset_identifier=_upload(asset.asset_id), file_name=asset.file_name)
            for asset in report.successful
        ],
        failed_assets=[
            DatasetUploadFailedAsset(file_name=asset.file_name, failure_reason=asset.reason, message=asset.message)
            for asset in report.failed
        ],
        x_linocut=(
            UNSET
            if isinstance(judged, Nothing) and not report.notes
            else UploadExtras(safety=judged, notes=list(report.notes) or UNSET)
        ),
    )


def _judged(report: types.UploadReport) -> SafetyVerdict | Nothing:
    """Absent where every picture was here already."""
    judged_by = [asset.judged_by for asset in report.successful if asset.judged_by is not None]
    if not judged_by:
        return UNSET
    if not all(judged_by):
        return SafetyVerdict(component="", verdict="not evaluated")
    return SafetyVerdict(component=judged_by[0], verdict="passed")


def _upload(asset_id: str) -> AssetIdentifier:
    return AssetIdentifier(asset_type="UPLOAD", asset_id=asset_id)
