"""Instructions in further words: what is spared, what comes instead, and what goes beside another thing."""

from typing import Any

import pytest
from tests.pace import paced_seconds
from tests.prompting.test_revising import CIRCLE, CUP, STAR, TEA, descs, done

from linocut.errors import InvalidRequest
from linocut.prompting import Revised
from linocut.prompting.boxes import shared
from linocut.prompting.instructions import read_instruction

CAT: dict[str, Any] = {**STAR, "bbox": [500, 100, 800, 400], "desc": "a white cat", "color_palette": ["#FFFFFF"]}
RECTANGLE: dict[str, Any] = {**CIRCLE, "bbox": [400, 300, 700, 700], "desc": "a red rectangle"}


def boxes(revised: Revised) -> list[list[int]]:
    return [one["bbox"] for one in revised.caption["compositional_deconstruction"]["elements"]]


def ground(revised: Revised) -> str:
    return str(revised.caption["compositional_deconstruction"]["background"])


def told(revised: Revised) -> list[str]:
    """The notes on what was not done."""
    return [note for note in revised.notes if not note.startswith("Understood: ")]


@pytest.mark.parametrize(("instruction", "left"), [
    ("remove everything but the star", ["a yellow star"]),
    ("Remove everything except the text.", ["TEA"]),
    ("delete all except the star and the text", ["a yellow star", "TEA"]),
    ("erase anything but the circle", ["a red circle"]),
    ("remove everything besides the star", ["a yellow star"]),
    ("remove everything apart from TEA", ["TEA"]),
    ('drop everything other than "TEA"', ["TEA"]),
    ("remove everything, except for the red circle, the star.", ["a red circle", "a yellow star"]),
    ("remove everything that is not a star", ["a yellow star"]),
    ("remove everything that isn't red", ["a red circle"]),
    ("remove all shapes except the star", ["a yellow star", "TEA"]),
    ("remove everything but the background", []),
    ("REMOVE EVERYTHING BUT THE STAR", ["a yellow star"]),
    ("remove all but the star and make it blue", ["a blue star"]),
    ("remove everything but keep the star", ["a yellow star"]),
    ("keep only the star", ["a yellow star"]),
    ("leave only the star and the text", ["a yellow star", "TEA"]),
    ("leave nothing but TEA", ["TEA"]),
    ("only keep the star", ["a yellow star"]),
    ("keep the star and the text only", ["a yellow star", "TEA"]),
    ("keep the star and remove everything else", ["a yellow star"]),
    ("make the star blue and remove the rest", ["a blue star"]),
    ("keep everything but the star", ["a red circle", "TEA"]),
    ("remove the star and everything else", []),
    ("make everything except the star blue", ["a blue circle", "a yellow star", "TEA"]),
    ("make everything blue but the star", ["a blue circle", "a yellow star", "TEA"]),
    ("make all shapes blue, except the circle", ["a red circle", "a blue star", "TEA"]),
])  # fmt: skip
def test_what_is_spared(instruction: str, left: list[str]) -> None:
    revised = done(instruction)
    assert descs(revised) == left
    assert told(revised) == []


def test_a_spared_thing_is_kept_as_it_is() -> None:
    assert done("remove everything but the star").kept == [1]


@pytest.mark.parametrize("instruction", [
    "remove everything but the dragon", "keep only the dragon", "remove all dragons",
    "remove everything around the star",
])  # fmt: skip
def test_nothing_is_removed_for_a_thing_that_is_not_there(instruction: str) -> None:
    with pytest.raises(InvalidRequest, match="was not found"):
        done(instruction)


@pytest.mark.parametrize(("instruction", "notes"), [
    ("make the circle blue and keep everything else the same", ["Understood: all else stays as it is."]),
    ("make the circle blue but keep the background", ["Understood: the ground stays as it is."]),
    ("make the circle blue and leave the star alone", ["Understood: a yellow star stays as it is."]),
    ("make the circle blue but keep the cat", ['"the cat" was not found in the picture.']),
    ("make the circle blue and keep the style", ['Not understood, and left as it is: "keep the style".']),
])  # fmt: skip
def test_what_is_to_stay_is_told(instruction: str, notes: list[str]) -> None:
    assert done(instruction).notes[1:] == notes


@pytest.mark.parametrize("instruction", [
    "put a blue star instead of the cat", "draw a blue star in place of the cat", "put a blue star where the cat is",
    "instead of the cat draw a blue star", "Instead of the cat, put a blue star.", "instead of the cat, a blue star",
    "a blue star instead of the cat, please", "In place of the cat I want a blue star",
    "substitute a blue star for the cat",
])  # fmt: skip
def test_instead_is_a_replacement(instruction: str) -> None:
    revised, replaced = done(instruction, CAT, CIRCLE), done("replace the cat with a blue star", CAT, CIRCLE)
    assert revised == replaced
    assert descs(revised) == ["a blue star", "a red circle"]


@pytest.mark.parametrize(("instruction", "now"), [
    ('write "JAM" instead of "TEA"', ["a red circle", "a yellow star", "JAM"]),
    ("write JAM instead of TEA", ["a red circle", "a yellow star", "JAM"]),
    ("write jam instead of tea", ["a red circle", "a yellow star", "JAM"]),
    ("in place of the text write JAM", ["a red circle", "a yellow star", "JAM"]),
    ("make the text say JAM instead of TEA", ["a red circle", "a yellow star", "JAM"]),
    ("make the star blue instead of yellow", ["a red circle", "a blue star", "TEA"]),
    ("put a cat where the star is and a heart where the circle was", ["a red heart", "a yellow cat", "TEA"]),
    ("put a heart instead of the circle and the star", ["a red heart", "a yellow heart", "TEA"]),
    ("make the circle blue, and instead of the star draw a heart", ["a blue circle", "a yellow heart", "TEA"]),
])  # fmt: skip
def test_what_is_instead_of_another(instruction: str, now: list[str]) -> None:
    revised = done(instruction)
    assert descs(revised) == now
    assert told(revised) == []


@pytest.mark.parametrize(("words", "side"), [
    ("next to", "right left"), ("beside", "right left"), ("to the right of", "right"), ("to the left of", "left"),
    ("left of", "left"), ("above", "above"), ("on top of", "above"), ("below", "below"), ("under", "below"),
    ("behind", "right left"), ("in front of", "right left"), ("on", "right left"), ("inside", "right left"),
])  # fmt: skip
@pytest.mark.parametrize("what", ["a star", 'the word "NOW"'])
def test_a_new_thing_is_put_beside_the_one_that_is_named(what: str, words: str, side: str) -> None:
    revised = done(f"add {what} {words} the rectangle", RECTANGLE)
    rectangle, new = boxes(revised)
    assert len(descs(revised)) == 2
    assert rectangle == RECTANGLE["bbox"]
    beside = {"right": new[1] - rectangle[3], "left": rectangle[1] - new[3],
              "below": new[0] - rectangle[2], "above": rectangle[0] - new[2]}  # fmt: skip
    assert any(0 < beside[one] <= 40 for one in side.split())
    assert min(new) >= 0
    assert max(new) <= 1000
    over = f'"{words} the rectangle" is taken for beside it: things are drawn side by side.'
    assert told(revised) == ([over] if words in ("behind", "in front of", "on", "inside") else [])


def test_a_thing_is_moved_beside_another() -> None:
    revised = done("move the star below the circle", CIRCLE, STAR)
    assert boxes(revised) == [CIRCLE["bbox"], [430, 100, 730, 400]]
    assert revised.notes == ["Understood: a yellow star moves below the circle."]
    revised = done("put the star below the circle", CIRCLE, STAR, TEA)
    assert boxes(revised)[1] == [430, 130, 670, 370]
    assert revised.notes == ["Understood: a yellow star moves below the circle, and becomes smaller."]


@pytest.mark.parametrize(("instruction", "now"), [
    ("place a small yellow star above the rectangle.", ["a red rectangle", "a yellow star"]),
    ('add "NOW" and a star, and a cat next to the rectangle',
     ["a red rectangle", "NOW", "a white star", "a white cat"]),
    ("put a star above the rectangle and a cat below the rectangle",
     ["a red rectangle", "a white star", "a white cat"]),
    ("add a star, and a heart next to it", ["a red rectangle", "a white star", "a white heart"]),
    ("write hello below the rectangle", ["a red rectangle", "HELLO"]),
    ("write hello in red at the top", ["a red rectangle", "HELLO"]),
])  # fmt: skip
def test_what_is_named_after_a_preposition_is_never_drawn_again(instruction: str, now: list[str]) -> None:
    revised = done(instruction, RECTANGLE)
    assert descs(revised) == now
    assert told(revised) == []


def test_it_is_what_was_spoken_of_before() -> None:
    left = boxes(done("make the star red, put a heart to the left of it", CIRCLE, STAR))[2]
    assert CIRCLE["bbox"][3] < left[1] < left[3] < STAR["bbox"][1]
    below = boxes(done("add a heart at the bottom left and write HI above it", CIRCLE, STAR))
    assert below[3][2] < below[2][0] < below[3][2] + 40


@pytest.mark.parametrize("instruction", [
    "add a heart next to the star in mint", "add the word HI next to the star in mint",
    "write hi above TEA in mint letters", "add the word HI in mint at the top",
])  # fmt: skip
def test_a_colour_that_comes_last_is_that_of_the_new_thing(instruction: str) -> None:
    revised = done(instruction)
    new = revised.caption["compositional_deconstruction"]["elements"][3]
    assert new["color_palette"] == ["#A6E6C6"]
    assert told(revised) == []


def test_two_moves_to_two_places() -> None:
    revised = done("put the star in the middle and the circle in the top left", CIRCLE, STAR)
    assert boxes(revised) == [[60, 60, 360, 360], [350, 350, 650, 650]]


def test_between_is_between() -> None:
    for words in ("the circle and the star", "the circle and TEA", '"TEA" and the star'):
        *old, new = boxes(done(f"add a small heart between {words}"))
        assert len(old) == 3
        assert not any(shared(new, one["bbox"]) for one in (CIRCLE, STAR, TEA))


@pytest.mark.parametrize(("instruction", "note"), [
    ("add a heart near the dragon", '"near the dragon" is left out: "the dragon" was not found in the picture.'),
    ("add a heart above the star", '"above the star" is left out: there is no room.'),
    ("put a cup on the table", 'Not understood, and left out: "table".'),
    ("replace the star with a heart at the top", 'Not understood, and left out: "top".'),
    ("make the star red with a white border", 'Not understood, and left out: "border".'),
])  # fmt: skip
def test_a_place_that_is_not_kept_is_told(instruction: str, note: str) -> None:
    assert told(done(instruction)) == [note]


def test_a_move_without_room_is_told() -> None:
    with pytest.raises(InvalidRequest, match=r'"above the star" is left out: there is no room\. So nothing would'):
        done("move TEA above the star")


def test_what_cannot_be_drawn_draws_nothing_else() -> None:
    with pytest.raises(InvalidRequest, match="was not understood"):
        done("add a hat to the rectangle", RECTANGLE)


@pytest.mark.parametrize(("instruction", "now", "background"), [
    ("put the cat on a green background", ["a white cat"], "plain green"),
    ("put it on a striped background", ["a white cat"], "navy and white stripes"),
    ("add a star on a green background", ["a white cat", "a white star"], "plain green"),
    ("add a star and a green background", ["a white cat", "a white star"], "plain green"),
    ("add a star to the blue background", ["a white cat", "a white star"], "plain navy"),
    ("replace the cat with a heart on a blue background", ["a white heart"], "plain blue"),
    ("give it a mint background with dots", ["a white cat"], "white dots on mint"),
    ("make the background mint with dots", ["a white cat"], "white dots on mint"),
    ("give it a mint background with red dots", ["a white cat"], "red dots on mint"),
    ("give the picture a blue striped background", ["a white cat"], "blue and white stripes"),
    ("add a mint background", ["a white cat"], "plain mint"),
    ("change the background to dots", ["a white cat"], "white dots on navy"),
    ("use a mint background instead of navy", ["a white cat"], "plain mint"),
])  # fmt: skip
def test_a_new_ground(instruction: str, now: list[str], background: str) -> None:
    revised = done(instruction, CAT)
    assert (descs(revised), ground(revised), told(revised)) == (now, background, [])


@pytest.mark.parametrize("instruction", [
    "add two white stars at the top", "add three hearts at the bottom", "add a heart and a cat on the left",
    "add 4 bottles in the middle", "add six stars at the top left", "add two hearts below the cup",
    "move the star, the circle and the heart to the bottom", "move the star and the circle to the bottom left",
])  # fmt: skip
def test_things_with_one_place_stand_side_by_side(instruction: str) -> None:
    heart = {**STAR, "bbox": [430, 600, 630, 800], "desc": "a red heart"}
    revised = done(
        instruction, STAR, {**CIRCLE, "bbox": [100, 550, 300, 650]}, heart, {**CUP, "bbox": [20, 20, 90, 90]}
    )
    new = [box for box in boxes(revised) if box in revised.redrawn]
    assert len(new) >= 2
    assert not any(shared(one, other) for one in new for other in new if one is not other)
    assert told(revised) == []


@pytest.mark.parametrize(("instruction", "notes"), [
    ("replace the star with a red and white striped circle",
     ["It takes no more colours, so this is left out: white.", 'Not understood, and left out: "striped".']),
    ("add a red and white circle", ["It takes no more colours, so this is left out: white."]),
    ("add a striped circle", ['Not understood, and left out: "striped".']),
    ("paint the star in red stripes", ['Not understood, and left out: "stripes".']),
    ("add a red and white cat", []),
])  # fmt: skip
def test_colours_and_patterns_beyond_what_a_thing_takes_are_told(instruction: str, notes: list[str]) -> None:
    assert told(done(instruction)) == notes


@pytest.mark.parametrize(("instruction", "now"), [
    ("MAKE THE STAR BLUE", ["a red circle", "a blue star", "TEA"]),
    ("REPLACE TEA WITH JAM", ["a red circle", "a yellow star", "JAM"]),
    ("make the circle blue and get rid of the star", ["a blue circle", "TEA"]),
    ("take the star away", ["a red circle", "TEA"]),
    ("leave out the text", ["a red circle", "a yellow star"]),
    ("Add 2 white stars", ["a red circle", "a yellow star", "TEA", "a white star", "a white star"]),
    ("remove all elements", []),
    ("remove the star from the picture", ["a red circle", "TEA"]),
])  # fmt: skip
def test_other_wordings(instruction: str, now: list[str]) -> None:
    revised = done(instruction)
    assert descs(revised) == now
    assert told(revised) == []


def test_half_as_big_is_smaller() -> None:
    assert done("make the star half as big").notes == ["Understood: a yellow star becomes smaller."]
    assert done("make it twice as large", STAR).notes == ["Understood: a yellow star becomes larger."]


@pytest.mark.parametrize("text", [
    "move the cup and " + "the cup and " * 160, "add a star next to " + "the cup and " * 120,
    "instead of the cat, " * 100, "remove everything but the " * 80, "keep only the star and " * 90,
    "put a where it is and the " * 80, "a background on a " * 110, "add a star between " * 105,
])  # fmt: skip
def test_no_such_instruction_takes_long(text: str) -> None:
    assert paced_seconds(lambda: read_instruction(text), 0.05) < 0.05
