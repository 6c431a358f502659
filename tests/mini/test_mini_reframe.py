"""Reframe on the embedded base: the picture comes back to the last bit, and its ground goes on around it."""

from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import ImageColor
from tests.mini.test_mini_editing import GROUNDS, SIDE, Mini, mini, poster

from linocut.captions import Worded
from linocut.generation.editing import REFRAME_LEVEL, placement_of
from linocut.generation.types import Over
from linocut.pictures.intake import StoredPicture

__all__ = ["mini"]  # the fixture of the other file
WIDE = 2 * SIDE
NATIVE = (192, 96)


def reframed(mini: Mini, number: int) -> Any:
    """The order that draws poster ``number`` on to twice its width."""
    order = mini.order(poster(number), Worded("", ""), "TURBO", level=REFRAME_LEVEL, keep="picture")
    stored = StoredPicture(order.picture.sha256, 0, SIDE, SIDE, has_alpha=False)
    place = placement_of(Over("reframe", stored), (WIDE, SIDE))
    return msgspec.structs.replace(
        order, width=NATIVE[0], height=NATIVE[1], output_width=WIDE, output_height=SIDE, placement=place
    )


@pytest.mark.long
def test_the_ground_goes_on_and_the_picture_stays(mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:
    """Outside, the median colour is nearer to the own ground than to any other poster's; at the rim there is no step.
    An answer that is grey, black, or another picture's surroundings fails, and so does one that begins with noise."""
    numbers = (0, 2, 3, 6)
    drawn = mini.draw([reframed(mini, number) for number in numbers])
    grounds = np.asarray([ImageColor.getrgb(colour) for colour in GROUNDS])
    left = (WIDE - SIDE) // 2
    own, others, rims = [], [], []
    for number, after in zip(numbers, drawn, strict=True):
        before = np.asarray(poster(number)).astype(float)
        assert after.shape == (SIDE, WIDE, 3)
        assert (after[:, left : left + SIDE] == before).all()
        outside = np.concatenate([after[:, :left], after[:, left + SIDE :]], axis=1)
        colour = np.median(outside.reshape(-1, 3), axis=0)
        distances = np.abs(grounds - colour).mean(axis=-1)
        own.append(float(distances[number]))
        others.append(float(np.delete(distances, number).min()))
        rims.append(float(np.median(np.abs(after[:, left - 1] - after[:, left]).max(axis=-1))))
    with capsys.disabled():
        print("\ndistance to the own ground:", np.round(own, 1), "to the nearest other:", np.round(others, 1),
              "step at the rim:", np.round(rims, 1))  # fmt: skip
    assert all(mine < 0.5 * other for mine, other in zip(own, others, strict=True))
    assert max(rims) <= 6
