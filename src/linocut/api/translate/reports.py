"""The report of a dataset, and its pictures with their captions, into our own objects."""

import json
from collections import Counter
from dataclasses import asdict

from linocut import ids
from linocut.datasets.findings import ExaminedFile, Finding
from linocut.datasets.report import Report
from linocut.datasets.sentences import counted
from linocut.datasets.types import DatasetFile
from linocut.sizes import size_text
from linocut.wire import (
    CaptionResponse,
    DatasetAsset,
    DatasetFinding,
    DatasetReport,
    ReportFile,
    ReportSummary,
    TrainingCrop,
)
from linocut.wire.types import Json


def dataset_report(dataset_id: str, base: str, report: Report) -> DatasetReport:
    """The whole report; ``base`` is the identity of the one that its crops are for."""
    return DatasetReport(
        dataset_id=dataset_id,
        base=base,
        summary=_summary(report),
        findings=[_finding(one) for one in report.findings],
        files=[_file(one) for one in report.files],
    )


def asset(file: DatasetFile) -> DatasetAsset:
    """One picture."""
    return DatasetAsset(
        asset_id=file.asset_id,
        file_name=file.file_name,
        file_size_bytes=file.file_size_bytes,
        width=file.width,
        height=file.height,
        creation_time=ids.wire_time(file.created_at),
        caption=_caption(file),
    )


def caption(file: DatasetFile) -> CaptionResponse:
    """One picture's caption."""
    return CaptionResponse(asset_id=file.asset_id, file_name=file.file_name, caption=_caption(file))


def _caption(file: DatasetFile) -> str | Json | None:
    return json.loads(file.caption) if file.caption is not None and file.caption_is_json else file.caption


def _summary(report: Report) -> ReportSummary:
    counts: Counter[str] = Counter()
    for finding in report.findings:
        counts[finding.code] += finding.count
    return ReportSummary(
        is_ready=report.is_ready,
        message=_verdict(report),
        image_count=len(report.files),
        min_training_images=report.fewest_images,
        max_training_images=report.most_images,
        captioned_count=sum(one.file.caption is not None for one in report.files),
        waiting_caption_count=report.waiting_captions,
        finding_count=len(report.findings),
        finding_counts=dict(counts),
    )


def _verdict(report: Report) -> str:
    if not report.is_ready:
        refusal = next(f.message for f in report.findings if f.code in ("too_few_images", "too_many_images"))
        return f"Not ready to train. {refusal}"
    if not report.findings:
        return "Ready to train; nothing to remark."
    return f"Ready to train; {counted(len(report.findings), 'remark')} to look at first."


def _finding(finding: Finding) -> DatasetFinding:
    return DatasetFinding(
        code=finding.code,  # type: ignore[arg-type]  # one of findings.CODES, which a test holds to the wire's
        asset_id=finding.asset_id,
        file_name=finding.file_name,
        related_asset_ids=list(finding.related),
        file_names=list(finding.file_names),
        count=finding.count,
        measured=finding.measured,
        threshold=finding.threshold,
        message=finding.message,
    )


def _file(one: ExaminedFile) -> ReportFile:
    return ReportFile(
        asset_id=one.file.asset_id,
        file_name=one.file.file_name,
        width=one.file.width,
        height=one.file.height,
        bucket=size_text(one.crop.width, one.crop.height),
        crop=TrainingCrop(**asdict(one.crop)),
        cut_away=one.cut_away,
        sharpness=one.sharpness,
        has_caption=one.file.caption is not None,
    )
