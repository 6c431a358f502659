"""Bucket arithmetic, as properties: right multiple, right shape, never squashed, never scaled up."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from linocut.sizes import MAX_BUCKET_ASPECT, bucket_for, cover_crop, native_size, parse_size

CONTRACT = json.loads((Path(__file__).parents[2] / "contract" / "contract.json").read_text())["components"]["schemas"]
SIDES = st.integers(1, 20_000)


def test_every_size_of_the_contract_keeps_its_shape_and_area() -> None:
    for size in CONTRACT["ResolutionV3"]["enum"] + CONTRACT["ResolutionV4"]["enum"]:
        width, height = parse_size(size)
        native_width, native_height = native_size(width, height, 128, 16)
        assert native_width % 16 == native_height % 16 == 0, size
        assert native_width / native_height == pytest.approx(width / height, rel=0.13), size
        assert 0.75 * 128**2 <= native_width * native_height <= 1.1 * 128**2, size


@given(SIDES, SIDES)
@example(27, 80)
def test_a_bucket_fits_the_grid_and_the_area(width: int, height: int) -> None:
    bucket_width, bucket_height = bucket_for(width, height, 128, 16)
    assert bucket_width % 16 == bucket_height % 16 == 0
    assert bucket_width >= 16
    assert bucket_height >= 16
    assert bucket_width * bucket_height <= 1.1 * 128**2
    assert max(bucket_width / bucket_height, bucket_height / bucket_width) <= MAX_BUCKET_ASPECT


@given(SIDES, SIDES)
def test_a_crop_covers_its_bucket_without_squashing(width: int, height: int) -> None:
    crop = cover_crop(width, height, bucket_for(width, height, 128, 16))
    assert 0 <= crop.left <= crop.scaled_width - crop.width
    assert 0 <= crop.top <= crop.scaled_height - crop.height
    assert crop.scaled_width == pytest.approx(width * crop.scaled_height / height, abs=1.5 * max(1, width / height))


@given(st.integers(16, 20_000), st.integers(16, 20_000))
@example(74, 222)
def test_nothing_is_scaled_up(width: int, height: int) -> None:
    crop = cover_crop(width, height, bucket_for(width, height, 128, 16))
    assert crop.scaled_width <= width
    assert crop.scaled_height <= height
