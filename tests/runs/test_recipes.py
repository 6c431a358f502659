"""The dial: dataset size in, every number of a run out."""

import math
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runs.workshop import BASE

from linocut.errors import InvalidRequest
from linocut.orders import TrainSample
from linocut.runs import recipes
from linocut.runs.types import AdvancedAsk

SIZES = st.integers(1, 100)


def samples(count: int, salt: str = "") -> tuple[TrainSample, ...]:
    return tuple(
        TrainSample(image_sha256=f"{salt}{n:064x}"[-64:], width=64, height=64, caption=f"caption {n}")
        for n in range(count)
    )


def test_the_typical_dataset_gets_the_base_s_own_numbers() -> None:
    recipe, own = recipes.plain(BASE, recipes.TYPICAL_IMAGES), BASE.training
    assert (recipe.steps, recipe.rank, recipe.learning_rate, recipe.ema) == (
        own.training_steps,
        own.lora_rank,
        own.learning_rate,
        own.ema,
    )
    assert (recipe.warmup_steps, recipe.alpha) == (own.warmup_steps, recipe.rank)


@given(SIZES)
def test_more_pictures_never_get_fewer_steps_and_stay_within_the_curve(count: int) -> None:
    recipe, more = recipes.plain(BASE, count), recipes.plain(BASE, count + 1)
    assert recipe.steps <= more.steps
    own = BASE.training.training_steps
    assert own * 600 / 1300 - 5 <= recipe.steps <= own * 2500 / 1300 + 5


@given(SIZES, st.integers(1, 100).map(lambda n: n * 100))
def test_checkpoints_fall_on_fixed_steps_about_ten_a_run(count: int, steps: int) -> None:
    for recipe in (recipes.plain(BASE, count), recipes.advanced(BASE, count, training_steps=steps)):
        assert 1 <= recipe.checkpoint_every <= recipe.steps
        assert 10 <= recipe.steps // recipe.checkpoint_every <= 19
        assert recipe.preview_every % recipe.checkpoint_every == 0
        assert 1 <= recipe.warmup_steps <= max(1, recipe.steps // 10)
        assert all(
            math.isfinite(value) and value >= 0 for value in asdict(recipe).values() if value != recipe.sigma_mean
        )


def test_the_advanced_route_has_the_contract_s_defaults_and_the_base_s_where_it_has_none() -> None:
    recipe = recipes.advanced(BASE, 20)
    assert (recipe.steps, recipe.rank, recipe.alpha) == (1000, 128, 128.0)
    assert (recipe.ema, recipe.learning_rate) == (BASE.training.ema, BASE.training.learning_rate)
    given_all = recipes.advanced(BASE, 20, 300, 64, 0.999, 2e-5)
    assert (given_all.steps, given_all.rank, given_all.ema, given_all.learning_rate) == (300, 64, 0.999, 2e-5)
    assert recipe.batch_size == given_all.batch_size == BASE.training.batch_size
    assert recipes.for_ask(BASE, 20, AdvancedAsk(batch_size=7)) == replace(recipe, batch_size=7)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("training_steps", 0),
        ("training_steps", 50),
        ("training_steps", 150),
        ("training_steps", 10_100),
        ("lora_rank", 32),
        ("lora_rank", 0),
        ("ema", 0.0),
        ("ema", 1.0),
        ("ema", math.nan),
        ("learning_rate", 0.0),
        ("learning_rate", -1e-4),
        ("learning_rate", math.inf),
        ("learning_rate", math.nan),
        ("batch_size", 0),
        ("batch_size", 65),
    ],
)
def test_a_number_out_of_range_is_refused_by_its_name(field: str, value: float) -> None:
    with pytest.raises(InvalidRequest, match=field):
        recipes.for_ask(BASE, 20, replace(AdvancedAsk(), **{field: value}))


@given(SIZES)
def test_a_tenth_is_held_out_at_least_one_at_most_eight_never_all(count: int) -> None:
    held_out = recipes.holdout_of(samples(count))
    assert list(held_out) == sorted(set(held_out))
    assert len(held_out) == (0 if count == 1 else min(8, max(1, round(count / 10))))
    assert len(held_out) < count


@given(st.permutations(range(30)))
def test_what_is_held_out_depends_on_content_not_on_order(order: list[int]) -> None:
    known = samples(30)
    shuffled = [known[place] for place in order]
    assert {shuffled[i].image_sha256 for i in recipes.holdout_of(shuffled)} == {
        known[i].image_sha256 for i in recipes.holdout_of(known)
    }


def test_another_picture_moves_at_most_one_held_out_picture() -> None:
    known = samples(39)
    before = {known[i].image_sha256 for i in recipes.holdout_of(known[:38])}
    after = {known[i].image_sha256 for i in recipes.holdout_of(known)}
    assert len(before - after) <= 1


def test_previews_draw_held_out_captions_first_with_the_same_seeds_in_every_run() -> None:
    known = samples(30)
    previews = recipes.previews_of(known, (4, 9, 20))
    assert [preview.caption for preview in previews] == ["caption 4", "caption 9", "caption 20"]
    assert [preview.seed for preview in previews] == [101, 102, 103]
    one_caption = [replace_caption(sample, "same") for sample in known]
    assert [preview.caption for preview in recipes.previews_of(one_caption, (1,))] == ["same"] * 3


@pytest.mark.parametrize(("times", "is_told"), [(1, False), (100, False), (101, True), (1e30, True)])
def test_a_learning_rate_far_above_the_base_s_own_is_told(times: float, is_told: bool) -> None:
    note = recipes.note_on_rate(BASE, BASE.training.learning_rate * times)
    assert ("is more than 100 times the base's own (0.001)" in note) is is_told
    assert bool(note) is is_told


def replace_caption(sample: TrainSample, caption: str) -> TrainSample:
    return TrainSample(image_sha256=sample.image_sha256, width=64, height=64, caption=caption)
