"""Names from strangers: a base name, printable, of bounded length, never empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linocut.datasets.names import clean_name, free_name, stem_of, suffix_of


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("sunset.jpg", "sunset.jpg"),
        ("../../etc/passwd.png", "passwd.png"),
        ("/etc/passwd", "passwd"),
        ("C:\\fakepath\\sunset.jpg", "sunset.jpg"),
        ("a/b\\c.png", "c.png"),
        ("cafe\u0301.png", "caf\u00e9.png"),
        ("cafe\x07\u0301.png", "caf\u00e9.png"),
        ("日の出.png", "日の出.png"),
        ("a\x00b\nc\x1b.png", "abc.png"),
        ("gpj\u202eexe.png", "gpjexe.png"),
        ("\ud800x.png", "x.png"),
        ("  spaces .png ", "spaces .png"),
        ("", "unnamed"),
        (".", "unnamed"),
        ("..", "unnamed"),
        ("folder/", "unnamed"),
        ("\x00", "unnamed"),
        (".png", ".png"),
        ("blob", "blob"),
        ("a.b.c.txt", "a.b.c.txt"),
    ],
)
def test_clean_name(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


def test_a_long_name_is_cut_and_still_pairs_with_its_caption() -> None:
    picture, caption = clean_name("é" * 300 + ".png"), clean_name("é" * 300 + ".txt")
    assert len(picture) <= 220
    assert picture.endswith(".png")
    assert stem_of(picture) == stem_of(caption)
    assert stem_of(picture) != stem_of(clean_name("é" * 301 + ".png"))
    assert clean_name("x." + "y" * 300) == clean_name("x." + "y" * 300)
    assert len(clean_name("x." + "y" * 300)) <= 220


@pytest.mark.parametrize(
    ("name", "stem", "suffix"),
    [
        ("a.PNG", "a", ".png"),
        ("a.b.txt", "a.b", ".txt"),
        (".png", ".png", ""),
        ("blob", "blob", ""),
        ("a.", "a", "."),
    ],
)
def test_stem_and_suffix(name: str, stem: str, suffix: str) -> None:
    assert (stem_of(name), suffix_of(name)) == (stem, suffix)


def test_the_first_free_number() -> None:
    assert free_name("blob.png", set()) == "blob.png"
    assert free_name("blob.png", {"blob.png"}) == "blob (2).png"
    assert free_name("blob.png", {"blob.png", "blob (2).png", "blob (4).png"}) == "blob (3).png"
    assert free_name("blob", {"blob"}) == "blob (2)"


@given(st.text(max_size=600))
def test_any_name_becomes_one_that_can_be_kept(name: str) -> None:
    kept = clean_name(name)
    assert 1 <= len(kept) <= 220
    assert not {"/", "\\", "\0"} & set(kept)
    kept.encode()
    assert clean_name(kept) == kept
    assert len(free_name(kept, {kept})) <= 255
