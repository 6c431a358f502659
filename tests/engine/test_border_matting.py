"""The border-colour cut: right where it is sure, and not sure where it is wrong."""

import numpy as np
import pytest
from PIL import Image
from tests.engine.matting_pictures import backdrop, composite, overlap

from linocut.engine.tools.border_matting import BorderMatting
from linocut.errors import InvalidRequest

TOOL = BorderMatting()
SHAPES = ("disc", "mug", "star", "bust")


@pytest.mark.parametrize("kind", ["plain", "graded", "noisy"])
def test_a_plain_backdrop_is_cut_away(kind: str) -> None:
    """Every second object throws a shadow."""
    overlaps = []
    for number, shape in enumerate(SHAPES * 3):
        picture, mask = composite(shape, kind, seed=100 + number, shadow=number % 2 == 1)
        cut = TOOL.run(picture)
        assert cut.sure, cut.doubts
        assert (cut.alpha_HW.shape, cut.alpha_HW.dtype) == (mask.shape, np.uint8)
        overlaps.append(overlap(cut.alpha_HW, mask))
    assert min(overlaps) > 0.96
    assert sum(overlaps) / len(overlaps) > 0.98


@pytest.mark.parametrize("shape", SHAPES)
def test_before_a_busy_backdrop_it_is_not_sure(shape: str) -> None:
    for seed in range(5):
        cut = TOOL.run(composite(shape, "busy", seed)[0])
        assert not cut.sure
        assert "not plain" in cut.doubts[0]


@pytest.mark.parametrize("kind", ["plain", "noisy"])
def test_nothing_to_cut_out_is_told(kind: str) -> None:
    cut = TOOL.run(backdrop(kind, 3))
    assert cut.doubts == ("No object stands out from the backdrop.",)


def test_an_object_that_is_everywhere_is_not_sure() -> None:
    picture = backdrop("plain", 3).copy()
    picture[20:, 20:-4] = (250, 20, 20)
    assert not TOOL.run(picture).sure


def test_a_large_picture_gets_a_mask_of_its_own_size() -> None:
    picture, mask = composite("star", "noisy", 7)
    large = np.asarray(Image.fromarray(picture).resize((1000, 1200)))
    cut = TOOL.run(large)
    assert cut.alpha_HW.shape == (1200, 1000)
    assert overlap(cut.alpha_HW, np.asarray(Image.fromarray(mask).resize((1000, 1200)))) > 0.96
    assert TOOL.tokens(large) == 768 * 768
    assert TOOL.tokens(picture) == picture.shape[0] * picture.shape[1]


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((32, 32), np.uint8),
        np.zeros((32, 32, 4), np.uint8),
        np.zeros((32, 32, 3)),
    ],
)
def test_what_is_no_picture_is_refused(given: object) -> None:
    with pytest.raises(InvalidRequest, match="RGB"):
        TOOL.run(given)
