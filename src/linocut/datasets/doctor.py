"""The report of a dataset: what a person should know of it before it is trained on. Pure: rows in, findings out.

Each finding has a stable code, the number that was measured, the threshold it missed, and a sentence with the way out.
Nothing here refuses a training but the number of pictures; the rest is advice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from linocut.datasets.likeness import MOST_BITS, near_pairs
from linocut.datasets.picture import CropRule, Measures, way_of
from linocut.datasets.types import DatasetFile, UnreadableCaption
from linocut.sizes import Crop, size_text

LEAST_SHARPNESS = 0.35
"""Below it, edges in the training crop are as wide as after a Gaussian blur of 3 pixels: see ``measure.py``."""

LEAST_FILL = 0.8
"""Of the base's native side that a picture's bucket must reach; rounding to the base's grid alone stays above."""

MOST_CUT_AWAY = 0.25
"""Most of a picture's area that its training crop may lose."""

CODES = (
    "too_few_images",
    "too_many_images",
    "exact_duplicate",
    "near_duplicate",
    "blurred",
    "tiny",
    "extreme_aspect",
    "caption_missing",
    "caption_identical",
    "caption_unreadable",
    "caption_waiting",
    "not_measured",
)
"""Every code, in the order of the report."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. ``asset_id`` None: it is about the dataset, or about a caption without a picture.

    ``related``: the other pictures it is about. ``measured`` and ``threshold`` are in the code's own unit
    (docs/dataset-report.md).
    """

    code: str
    message: str
    asset_id: str | None = None
    file_name: str | None = None
    related: tuple[str, ...] = ()
    measured: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """A picture, the crop it trains in, the share of its area that is cut away, and its sharpness there."""

    file: DatasetFile
    crop: Crop
    cut_away: float
    sharpness: float | None
    is_measured: bool


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report. ``is_ready``: a training on the dataset as it is now would be accepted."""

    files: tuple[ExaminedFile, ...]
    findings: tuple[Finding, ...]
    waiting_captions: int
    fewest_images: int
    most_images: int

    @property
    def is_ready(self) -> bool:
        """Whether there are enough pictures, and not too many."""
        return self.fewest_images <= len(self.files) <= self.most_images


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows of a dataset: what a report is made of."""

    files: Sequence[DatasetFile]
    measures: Mapping[str, Measures]
    waiting: Sequence[str]
    unreadable: Sequence[UnreadableCaption]


def unmeasured(facts: Facts, rule: CropRule) -> list[DatasetFile]:
    """The pictures whose measures are missing, or were taken for another base or by an older method."""
    return [
        file
        for file in facts.files
        if (found := facts.measures.get(file.asset_id)) is None
        or found.way != way_of(rule.crop(file.width, file.height))
    ]


def examine(facts: Facts, rule: CropRule, fewest_images: int, most_images: int) -> Report:
    """The report of a dataset for the base whose sizes are ``rule``."""
    missing = {file.asset_id for file in unmeasured(facts, rule)}
    files = tuple(_examined(file, rule, None if file.asset_id in missing else facts) for file in facts.files)
    findings = [
        *_count_findings(len(files), fewest_images, most_images),
        *_duplicate_findings([one.file for one in files if one.is_measured], facts),
        *(finding for one in files for finding in _picture_findings(one, rule)),
        *_caption_findings(facts),
    ]
    findings.sort(key=lambda finding: CODES.index(finding.code))
    return Report(files, tuple(findings), len(facts.waiting), fewest_images, most_images)


def _examined(file: DatasetFile, rule: CropRule, facts: Facts | None) -> ExaminedFile:
    crop = rule.crop(file.width, file.height)
    cut_away = 1 - (crop.width * crop.height) / (crop.scaled_width * crop.scaled_height)
    sharpness = None if facts is None else facts.measures[file.asset_id].sharpness
    return ExaminedFile(file, crop, round(cut_away, 3), sharpness, is_measured=facts is not None)


def _count_findings(count: int, fewest: int, most: int) -> Iterable[Finding]:
    if count < fewest:
        message = (
            f"The dataset has {count} pictures and training takes {fewest} to {most}: upload {fewest - count} more."
        )
        yield Finding("too_few_images", message, measured=count, threshold=fewest)
    if count > most:
        message = f"The dataset has {count} pictures and training takes at most {most}: delete {count - most}."
        yield Finding("too_many_images", message, measured=count, threshold=most)


def _duplicate_findings(files: Sequence[DatasetFile], facts: Facts) -> Iterable[Finding]:
    """Of pictures with the same pixels, the first stands for all; only those that stand are looked at for likeness."""
    first_of: dict[str, DatasetFile] = {}
    for file in facts.files:
        first = first_of.setdefault(file.image_sha256, file)
        if first is not file:
            message = (
                f"{file.file_name} has the same pixels as {first.file_name}; delete one of them, or it counts twice."
            )
            yield _of(file, "exact_duplicate", message, related=(first.asset_id,), measured=0, threshold=0)
    standing = [file for file in files if first_of[file.image_sha256] is file]
    for pair in near_pairs([facts.measures[file.asset_id].likeness for file in standing]):
        first, second = standing[pair.first], standing[pair.second]
        message = (
            f"{second.file_name} looks like another copy of {first.file_name} ({pair.bits} of 255 bits differ): if it "
            "is a re-save or a crop of it, delete the worse one; if both are meant, leave them."
        )
        yield _of(second, "near_duplicate", message, related=(first.asset_id,), measured=pair.bits, threshold=MOST_BITS)


def _picture_findings(one: ExaminedFile, rule: CropRule) -> Iterable[Finding]:
    file, crop = one.file, one.crop
    size, bucket = size_text(file.width, file.height), size_text(crop.width, crop.height)
    if not one.is_measured:
        message = f"{file.file_name} has not been looked at yet; ask for the report again in a moment."
        yield _of(file, "not_measured", message)
    elif one.sharpness is not None and one.sharpness < LEAST_SHARPNESS:
        message = (
            f"{file.file_name} is blurred where it is trained on ({bucket}): its sharpest edges have "
            f"{one.sharpness:.2f} of their step in one pixel, under {LEAST_SHARPNESS}. Replace it by a sharper "
            "picture, or delete it."
        )
        yield _of(file, "blurred", message, measured=one.sharpness, threshold=LEAST_SHARPNESS)
    fill = sqrt(crop.width * crop.height) / rule.native_pixels
    scale = max(crop.scaled_width / file.width, crop.scaled_height / file.height)
    if scale > 1 or fill < LEAST_FILL:
        enlarged = f"and would even be scaled up {scale:.2f} times" if scale > 1 else "and is not scaled up"
        message = (
            f"{file.file_name} is {size} pixels: it trains at {bucket} {enlarged}, while the base draws at about "
            f"{rule.native_pixels}x{rule.native_pixels}. Upload it at {1 / fill:.1f} times its size or larger."
        )
        yield _of(file, "tiny", message, measured=round(fill, 3), threshold=LEAST_FILL)
    if one.cut_away > MOST_CUT_AWAY:
        message = (
            f"{file.file_name} is {size} pixels: its shape is so extreme that {one.cut_away:.0%} of it is cut away to "
            f"train at {bucket}. Crop it yourself to the part that matters."
        )
        yield _of(file, "extreme_aspect", message, measured=one.cut_away, threshold=MOST_CUT_AWAY)


def _caption_findings(facts: Facts) -> Iterable[Finding]:
    by_caption: dict[str, list[DatasetFile]] = defaultdict(list)
    for file in facts.files:
        if file.caption is None:
            message = (
                f"{file.file_name} has no caption; say what it shows, so that the style is learnt and not the motif."
            )
            yield _of(file, "caption_missing", message)
        else:
            by_caption[file.caption.strip()].append(file)
    for same in by_caption.values():
        if len(same) > 1:
            names = ", ".join(file.file_name for file in same[:3]) + (" and others" if len(same) > 3 else "")
            message = f"{len(same)} pictures have the same caption ({names}); say of each what it alone shows."
            others = tuple(file.asset_id for file in same[1:])
            yield _of(same[0], "caption_identical", message, related=others, measured=len(same), threshold=1)
    for caption in facts.unreadable:
        yield Finding("caption_unreadable", f"{caption.file_name}: {caption.message}", file_name=caption.file_name)
    for name in facts.waiting:
        message = f"{name} waits for its picture; upload the picture of that name, or upload the caption under another."
        yield Finding("caption_waiting", message, file_name=name)


def _of(
    file: DatasetFile,
    code: str,
    message: str,
    *,
    related: tuple[str, ...] = (),
    measured: float | None = None,
    threshold: float | None = None,
) -> Finding:
    return Finding(code, message, file.asset_id, file.file_name, related, measured, threshold)
