"""Pixels of a request, against the published lists."""

import json
from pathlib import Path
from typing import Any

import pytest

from linocut.api.translate.versions import V3, V4
from linocut.errors import InvalidRequest
from linocut.generation.sizes import ratio_of_text, size_of
from linocut.sizes import parse_size

SCHEMAS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "contract" / "contract.json").read_text())[
    "components"
]["schemas"]


def ask(version: int, **given: Any) -> tuple[int, int]:
    given = {"resolution": None, "aspect_ratio": None, "prompt": "a cat"} | given
    return size_of({3: V3, 4: V4}[version], **given)


def test_the_sizes_are_exactly_the_published_ones() -> None:
    assert {parse_size(text) for text in SCHEMAS["ResolutionV3"]["enum"]} == V3.resolutions
    assert {parse_size(text) for text in SCHEMAS["ResolutionV4"]["enum"]} == V4.resolutions


@pytest.mark.parametrize("ratio", SCHEMAS["AspectRatioV3"]["enum"])
def test_every_published_v3_ratio_has_a_published_size_of_about_its_shape(ratio: str) -> None:
    width, height = ask(3, aspect_ratio=ratio)
    assert (width, height) in V3.resolutions
    wanted = int(ratio.split("x")[0]) / int(ratio.split("x")[1])
    assert width / height == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize("ratio", [r for r in SCHEMAS["AspectRatioV4"]["enum"] if r != "AUTO"])
def test_every_published_v4_ratio_has_a_published_size(ratio: str) -> None:
    width, height = ask(4, aspect_ratio=ratio)
    assert (width, height) in V4.resolutions
    assert (width > height) == (int(ratio.split("x")[0]) > int(ratio.split("x")[1]))


def test_the_defaults_are_a_square_and_for_v4_two_k() -> None:
    assert ask(3) == (1024, 1024)
    assert ask(4, prompt=None) == (2048, 2048)
    assert ask(4, prompt="a cat on a sofa") == (2048, 2048)


@pytest.mark.parametrize(
    ("prompt", "ratio"),
    [
        ("a cat", "1x1"),
        ("a cat, 16:9", "16x9"),
        ("a tall tower 9 x 16", "9x16"),
        ("a panoramic view of hills", "3x1"),
        ("a cinematic shot of a lighthouse", "16x9"),
        ("a poster for a tea brand", "2x3"),
        ("a clock at 12:30", "1x1"),
        ("7:5 odds on a horse", "1x1"),
        ("a square poster, 4:5", "4x5"),
        ("a banner of a cat", "3x1"),
        ("a tall banner of a cat", "1x3"),
        ("posterior view", "1x1"),
    ],
)
def test_the_prompt_s_own_words_choose_the_v4_ratio(prompt: str, ratio: str) -> None:
    assert ratio_of_text(prompt, V4.ratios) == ratio


def test_a_size_of_the_other_version_or_both_fields_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="Ideogram 3 does not draw resolution 2048x2048"):
        ask(3, resolution=(2048, 2048))
    with pytest.raises(InvalidRequest, match="Ideogram 4 does not draw resolution 1312x736"):
        ask(4, resolution=(1312, 736))
    with pytest.raises(InvalidRequest, match="not both"):
        ask(3, resolution=(1024, 1024), aspect_ratio="1x1")
    with pytest.raises(InvalidRequest, match="aspect_ratio must be one of"):
        ask(3, aspect_ratio="7x5")
