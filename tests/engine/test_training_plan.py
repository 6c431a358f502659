"""What happens in a step: fair, stratified, and a function of (order, step)."""

from collections import Counter
from math import log
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.training_support import dataset, train_order

from linocut.engine.training.plan import (
    LEVELS,
    SCORED_SAMPLES,
    SIGMA_RANGE,
    learning_rate,
    micro_batches,
    scored_samples,
    scoring_draws,
    step_draws,
    trained_samples,
)

_, SAMPLES = dataset()
KEYS = [f"key {i}" for i in range(5)]


def quantile(sigma: float) -> float:
    """Where a noise level lies in the order's density (mean 0, deviation 1)."""
    return NormalDist().cdf(log(sigma / (1 - sigma)))


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 12), batch=st.integers(1, 9), steps=st.integers(1, 15), seed=st.integers(0, 2**31 - 1))
def test_every_sample_is_seen_equally_often(count: int, batch: int, steps: int, seed: int) -> None:
    order = train_order(SAMPLES, batch_size=batch, seed=seed)
    keys = [f"key {i}" for i in range(count)]
    seen = Counter(draw.sample for step in range(steps) for draw in step_draws(order, keys, step))
    times = [seen[i] for i in range(count)]
    assert sum(times) == steps * batch
    assert max(times) - min(times) <= 1


def test_each_epoch_has_its_own_order() -> None:
    order = train_order(SAMPLES, batch_size=5)
    epochs = {tuple(draw.sample for draw in step_draws(order, KEYS, step)) for step in range(10)}
    assert len(epochs) > 7


def test_a_step_is_the_same_whatever_came_before_it() -> None:
    order = train_order(SAMPLES)
    again = [step_draws(order, KEYS, step) for step in (9, 3, 7)]
    assert again == [[step_draws(order, KEYS, step) for step in range(12)][step] for step in (9, 3, 7)]


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_noise_levels_are_stratified_over_the_batch(batch: int) -> None:
    order = train_order(SAMPLES, batch_size=batch)
    for step in range(20):
        strata = sorted(int(quantile(draw.sigma) * batch) for draw in step_draws(order, KEYS, step))
        assert strata == list(range(batch))


def test_a_sample_is_not_tied_to_a_stratum() -> None:
    order = train_order(SAMPLES, batch_size=5)
    levels = [draw.sigma for step in range(200) for draw in step_draws(order, KEYS, step) if draw.sample == 0]
    assert sum(quantile(level) for level in levels) / len(levels) == pytest.approx(0.5, abs=0.07)


def test_a_sample_drawn_twice_in_a_step_gets_two_turns() -> None:
    order = train_order(SAMPLES, batch_size=6)
    turns = [(draw.key, draw.turn) for draw in step_draws(order, KEYS[:2], 0)]
    assert len(set(turns)) == 6


def test_caption_dropout_is_its_share() -> None:
    order = train_order(SAMPLES, caption_dropout=0.2, batch_size=8)
    dropped = [draw.dropped for step in range(300) for draw in step_draws(order, KEYS, step)]
    assert sum(dropped) / len(dropped) == pytest.approx(0.2, abs=0.03)
    never = train_order(SAMPLES, caption_dropout=0.0)
    assert not any(draw.dropped for step in range(100) for draw in step_draws(never, KEYS, step))


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1e6), (1e4, 1.0), (-1e4, 1.0), (0.0, 0.0)])
def test_noise_levels_stay_in_the_schedules_range(mean: float, std: float) -> None:
    order = train_order(SAMPLES, sigma_mean=mean, sigma_std=std)
    for draw in step_draws(order, KEYS, 0) + scoring_draws(order, KEYS):
        assert SIGMA_RANGE[0] <= draw.sigma <= SIGMA_RANGE[1]


def test_the_rate_warms_up_linearly_and_stays() -> None:
    order = train_order(SAMPLES, learning_rate=0.1, warmup_steps=4)
    assert [learning_rate(order, step, 1.0) for step in range(6)] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1])
    assert learning_rate(order, 5, 0.5) == pytest.approx(0.05)
    assert learning_rate(train_order(SAMPLES, learning_rate=0.1, warmup_steps=0), 0, 1.0) == pytest.approx(0.1)


def test_micro_batches_hold_one_grid_each_and_every_draw_once() -> None:
    order = train_order(SAMPLES, batch_size=11)
    grids = [(3, 3), (2, 4), (3, 3), (4, 2), (2, 4)]
    draws = step_draws(order, KEYS, 4)
    groups = micro_batches(draws, grids, 2)
    assert all(len({grids[draw.sample] for draw in group}) == 1 for group in groups)
    assert all(len(group) <= 2 for group in groups)
    assert Counter(draw for group in groups for draw in group) == Counter(draws)


def test_held_out_pictures_are_never_learned_from() -> None:
    order = train_order(SAMPLES, holdout=(1, 4))
    assert trained_samples(order) == [0, 2, 3, 5, 6]
    assert scored_samples(order) == [1, 4]


def test_without_holdout_the_score_is_taken_on_a_fixed_few() -> None:
    _, many = dataset(12)
    order = train_order(many, holdout=())
    assert scored_samples(order) == list(range(SCORED_SAMPLES))
    assert trained_samples(order) == list(range(12))


def test_scoring_visits_the_whole_density_with_every_picture() -> None:
    order = train_order(SAMPLES)
    draws = scoring_draws(order, KEYS[:2])
    for sample in range(2):
        strata = [int(quantile(draw.sigma) * LEVELS) for draw in draws if draw.sample == sample]
        assert strata == list(range(LEVELS))
    assert not any(draw.dropped for draw in draws)


@pytest.mark.parametrize(("pictures", "levels"), [(1, 8), (8, 8), (10, 6), (16, 4), (40, 2)])
def test_many_pictures_are_scored_at_fewer_levels(pictures: int, levels: int) -> None:
    assert len(scoring_draws(train_order(SAMPLES), [f"key {i}" for i in range(pictures)])) == pictures * levels
