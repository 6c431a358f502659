"""The speeds are the base's own table, and the documents show the embedded base's as it is."""

import re
from pathlib import Path

import pytest

from linocut.bases import MINI, load_base
from linocut.generation.sampling import sampling_of

PAGE = (Path(__file__).parents[2] / "docs" / "generating.md").read_text()
ROWS = re.findall(r"^\| ([A-Z, ]+) \| (\d+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("speeds", "steps", "guidance"), ROWS)
def test_a_speed_is_what_the_page_says(speeds: str, steps: str, guidance: str) -> None:
    for speed in speeds.split(", "):
        sampling = sampling_of(load_base(MINI), speed)
        assert (sampling.steps, sampling.guidance) == (int(steps), float(guidance))


def test_every_speed_is_in_the_table() -> None:
    named = [speed for speeds, *_ in ROWS for speed in speeds.split(", ")]
    assert sorted(named) == sorted(["FLASH", "TURBO", "BALANCED", "DEFAULT", "QUALITY"])
