"""The report of a dataset: what a person should know of it before it is trained on. Pure: rows in, a report out.

Each finding has a stable code, the number that was measured, the threshold it missed, and a sentence with the way out
(``findings.py``). Nothing here refuses a training but the number of pictures; the rest is advice.
"""

from dataclasses import dataclass

from linocut.datasets import findings
from linocut.datasets.findings import CODES, ExaminedFile, Facts, Finding, Restate
from linocut.datasets.types import DatasetFile
from linocut.pictures.types import CropRule, way_of


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


def unmeasured(facts: Facts, rule: CropRule) -> list[DatasetFile]:
    """The pictures whose measures are missing, or were taken for another base or by an older method."""
    return [
        file
        for file in facts.files
        if (found := facts.measures.get(file.asset_id)) is None
        or found.way != way_of(rule.crop(file.width, file.height))
    ]


def examine(
    facts: Facts, rule: CropRule, fewest_images: int, most_images: int, restate: Restate | None = None
) -> Report:
    """The report of a dataset for the base whose sizes are ``rule``; ``restate``: how it reads plain captions."""
    missing = {file.asset_id for file in unmeasured(facts, rule)}
    files = tuple(_examined(file, rule, None if file.asset_id in missing else facts) for file in facts.files)
    found = [
        *findings.of_count(len(files), fewest_images, most_images),
        *findings.of_copies([one.file for one in files if one.is_measured], facts),
        *findings.of_sizes(files, rule),
        *(finding for one in files if one.is_measured for finding in findings.of_blur(one)),
        *(finding for one in files for finding in findings.of_shape(one)),
        *findings.of_unmeasured(files),
        *findings.of_captions(facts.files),
        *findings.of_wording(facts.files, restate),
        *findings.of_lost_captions(facts),
    ]
    found.sort(key=lambda finding: CODES.index(finding.code))
    return Report(files, tuple(found), len(facts.waiting), fewest_images, most_images)


def _examined(file: DatasetFile, rule: CropRule, facts: Facts | None) -> ExaminedFile:
    crop = rule.crop(file.width, file.height)
    cut_away = 1 - (crop.width * crop.height) / (crop.scaled_width * crop.scaled_height)
    sharpness = None if facts is None else facts.measures[file.asset_id].sharpness
    return ExaminedFile(file, crop, round(cut_away, 3), sharpness, is_measured=facts is not None)
