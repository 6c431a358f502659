"""Tiles cover a picture, fit the base's cells, overlap, and are put together without seams."""

import itertools

import numpy as np
import pytest

from linocut.engine.tiles import Changes, is_flat, tiling

SIZES = [(128, 128), (40, 24), (129, 127), (256, 96), (500, 333), (2048, 2048), (16, 1000)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(("side", "multiple"), [(128, 16), (1024, 16), (512, 32)])
def test_tiles_cover_the_picture_on_the_grid(width: int, height: int, side: int, multiple: int) -> None:
    plan = tiling(width, height, side, multiple)
    rows, columns = plan.padded
    assert rows - multiple < height <= rows
    assert columns - multiple < width <= columns
    covered = np.zeros((rows, columns), np.int32)
    for tile in plan.tiles:
        assert not {tile.top % multiple, tile.left % multiple, tile.height % multiple, tile.width % multiple} - {0}
        assert max(tile.height, tile.width) <= side
        covered[tile.place] += 1
    assert covered.min() >= 1
    if columns > side:  # neighbours overlap: no column but at the rim lies in the middle of nothing
        starts = sorted({tile.left for tile in plan.tiles})
        assert max(b - a for a, b in itertools.pairwise(starts)) <= side - multiple
    assert len({(tile.height, tile.width) for tile in plan.tiles}) == 1


def test_the_rim_is_repeated_and_cut_off_again() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (30, 45, 3), dtype=np.uint8)
    plan = tiling(45, 30, 128, 16)
    padded = plan.padding(picture)
    assert padded.shape == (32, 48, 3)
    assert (padded[30:, :45] == picture[29:30]).all()
    changes = Changes(plan)
    for tile in plan.tiles:
        changes.add(tile, None)
    assert (changes.applied(picture, 1.0) == picture).all()


def test_tiles_that_say_the_same_leave_no_seam_and_others_fade() -> None:
    picture = np.full((400, 400, 3), 100, np.uint8)
    plan = tiling(400, 400, 128, 16)
    same, other = Changes(plan), Changes(plan)
    rng = np.random.default_rng(2)
    for tile in plan.tiles:
        same.add(tile, np.full((tile.height, tile.width, 3), 20, np.float32))
        other.add(tile, np.full((tile.height, tile.width, 3), rng.uniform(-30, 30), np.float32))
    assert (same.applied(picture, 1.0) == 120).all()
    stitched = other.applied(picture, 1.0).astype(int)
    steps = max(np.abs(np.diff(stitched, axis=axis)).max() for axis in (0, 1))
    print(f"largest step between neighbours: {steps} of tiles that differ by up to 60")
    assert stitched.std() > 5
    assert steps <= 8


def test_what_is_fine_is_multiplied_without_halos() -> None:
    picture = np.zeros((64, 600, 3), np.uint8)
    picture[:, 300:] = 200
    picture[:, 298:302] = np.array([40, 80, 120, 160], np.uint8)[None, :, None]
    plan = tiling(600, 64, 128, 16)
    changes = Changes(plan)
    for tile in plan.tiles:
        changes.add(tile, None)
    steep = [
        int(np.abs(np.diff(changes.applied(picture, sharper).astype(int), axis=1)).max()) for sharper in (0.5, 1.0, 1.8)
    ]
    assert steep[0] < steep[1] < steep[2], steep
    assert changes.applied(picture, 1.8).max() == 200
    assert changes.applied(picture, 1.8).min() == 0


def test_a_tile_of_one_colour_is_told() -> None:
    picture = np.full((16, 16, 3), 50, np.uint8)
    assert is_flat(picture)
    picture[3, 3] = 52
    assert is_flat(picture)
    picture[3, 3, 1] = 53
    assert not is_flat(picture)
