"""The embedded cut: right where it is sure, and not sure where it is wrong."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.engine import cutout_pictures as drawn
from tests.engine.matting_pictures import backdrop, composite, overlap
from tests.marks import long_but

from linocut.engine.tools import closed_form
from linocut.engine.tools.border_matting import BorderMatting, cut
from linocut.engine.tools.foreground import bled, freed
from linocut.errors import InvalidRequest

TOOL = BorderMatting()
SHAPES = ("disc", "mug", "star", "bust")


@pytest.mark.parametrize("kind", long_but(["plain"], ["plain", "graded", "noisy"]))
def test_a_plain_backdrop_is_cut_away(kind: str) -> None:
    """Every second object throws a shadow."""
    overlaps = []
    for number, shape in enumerate(SHAPES * 2):
        picture, mask = composite(shape, kind, seed=100 + number, shadow=number % 2 == 1)
        found = TOOL.run(picture)
        assert found.sure, found.doubts
        assert (found.alpha_HW.shape, found.alpha_HW.dtype) == (mask.shape, np.uint8)
        overlaps.append(overlap(found.alpha_HW, mask))
    assert min(overlaps) > 0.99
    assert sum(overlaps) / len(overlaps) > 0.995


@pytest.mark.parametrize("shape", long_but(["mug"], SHAPES))
def test_before_a_busy_backdrop_it_is_right_or_not_sure(shape: str) -> None:
    """Before blots of every colour: where the flood finds the outline all the same, it has found the object."""
    for seed in range(4):
        picture, mask = composite(shape, "busy", seed)
        found = TOOL.run(picture)
        if found.sure:
            assert overlap(found.alpha_HW, mask) > 0.7
        else:
            assert "not plain" in found.doubts[0]


@dataclass
class Figures:
    """Means over the composites of one ground and edge: ``overlap`` and ``error`` of the alpha, and how far the
    ``colours`` of the edge are from the object's own, of 255."""

    overlap: float
    error: float
    colours: float


LEAST = {
    ("flat", "hard"): Figures(0.99, 0.002, 6), ("flat", "hairy"): Figures(0.95, 0.012, 20),
    ("gradient", "hard"): Figures(0.99, 0.002, 6), ("gradient", "hairy"): Figures(0.95, 0.012, 20),
    ("textured", "hard"): Figures(0.99, 0.002, 6), ("textured", "hairy"): Figures(0.93, 0.02, 22),
    ("photo", "hard"): Figures(0.96, 0.01, 8), ("photo", "hairy"): Figures(0.88, 0.03, 27),
}  # fmt: skip


@pytest.mark.parametrize(("ground", "edge"), long_but([("flat", "hairy")], LEAST))
def test_alphas_and_colours_are_the_object_s(ground: str, edge: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside doing nothing (all of the picture is the object, its colours as they are), a hard mask, and the masks of
    other pictures."""
    wanted, found, nothing, hard, others = LEAST[ground, edge], [], [], [], []
    pictures = [drawn.composite(ground, edge, seed, side=320) for seed in range(3)]
    for number, one in enumerate(pictures):
        alpha_HW = TOOL.run(one.picture_HWC).alpha_HW
        cut_HWC = freed(one.picture_HWC, alpha_HW)
        assert (cut_HWC[alpha_HW == 255][:, :3] == one.picture_HWC[alpha_HW == 255]).all()
        assert (cut_HWC[alpha_HW == 0] == 0).all()
        whole = np.full_like(alpha_HW, 255)
        found.append(figures(one, alpha_HW, cut_HWC))
        nothing.append((*figures(one, whole, one.picture_HWC)[:2], figures(one, alpha_HW, one.picture_HWC)[2]))
        hard.append(drawn.error(np.where(alpha_HW > 127, 255, 0).astype(np.uint8), one.alpha_HW))
        others.append(drawn.overlap(alpha_HW, pictures[number - 1].alpha_HW))
    mean, before = (Figures(*np.mean(rows, axis=0)) for rows in (found, nothing))
    with capsys.disabled():
        print(f"\n{ground}, {edge}: {mean}; doing nothing: {before}; a hard mask's error: {np.mean(hard):.4f}")
    assert mean.overlap > wanted.overlap > 2 * before.overlap
    assert mean.error < wanted.error < before.error / 5
    assert mean.colours < wanted.colours
    assert mean.colours < 0.97 * before.colours
    assert ground == "photo" or mean.error < 0.6 * np.mean(hard)
    assert np.mean(others) < 0.9 * mean.overlap


def figures(one: drawn.Composite, alpha_HW: drawn.Levels, colours_HWC: drawn.Levels) -> tuple[float, float, float]:
    """Overlap, error, and the colours' distance where an edge is seen."""
    edge_HW = (one.alpha_HW > 25) & (one.alpha_HW < 230) & (alpha_HW > 25)
    off = np.abs(colours_HWC[..., :3].astype(float) - one.object_HWC)[edge_HW].mean()
    return drawn.overlap(alpha_HW, one.alpha_HW), drawn.error(alpha_HW, one.alpha_HW), float(off)


def test_the_closed_form_mends_a_wrong_guess_in_its_band_alone() -> None:
    """A straight edge two pixels wide, of which a guess of one half everywhere in the band knows nothing."""
    x = np.clip((np.arange(40) - 19) / 2.0, 0, 1)
    truth_HW = np.tile(x, (30, 1))
    colours_HWC = truth_HW[..., None] * [0.9, 0.2, 0.1] + (1 - truth_HW[..., None]) * [0.1, 0.3, 0.8]
    unknown_HW = np.zeros(truth_HW.shape, bool)
    unknown_HW[:, 15:26] = True
    guess_HW = np.where(unknown_HW, 0.5, truth_HW)
    after_HW = closed_form.solved(colours_HWC, guess_HW, unknown_HW, np.zeros_like(guess_HW))
    assert np.abs(after_HW - truth_HW).max() < 0.05 < np.abs(guess_HW - truth_HW).max()
    held_HW = closed_form.solved(colours_HWC, guess_HW, unknown_HW, np.full_like(guess_HW, 1e4))
    assert np.abs(held_HW - guess_HW).max() < 0.01
    assert closed_form.solved(colours_HWC, guess_HW, np.zeros_like(unknown_HW), guess_HW) is guess_HW


def test_stems_thinner_than_the_band_are_kept_and_the_gaps_between_them_too() -> None:
    picture = Image.new("RGB", (256, 256), (210, 200, 190))
    pen = ImageDraw.Draw(picture)
    for x in range(60, 200, 8):
        pen.line((x, 40, x, 180), fill=(30, 90, 40), width=2)
    pen.rectangle((60, 180, 196, 220), fill=(30, 90, 40))
    truth = (np.abs(np.asarray(picture).astype(int) - (210, 200, 190)).sum(-1) > 0).astype(np.uint8) * 255
    found = TOOL.run(np.asarray(picture))
    assert found.sure
    assert overlap(found.alpha_HW, truth) > 0.97


def test_a_stain_of_the_ground_is_no_object_and_a_key_tells_it_from_one() -> None:
    """What was drawn to be cut away is seldom quite plain; without the key its stains would stay."""
    rng = np.random.default_rng(5)
    picture = Image.new("RGB", (256, 256), (212, 40, 166))
    pen = ImageDraw.Draw(picture)
    for x, y in rng.integers(0, 250, (12, 2)):
        pen.ellipse((int(x), int(y), int(x) + 20, int(y) + 20), fill=(225, 52, 178))
    pen.ellipse((80, 70, 180, 190), fill=(240, 220, 60))
    truth = np.asarray(picture.split()[1].point(lambda level: 255 if level > 100 else 0))
    with_key, without = (cut(np.asarray(picture), key).alpha_HW for key in ((212, 40, 166), None))
    assert overlap(with_key, truth) > 0.98
    assert (with_key[truth == 0] > 25).mean() < 0.02 < (without[truth == 0] > 25).mean()


@pytest.mark.parametrize("kind", ["plain", "noisy"])
def test_nothing_to_cut_out_is_told(kind: str) -> None:
    found = TOOL.run(backdrop(kind, 3))
    assert found.doubts == ("No object stands out from the backdrop.",)


def test_an_object_that_is_everywhere_is_not_sure() -> None:
    picture = backdrop("plain", 3).copy()
    picture[20:, 20:-4] = (250, 20, 20)
    assert not TOOL.run(picture).sure


def test_a_large_picture_gets_a_mask_of_its_own_size() -> None:
    picture, mask = composite("star", "noisy", 7)
    large = np.asarray(Image.fromarray(picture).resize((1000, 1200)))
    found = TOOL.run(large)
    assert found.alpha_HW.shape == (1200, 1000)
    assert overlap(found.alpha_HW, np.asarray(Image.fromarray(mask).resize((1000, 1200)))) > 0.98
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


def test_nothing_dark_comes_from_under_the_transparency_when_a_cut_is_enlarged() -> None:
    """A bright disc, cut out, over black: with the colours drawn on under alpha 0 its edge stays bright."""
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((12, 12, 52, 52), fill=(250, 230, 40, 255))
    soft = np.asarray(picture.resize((96, 96), Image.Resampling.LANCZOS))
    after = bled(soft)
    assert (after[..., 3] == soft[..., 3]).all()
    assert (after[soft[..., 3] > 0] == soft[soft[..., 3] > 0]).all()
    seen = {name: np.asarray(Image.fromarray(rgba[..., :3]).resize((192, 192))) for name, rgba in
            (("bled", after), ("as it was", np.where(soft[..., 3:] > 0, soft, 0)))}  # fmt: skip
    edge = np.asarray(Image.fromarray(soft[..., 3]).resize((192, 192)))
    edge = (edge > 20) & (edge < 120)
    assert seen["bled"][edge][:, 0].min() > 200 > seen["as it was"][edge][:, 0].min()
