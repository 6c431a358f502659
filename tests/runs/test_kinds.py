"""Kinds of datasets: told or guessed, and what a base's recipe makes of them."""

import json

import msgspec
import pytest

from linocut.bases import MINI, Base, load_base
from linocut.bases.known import catalogue
from linocut.bases.types import DATASET_KINDS, DatasetKind
from linocut.runs import recipes
from linocut.runs.kinds import guess, kind_for
from linocut.runs.types import AdvancedAsk


def base_of(name: str) -> Base:
    return msgspec.convert({**catalogue()[name].facts, "identity": name}, Base)


IDEOGRAM, TURBO = base_of("ideogram-4"), base_of("z-image-turbo")
THINGS = (
    "a fox in snow",
    "two ships",
    "market at dawn",
    "an owl",
    "mountain lake",
    "old tram",
    "three pears",
    "harbour",
)
CHARACTER = [f"Mirela, a woman {how}" for how in ("at sea", "in a cafe", "reading", "on a horse", "smiling", "asleep")]


@pytest.mark.parametrize(("captions", "kind"), [
    ([f"{thing}, in the style of a linocut" for thing in THINGS], "style"),
    (THINGS, "style"),
    ([f"my ceramic teapot {where}" for where in ("on a table", "in grass", "by a window", "out", "alone")], "subject"),
    (CHARACTER, "character"),
    ([json.dumps({"high_level_description": caption}) for caption in CHARACTER], "character"),
    (CHARACTER[:4], None),
    ([""] * 20, None),
    (["a cup"] * 20, None),
    ([*CHARACTER[:3], *THINGS[:3]], None),
    (["{", *THINGS], "style"),
])  # fmt: skip
def test_a_kind_is_guessed_from_captions_where_they_tell(captions: list[str], kind: DatasetKind | None) -> None:
    assert guess(captions) == kind


def test_what_is_said_counts_and_a_guess_is_told() -> None:
    assert kind_for(IDEOGRAM, "subject", CHARACTER).kind == "subject"
    assert kind_for(IDEOGRAM, "subject", CHARACTER).note == ""
    guessed = kind_for(IDEOGRAM, None, CHARACTER)
    assert guessed.kind == "character"
    assert "taken for one of a character" in guessed.note
    assert "x_linocut.dataset_kind" in guessed.note
    assert kind_for(IDEOGRAM, None, CHARACTER[:3]) == kind_for(IDEOGRAM, None, [])
    mini = load_base(MINI)
    assert kind_for(mini, None, CHARACTER).kind is None, "no guess where nothing would be done otherwise"
    assert "one recipe for every kind" in kind_for(mini, "style", CHARACTER).note
    assert recipes.for_ask(mini, 20, None, "style") == recipes.plain(mini, 20)


def test_each_family_has_an_answer_to_each_kind_and_none_without() -> None:
    for name in catalogue():
        base = base_of(name)
        assert set(base.training.kinds) == set(DATASET_KINDS), name
        bare = recipes.plain(base, 20)
        found = {kind: recipes.for_ask(base, 20, None, kind) for kind in DATASET_KINDS}
        assert found["style"].steps == 10 * round(bare.steps * 0.8 / 10)
        assert found["subject"].steps == bare.steps
        assert found["character"].steps == 10 * round(bare.steps * 1.2 / 10)
        assert (
            found["style"].sigma_mean < bare.sigma_mean < found["subject"].sigma_mean == found["character"].sigma_mean
        )
        assert bare == recipes.for_ask(base, 20, None, None)


@pytest.mark.parametrize(("pictures", "factor", "rate"), [(15, 1.0, 1e-4), (14, 0.7, 5e-5)])
def test_a_few_pictures_of_a_thing_are_soon_learned(pictures: int, factor: float, rate: float) -> None:
    bare, subject = recipes.plain(IDEOGRAM, pictures), recipes.plain(IDEOGRAM, pictures, "subject")
    assert (subject.steps, subject.learning_rate) == (10 * round(bare.steps * factor / 10), rate)
    assert recipes.plain(TURBO, pictures, "subject").learning_rate == TURBO.training.learning_rate


def test_numbers_of_the_client_s_stay_its_own() -> None:
    bare, style = (recipes.for_ask(IDEOGRAM, 20, AdvancedAsk(), kind) for kind in (None, "style"))
    assert (style.steps, style.rank, style.learning_rate) == (bare.steps, bare.rank, bare.learning_rate)
    assert round(bare.sigma_mean - style.sigma_mean, 6) == 0.35
