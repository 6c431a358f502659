"""Names, slugs and uris: what is taken, and that what goes out comes in again."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linocut.custom_models.slugs import candidates, check_name, parse_uri, slug_of, uri_of
from linocut.errors import InvalidRequest

NAMES = st.from_regex(r"[A-Za-z0-9 -]{5,30}", fullmatch=True).filter(lambda name: bool(name.strip(" -")))


@given(NAMES, st.integers(0, 10**6))
def test_every_allowed_name_gives_a_uri_that_parses_to_itself(name: str, version: int) -> None:
    check_name(name)
    for slug in islice(candidates(slug_of(name)), 12):
        assert parse_uri(uri_of(slug, version)) == (slug, version)


@given(NAMES)
def test_candidates_are_all_different_and_the_name_comes_first(name: str) -> None:
    first = list(islice(candidates(slug_of(name)), 50))
    assert first[0] == name.lower().strip(" -").replace(" ", "-")
    assert len(set(first)) == 50


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("House style", "house-style"),
        ("  House style  ", "house-style"),
        ("- House style -", "house-style"),
        ("--House-style--", "house-style"),
        ("House  style", "house--style"),
        ("   1   ", "1"),
    ],
)
def test_a_slug_has_no_hyphens_at_its_ends(name: str, slug: str) -> None:
    assert check_name(name) == name
    assert slug_of(name) == slug


@pytest.mark.parametrize("name", ["-----", "      ", "- - - -"])
def test_a_name_of_nothing_but_spaces_and_hyphens_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="model_name must hold a letter or a digit"):
        check_name(name)


@pytest.mark.parametrize(
    "name", ["abcd", "a" * 31, "tea_brand", "thé brand", "tea brand\n", "", "tea\tbrand", "tea/brand"]
)
def test_a_name_against_the_rule_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(InvalidRequest, match="model_name must be 5 to 30 letters, digits, spaces or hyphens"):
        check_name(name)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "tea",
        "model/tea",
        "model/tea/version/",
        "model/tea/version/01",
        "model/tea/version/-1",
        "model/Tea/version/1",
        "model/tea/version/1/",
        "model/tea/version/1\n",
        "model/../version/1",
        "model/tea/version/99999999999",
        "model/" + "a" * 65 + "/version/1",
        " model/tea/version/1",
    ],
)
def test_anything_else_than_a_uri_is_refused_and_told_where_to_find_one(uri: str) -> None:
    with pytest.raises(InvalidRequest, match="custom_model_uri must have the form model/<name>/version/<number>"):
        parse_uri(uri)


CONFUSABLE = {
    "Cyrillic": "t\u0435\u0430 posters",
    "Greek": "\u03c4ea posters",
    "full width": "\uff54ea posters",
    "a Kelvin sign": "tea\u212aettle",
    "a long s": "tea po\u017fters",
    "a ligature": "tea \ufb01sh five",
    "an accent of its own": "te\u0301a posters",
    "no width": "tea\u200bposters",
    "another direction": "\u202etea posters",
    "another hyphen": "tea\u2011posters",
    "another space": "tea\u00a0posters",
    "another digit": "tea posters \u0661",
    "a NUL": "tea\x00posters",
    "a path": "../../tea",
    "a folder": "tea/posters",
    "Windows": "tea\\posters",
    "300 letters": "a" * 300,
}


@pytest.mark.parametrize("name", CONFUSABLE.values(), ids=CONFUSABLE)
def test_a_name_that_only_looks_like_another_is_no_name(name: str) -> None:
    """Neither for a model nor in a uri: nothing is folded, so nothing meets."""
    with pytest.raises(InvalidRequest, match="name must be 5 to 30 letters"):
        check_name(name, "name")
    with pytest.raises(InvalidRequest, match="custom_model_uri must have the form"):
        parse_uri(f"model/{name.replace(' ', '-')}/version/1")


@pytest.mark.parametrize(
    "uri",
    [
        "model/tea/version/\u0661", "model/tea/version/01", "model/tea/version/-1", "model/tea/version/1 ",
        "MODEL/tea/version/1", "model/Tea/version/1", "model/tea/version/1/../2", "model/tea/version/1\n",
        "model/tea/version/" + "9" * 10,
    ],
)  # fmt: skip
def test_a_version_has_one_spelling(uri: str) -> None:
    with pytest.raises(InvalidRequest, match="custom_model_uri must have the form"):
        parse_uri(uri)


def test_two_spellings_of_one_name_are_one_slug() -> None:
    """Case and spaces are no difference: so they are versions of one owner's, and another's gets a number."""
    assert {slug_of(name) for name in ("Tea posters", "TEA POSTERS", "tea-posters", " tea posters ")} == {"tea-posters"}
    assert list(islice(candidates("tea-posters"), 3)) == ["tea-posters", "tea-posters-2", "tea-posters-3"]
