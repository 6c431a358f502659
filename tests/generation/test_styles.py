"""The table of styles: every published name has a look of its own, and every code one that never changes."""

from itertools import combinations
from typing import get_args

import pytest

from linocut.bases import MINI, load_base
from linocut.dress import Dress, worn_together
from linocut.errors import InvalidRequest
from linocut.generation.looks import check_look, dress_of, palette_of
from linocut.generation.styles import PALETTES, PRESETS, TYPES, of_code, of_codes
from linocut.generation.types import Look
from linocut.runtime import in_a_look, worded
from linocut.wire.enums import ColorPalettePresetName, StylePresetV3, StyleType, StyleTypeV3

GROUNDS = {
    "plain", "gradient", "horizontal gradient", "radial gradient", "stripes", "vertical stripes", "diagonal stripes",
    "dots", "checks", "paper", "rays",
}  # fmt: skip


def test_every_published_name_has_a_look_of_its_own() -> None:
    assert set(PRESETS) == set(get_args(StylePresetV3))
    assert set(TYPES) == {*get_args(StyleTypeV3), *get_args(StyleType)}
    assert set(PALETTES) == set(get_args(ColorPalettePresetName))
    assert len({(one.manner, one.palette, one.ground) for one in PRESETS.values()}) == len(PRESETS) == 62
    assert len({one.manner for one in PRESETS.values()}) == 62
    for name, one in PRESETS.items():
        assert one.ground in GROUNDS, name
        assert all((one.aesthetics, one.lighting, one.medium, one.manner)), name
        assert one.is_photo == (one.medium == "photograph"), name


@pytest.mark.parametrize("palette", [*PALETTES.values(), *(one.palette for one in PRESETS.values())])
def test_a_palette_falls_from_its_heaviest_colour(palette: tuple[tuple[str, float], ...]) -> None:
    weights = [weight for _, weight in palette]
    assert weights == sorted(weights, reverse=True)
    assert all(len(colour) == 7 and colour == colour.upper() for colour, _ in palette)
    assert len({colour for colour, _ in palette}) == len(palette) >= 2


def test_a_code_s_look_is_documented_and_stays() -> None:
    """What a version has once drawn for a code, every later one draws: these are promises, not measurements."""
    look = of_code("ABCD1234")
    assert look == of_code("abcd1234")
    assert (look.medium, look.manner, look.lighting) == ("illustration", "crayon drawing", "studio softbox")
    assert (look.ground, look.aesthetics, look.face) == ("horizontal gradient", "bold", "bold serif")
    assert (look.outlined, look.border) == (True, False)
    assert [colour for colour, _ in look.palette] == ["#D8ACE3", "#AC4DC3", "#183D15", "#2FDF20"]


def test_every_digit_of_a_code_counts_in_what_a_base_without_words_draws() -> None:
    drawn = []
    for place in range(8):
        code = "5A5A5A5A"
        changed = code[:place] + "6" + code[place + 1 :]
        one, other = of_code(code), of_code(changed)
        assert (one.palette[:3], one.ground) != (other.palette[:3], other.ground), place
        drawn.append(other.palette)
    assert all(one != other for one, other in combinations([drawn[i] for i in (0, 1, 2, 3, 6, 7)], 2))


def test_several_codes_are_their_words_together_and_their_colours_in_turn() -> None:
    one, other, both = of_code("00000000"), of_code("FFFFFFFF"), of_codes(("00000000", "FFFFFFFF"))
    assert both.manner == f"{one.manner}, {other.manner}"
    assert [colour for colour, _ in both.palette][:2] == [one.palette[0][0], other.palette[0][0]]
    assert both.ground == one.ground
    assert not both.is_photo


def test_colours_that_the_client_names_take_the_place_of_a_style_s() -> None:
    look = Look(style_preset="POP_ART", style_type="REALISTIC", palette=(("#111111", 0.7), ("#EEEEEE", 0.3)))
    worn = dress_of(look, own_model=False, looks_at_them=False)
    assert (worn.palette, worn.insists, worn.ground) == (look.palette, True, "dots")
    assert worn.names == ("style_preset POP_ART", "style_type REALISTIC", "color_palette")
    assert dress_of(look, own_model=True, looks_at_them=False).names == ("style_preset POP_ART", "color_palette")
    assert dress_of(Look(style_type="AUTO"), own_model=False, looks_at_them=False) == Dress() == worn_together([])


def test_an_empty_palette_asks_for_nothing() -> None:
    assert palette_of({}) == ()
    assert palette_of({"name": None, "members": [{"color_hex": "#0f0"}]}) == (("#00FF00", 1.0),)


@pytest.mark.parametrize(("count", "fits"), [(1, True), (8, True), (0, False), (9, False)])
def test_a_palette_has_one_to_eight_colours(count: int, fits: bool) -> None:
    members = [{"color_hex": f"#{number}{number}{number}"} for number in range(count)]
    if fits:
        assert len(palette_of({"members": members})) == count
    else:
        with pytest.raises(InvalidRequest, match="1 to 8 colours"):
            palette_of({"members": members})


@pytest.mark.parametrize(("references", "fits"), [(10, True), (11, False)])
def test_ten_references_at_most(references: int, fits: bool) -> None:
    if fits:
        check_look(Look(), references, 0, 0)
    else:
        with pytest.raises(InvalidRequest, match="at most 10 files"):
            check_look(Look(), references, 0, 0)


@pytest.mark.parametrize(("characters", "masks", "fits"), [(1, 0, True), (1, 1, True), (0, 1, False), (1, 2, False)])
def test_as_many_masks_as_characters(characters: int, masks: int, fits: bool) -> None:
    if fits:
        check_look(Look(), 0, characters, masks)
    else:
        with pytest.raises(InvalidRequest, match="Send as many masks"):
            check_look(Look(), 0, characters, masks)


def test_a_look_that_nobody_named_has_no_note() -> None:
    """A character is words for the base, and no style of which it could take a part."""
    base = load_base(MINI)
    said = worded(base, "a cat", 1024, 1024, make_up=False)
    character = Dress(aesthetics="with the character of reference image 1")
    named = Dress(aesthetics="flat", names=("style_preset AURA",))
    assert in_a_look(base, said, "a cat", character).notes == ()
    [note] = in_a_look(base, said, "a cat", worn_together([named, named, character])).notes
    assert note.startswith("style_preset AURA: the base draws flat posters only;")
