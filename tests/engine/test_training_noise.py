"""Randomness that needs no memory: what a draw gives depends on what it is for."""

import numpy as np
import pytest
import torch

from linocut.engine.noise import normals, permutation, start_noise, uniforms


def test_the_numbers_are_those_of_yesterday() -> None:
    """A release that changes these changes every image and every resumed run."""
    assert uniforms(3, "pinned", 7).tolist() == pytest.approx(
        [0.05338890580026179, 0.3582975031071972, 0.34194744802005206], abs=1e-15
    )
    assert start_noise(7, (1, 3))[0].tolist() == pytest.approx([-0.61281818, 0.16085193, -2.03875709], abs=1e-6)
    assert permutation(6, "pinned", 7) == [0, 3, 2, 1, 4, 5]


def test_a_draw_does_not_depend_on_the_draws_before_it() -> None:
    first = normals((5, 3), "a", 1)
    normals((100,), "b", 2)
    assert torch.equal(first, normals((5, 3), "a", 1))


def test_a_longer_draw_begins_like_a_shorter_one() -> None:
    assert torch.equal(normals((10,), "a")[:5], normals((5,), "a"))


@pytest.mark.parametrize(
    ("one", "other"),
    [(("a", 1), ("a", 2)), (("a", 12), ("a1", 2)), (("a", 1, 2), ("a", 12)), (("1",), (1,)), ((-1,), (2**64 - 1,))],
)
def test_streams_of_different_names_differ(one: tuple[int | str, ...], other: tuple[int | str, ...]) -> None:
    assert not np.array_equal(uniforms(4, *one), uniforms(4, *other))


def test_normals_are_normal() -> None:
    sample = normals((200_000,), "moments").double()
    assert sample.dtype == torch.float64
    assert abs(float(sample.mean())) < 0.01
    assert abs(float(sample.std()) - 1.0) < 0.01
    assert abs(float((sample**4).mean()) - 3.0) < 0.06
    neighbours = torch.stack([sample[:-1], sample[1:]])
    assert abs(float(torch.corrcoef(neighbours)[0, 1])) < 0.01


def test_uniforms_stay_inside_the_open_interval() -> None:
    numbers = uniforms(100_000, "range")
    assert 0.0 < numbers.min() < 0.001
    assert 0.999 < numbers.max() < 1.0


def test_permutations_are_fair() -> None:
    """Each of four items comes first about equally often."""
    counts = np.bincount([permutation(4, "fair", trial)[0] for trial in range(4000)], minlength=4)
    assert counts.min() > 900
    assert sorted(permutation(50, "whole")) == list(range(50))


def test_start_noise_is_float32_of_the_asked_shape() -> None:
    noise = start_noise(2**31 - 1, (7, 5))
    assert noise.shape == (7, 5)
    assert noise.dtype == torch.float32
