"""What a report can find: the findings of each kind, with the sentence for it. Pure: rows in, findings out.

What holds of many pictures or captions in the same words is one finding that names them all.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from linocut.datasets.likeness import MOST_BITS, near_pairs
from linocut.datasets.sentences import counted, named
from linocut.datasets.types import DatasetFile, UnreadableCaption
from linocut.pictures.types import CropRule, Measures
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
    "caption_damaged",
    "caption_cut",
    "caption_unreadable",
    "caption_waiting",
    "not_measured",
)
"""Every code, in the order of the report."""

Restate = Callable[[str], str]
"""As in ``service``: the structured caption that a training uses for a plain one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. ``asset_id`` None: it is about the dataset, or about a caption without a picture.

    ``related``: the other pictures it is about. ``file_names``: the pictures or captions that it is said of.
    ``measured`` and ``threshold`` are in the code's own unit (docs/dataset-report.md).
    """

    code: str
    message: str
    asset_id: str | None = None
    file_name: str | None = None
    related: tuple[str, ...] = ()
    measured: float | None = None
    threshold: float | None = None
    file_names: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Of how many pictures or captions it is said; 1 where it is about the dataset."""
        return max(1, len(self.file_names))


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """A picture, the crop it trains in, the share of its area that is cut away, and its sharpness there."""

    file: DatasetFile
    crop: Crop
    cut_away: float
    sharpness: float | None
    is_measured: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows of a dataset: what a report is made of."""

    files: Sequence[DatasetFile]
    measures: Mapping[str, Measures]
    waiting: Sequence[str]
    unreadable: Sequence[UnreadableCaption]


def of_count(count: int, fewest: int, most: int) -> Iterable[Finding]:
    has = f"The dataset has {counted(count, 'picture')} and training takes"
    if count < fewest:
        message = f"{has} {fewest} to {most}: upload {fewest - count} more."
        yield Finding("too_few_images", message, measured=count, threshold=fewest)
    if count > most:
        message = f"{has} at most {most}: delete {count - most}."
        yield Finding("too_many_images", message, measured=count, threshold=most)


def of_copies(files: Sequence[DatasetFile], facts: Facts) -> Iterable[Finding]:
    """Of pictures with the same pixels, the first stands for all; only those that stand are looked at for likeness."""
    first_of: dict[str, DatasetFile] = {}
    for file in facts.files:
        first = first_of.setdefault(_pixels_of(file, facts), file)
        if first is not file:
            message = (
                f"{file.file_name} has the same pixels as {first.file_name}; delete one of them, or it counts twice."
            )
            yield _of([file], "exact_duplicate", message, related=(first.asset_id,), measured=0, threshold=0)
    standing = [file for file in files if first_of[_pixels_of(file, facts)] is file]
    for pair in near_pairs([facts.measures[file.asset_id].likeness for file in standing]):
        first, second = standing[pair.first], standing[pair.second]
        message = (
            f"{second.file_name} looks like another copy of {first.file_name}: if it is a re-save or a crop of it, "
            "delete the worse one; if both are meant, leave them."
        )
        yield _of(
            [second], "near_duplicate", message, related=(first.asset_id,), measured=pair.bits, threshold=MOST_BITS
        )


def _pixels_of(file: DatasetFile, facts: Facts) -> str:
    """The same for the same pixels, as far as that was noted: rows of before know their file alone."""
    measures = facts.measures.get(file.asset_id)
    return (measures.pixels if measures else "") or file.image_sha256


def of_blur(one: ExaminedFile) -> Iterable[Finding]:
    """A picture whose edges in the training crop are too wide."""
    if one.sharpness is not None and one.sharpness < LEAST_SHARPNESS:
        message = (
            f"{one.file.file_name} is blurred where it is trained on ({size_text(one.crop.width, one.crop.height)}): "
            f"its sharpest edges have {one.sharpness:.2f} of their step in one pixel, under {LEAST_SHARPNESS}. Replace "
            "it by a sharper picture, or delete it."
        )
        yield _of([one.file], "blurred", message, measured=one.sharpness, threshold=LEAST_SHARPNESS)


def of_sizes(files: Sequence[ExaminedFile], rule: CropRule) -> Iterable[Finding]:
    """Pictures too small for the base, those of one size together."""
    by_size: dict[tuple[int, int], list[ExaminedFile]] = defaultdict(list)
    for one in files:
        by_size[one.file.width, one.file.height].append(one)
    for (width, height), same in by_size.items():
        crop, pictures = same[0].crop, [one.file for one in same]
        fill = sqrt(crop.width * crop.height) / rule.native_pixels
        scale = max(crop.scaled_width / width, crop.scaled_height / height)
        if scale > 1 or fill < LEAST_FILL:
            scaled = f"scaled up {scale:.2f} times" if scale > 1 else "not scaled up"
            message = (
                f"{_said(pictures, 'is', 'are')} {size_text(width, height)} pixels. It trains at "
                f"{size_text(crop.width, crop.height)}, {scaled}, "
                f"while the base draws at about {rule.native_pixels}x{rule.native_pixels}. Upload it at {1 / fill:.1f} "
                "times its size or larger."
            )
            if len(same) > 1:
                message = message.replace("It trains", "They train").replace("Upload it", "Upload them")
                message = message.replace("times its size", "times their size")
            yield _of(pictures, "tiny", message, measured=round(fill, 3), threshold=LEAST_FILL)


def of_shape(one: ExaminedFile) -> Iterable[Finding]:
    """A picture whose training crop loses much of it."""
    file, crop = one.file, one.crop
    if one.cut_away > MOST_CUT_AWAY:
        message = (
            f"{file.file_name} is {size_text(file.width, file.height)} pixels: its shape is so extreme that "
            f"{one.cut_away:.0%} of it is cut away to train at {size_text(crop.width, crop.height)}. Crop it yourself "
            "to the part that matters."
        )
        yield _of([file], "extreme_aspect", message, measured=one.cut_away, threshold=MOST_CUT_AWAY)


def of_unmeasured(files: Sequence[ExaminedFile]) -> Iterable[Finding]:
    """Pictures that could not be looked at."""
    if missing := [one.file for one in files if not one.is_measured]:
        message = f"{_said(missing, 'has', 'have')} not been looked at yet; ask for the report again in a moment."
        yield _of(missing, "not_measured", message)


def of_captions(files: Sequence[DatasetFile]) -> Iterable[Finding]:
    """Pictures without a caption, and pictures that share one."""
    by_caption: dict[str | None, list[DatasetFile]] = defaultdict(list)
    for file in files:
        by_caption[None if file.caption is None else file.caption.strip()].append(file)
    if bare := by_caption.pop(None, []):
        shows = "it shows" if len(bare) == 1 else "each shows"
        message = (
            f"{_said(bare, 'has', 'have')} no caption; say what {shows}, so that the style is learnt and not the motif."
        )
        yield _of(bare, "caption_missing", message)
    for same in by_caption.values():
        if len(same) > 1:
            names = named([file.file_name for file in same], 3)
            message = f"{len(same)} pictures have the same caption ({names}); say of each what it alone shows."
            yield _of(same, "caption_identical", message, measured=len(same), threshold=1)


def of_wording(files: Sequence[DatasetFile], restate: Restate | None) -> Iterable[Finding]:
    """Captions whose file was damaged, and captions that are longer than the base reads."""
    if damaged := [file for file in files if is_damaged(file)]:
        message = (
            f"{_captions_of(damaged)} had bytes that are no UTF-8 and read as \ufffd; save {_it(damaged)} as UTF-8 and "
            f"send {_it(damaged)} again."
        )
        yield _of(damaged, "caption_damaged", message, measured=len(damaged), threshold=0)
    if restate is not None and (cut := [file for file in files if _is_cut(file, restate)]):
        even_so = ", and fails where the elements alone are too long" if any(one.caption_is_json for one in cut) else ""
        message = (
            f"{_captions_of(cut)} {'is' if len(cut) == 1 else 'are'} longer than the base reads: a training leaves the "
            f"end out{even_so}. Shorten {_it(cut)}, or say the most important first."
        )
        yield _of(cut, "caption_cut", message, measured=len(cut), threshold=0)


def is_damaged(file: DatasetFile) -> bool:
    """Whether the file of its caption had bytes that are no text."""
    return file.caption is not None and "\ufffd" in file.caption


def of_lost_captions(facts: Facts) -> Iterable[Finding]:
    """Caption files that could not be read, and captions that wait for their picture."""
    by_message: dict[str, list[str]] = defaultdict(list)
    for caption in facts.unreadable:
        by_message[caption.message].append(caption.file_name)
    for message, names in by_message.items():
        text = f"{_listed(names, 'caption file')}: {message}"
        yield Finding("caption_unreadable", text, None, names[0], file_names=tuple(names))
    if (count := len(facts.waiting)) == 1:
        message = (
            f"{facts.waiting[0]} waits for its picture; upload the picture of that name, or upload the caption under "
            "another."
        )
        yield Finding("caption_waiting", message, None, facts.waiting[0], file_names=tuple(facts.waiting))
    elif count:
        message = (
            f"{_listed(facts.waiting, 'caption')} wait for their pictures; upload the pictures of those names, or "
            "upload the captions under others."
        )
        yield Finding("caption_waiting", message, None, facts.waiting[0], file_names=tuple(facts.waiting))


def _is_cut(file: DatasetFile, restate: Restate) -> bool:
    """Whether a training says less than the plain caption does, or the ``high_level_description`` of a structured
    one."""
    if file.caption is None:
        return False
    text = json.loads(file.caption)["high_level_description"] if file.caption_is_json else file.caption
    whole = " ".join(text.split())
    said = " ".join(str(json.loads(restate(file.caption.strip())).get("high_level_description", "")).split())
    return said != whole and whole.startswith(said)


def _said(files: Sequence[DatasetFile], one: str, many: str) -> str:
    """``a.png has``, or ``3 pictures (a.png, b.png and c.png) have``."""
    return f"{_listed([file.file_name for file in files], 'picture')} {one if len(files) == 1 else many}"


def _listed(names: Sequence[str], thing: str) -> str:
    return names[0] if len(names) == 1 else f"{counted(len(names), thing)} ({named(names)})"


def _captions_of(files: Sequence[DatasetFile]) -> str:
    names = [file.file_name for file in files]
    return f"The caption of {names[0]}" if len(names) == 1 else f"{counted(len(names), 'caption')} (of {named(names)})"


def _it(files: Sequence[DatasetFile]) -> str:
    return "it" if len(files) == 1 else "them"


def _of(
    files: Sequence[DatasetFile],
    code: str,
    message: str,
    *,
    related: tuple[str, ...] = (),
    measured: float | None = None,
    threshold: float | None = None,
) -> Finding:
    """A finding about these pictures; ``related``: others beside them."""
    first, *others = files
    related = (*(file.asset_id for file in others), *related)
    names = tuple(file.file_name for file in files)
    return Finding(code, message, first.asset_id, first.file_name, related, measured, threshold, names)
