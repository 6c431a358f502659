"""Instructions, read by grammar and carried out on a caption: what changes, what stays, and what is said."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linocut.captions import normalise
from linocut.errors import InvalidRequest
from linocut.prompting import Revised, revise

CIRCLE: dict[str, Any] = {
    "type": "obj",
    "bbox": [100, 100, 400, 400],
    "desc": "a red circle",
    "color_palette": ["#DC2A2A"],
}
STAR: dict[str, Any] = {
    "type": "obj",
    "bbox": [100, 600, 400, 900],
    "desc": "a yellow star",
    "color_palette": ["#FAD02C"],
}
TEA: dict[str, Any] = {
    "type": "text", "bbox": [700, 250, 850, 750], "text": "TEA", "desc": "white bold sans-serif",
    "color_palette": ["#FFFFFF"],
}  # fmt: skip
OBJECT: dict[str, Any] = {
    "type": "obj",
    "bbox": [500, 500, 600, 600],
    "desc": "a brown object",
    "color_palette": ["#7C4A22"],
}


def picture(*elements: dict[str, Any], background: str = "plain navy") -> dict[str, Any]:
    return {
        "high_level_description": "a poster",
        "style_description": {"art_style": "poster", "color_palette": ["#14235A"]},
        "compositional_deconstruction": {"background": background, "elements": json.loads(json.dumps(elements))},
    }


def done(instruction: str, *elements: dict[str, Any]) -> Revised:
    revised = revise(picture(*(elements or (CIRCLE, STAR, TEA))), instruction, (1024, 1024))
    assert normalise(revised.caption)
    return revised


def descs(revised: Revised) -> list[str]:
    return [one.get("text") or one["desc"] for one in revised.caption["compositional_deconstruction"]["elements"]]


@pytest.mark.parametrize(("instruction", "now", "kept"), [
    ("make the circle blue", ["a blue circle", "a yellow star", "TEA"], [1, 2]),
    ("Please make the red circle dark green!", ["a green circle", "a yellow star", "TEA"], [1, 2]),
    ("paint the star white", ["a red circle", "a white star", "TEA"], [0, 2]),
    ("recolor the star in #00FF00", ["a red circle", "a green star", "TEA"], [0, 2]),
    ("change the colour of the circle to purple", ["a purple circle", "a yellow star", "TEA"], [1, 2]),
    ("the star should be pink", ["a red circle", "a pink star", "TEA"], [0, 2]),
    ("replace the star with a heart", ["a red circle", "a yellow heart", "TEA"], [0, 2]),
    ("turn the circle into a green square", ["a green square", "a yellow star", "TEA"], [1, 2]),
    ("swap the moon-yellow star for a cat", ["a red circle", "a yellow cat", "TEA"], [0, 2]),
    ('change "TEA" to "Mint"', ["a red circle", "a yellow star", "Mint"], [0, 1]),
    ("replace TEA with JAM", ["a red circle", "a yellow star", "JAM"], [0, 1]),
    ('make the text say "OPEN"', ["a red circle", "a yellow star", "OPEN"], [0, 1]),
    ("make the lettering red", ["a red circle", "a yellow star", "TEA"], [0, 1]),
    ("remove the star", ["a red circle", "TEA"], [0, 2]),
    ("get rid of the circle.", ["a yellow star", "TEA"], [1, 2]),
    ("delete the text", ["a red circle", "a yellow star"], [0, 1]),
    ("remove everything", [], []),
    ("move the star to the bottom left", ["a red circle", "a yellow star", "TEA"], [0, 2]),
    ("put the circle in the middle", ["a red circle", "a yellow star", "TEA"], [1, 2]),
    ("make the star bigger", ["a red circle", "a yellow star", "TEA"], [0, 2]),
    ("shrink the circle", ["a red circle", "a yellow star", "TEA"], [1, 2]),
    ("add a green tree at the bottom right", ["a red circle", "a yellow star", "TEA", "a green tree"], [0, 1, 2]),
    ('add the word "NOW" in red', ["a red circle", "a yellow star", "TEA", "NOW"], [0, 1, 2]),
    ("make the circle blue and remove the star, then add a cat", ["a blue circle", "TEA", "a white cat"], [2]),
])  # fmt: skip
def test_what_is_asked_is_what_changes(instruction: str, now: list[str], kept: list[int]) -> None:
    revised = done(instruction)
    assert descs(revised) == now
    assert revised.kept == kept
    assert not revised.ground_changes
    assert all(note.startswith("Understood: ") for note in revised.notes)


@pytest.mark.parametrize(("instruction", "ground"), [
    ("change the background to plain yellow", "plain yellow"),
    ("make the background yellow", "plain yellow"),
    ("replace the background with white dots on red", "white dots on red"),
    ("on a blue striped background", "blue and white stripes"),
])  # fmt: skip
def test_another_ground(instruction: str, ground: str) -> None:
    revised = done(instruction)
    assert revised.caption["compositional_deconstruction"]["background"] == ground
    assert (revised.ground_changes, revised.kept, revised.redrawn) == (True, [0, 1, 2], [])


def test_boxes_are_where_it_was_and_where_it_is() -> None:
    moved = done("move the star to the bottom left")
    assert moved.redrawn == [STAR["bbox"], [640, 60, 940, 360]]
    assert done("remove the star").redrawn == [STAR["bbox"]]
    assert done("make the star bigger").redrawn[1] == [40, 540, 460, 960]


def test_colours_and_places_tell_two_of_a_kind_apart() -> None:
    other = {**STAR, "bbox": [500, 100, 700, 300], "desc": "a blue star", "color_palette": ["#2358CE"]}
    assert descs(done("remove the blue star", STAR, other)) == ["a yellow star"]
    assert descs(done("remove the star on the right", STAR, other)) == ["a blue star"]
    assert descs(done("remove all stars", STAR, other, CIRCLE)) == ["a red circle"]
    both = done("make the star pink", STAR, other)
    assert descs(both) == ["a pink star", "a pink star"]
    assert '"the star" is 2 things in the picture; all of them were changed.' in both.notes[0]


def test_it_is_what_was_spoken_of() -> None:
    assert descs(done("move the star to the left and make it red")) == ["a red circle", "a red star", "TEA"]
    assert descs(done("make it green", CIRCLE)) == ["a green circle"]
    with pytest.raises(InvalidRequest, match="may be several things"):
        done("make it green")


def test_the_one_object_that_has_no_name_may_be_anything() -> None:
    revised = done("remove the dog", CIRCLE, OBJECT)
    assert descs(revised) == ["a red circle"]
    assert "was taken for the one object that was not recognised" in revised.notes[0]


@pytest.mark.parametrize(("instruction", "words"), [
    ("dance", "was not understood, so nothing was drawn. It shows a red circle, a yellow star"),
    ("remove the dog", '"the dog" was not found in the picture'),
    ("remove the blue circle", '"the blue circle" was not found'),
    ("make the circle red", "nothing would change"),
    ("change the background to plain navy", "nothing would change"),
    ('change "COFFEE" to "MINT"', "was not found"),
    ('make the circle say "MINT"', "is no lettering"),
])  # fmt: skip
def test_what_cannot_be_done_is_told(instruction: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^prompt: ") as told:
        done(instruction)
    assert words in told.value.message


def test_the_part_that_was_not_understood_is_told() -> None:
    assert done("make the circle blue; add something nice").notes[-1] == (
        'Not understood, and left as it is: "add something nice".'
    )


WORDS = (
    "make", "the", "star", "circle", "blue", "red", "to", "and", "remove", "add", "move", "left", "top", '"TEA"',
    "background", "a", "with", "into", "TEA", "it", "all", "say", ",", ".", "text", "!", "and the", "keep", "only",
    "but", "everything", "except", "instead of", "next to", "above", "between", "put", "write", "two", "dots", "on",
    "else",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120) | st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
def test_no_words_break_it(instruction: str) -> None:
    """Whatever is said: a valid caption whose boxes lie in the picture, or a sentence."""
    try:
        revised = done(instruction)
    except InvalidRequest:
        return
    for element in revised.caption["compositional_deconstruction"]["elements"]:
        y0, x0, y1, x1 = element["bbox"]
        assert 0 <= y0 < y1 <= 1000
        assert 0 <= x0 < x1 <= 1000
    assert revised.redrawn or revised.ground_changes
    assert revised.notes


@pytest.mark.parametrize("second", ["the background mint", "make the background mint"])
def test_a_verb_may_be_left_out_of_the_second_half(second: str) -> None:
    """Both halves are carried out, and told."""
    revised = done(f"make the circle blue and {second}")
    assert revised.notes == ["Understood: a red circle becomes blue.", "Understood: the ground becomes plain mint."]


FISH: dict[str, Any] = {**STAR, "bbox": [100, 100, 300, 400], "desc": "a green fish", "color_palette": ["#1F9E46"]}
CUP: dict[str, Any] = {**STAR, "bbox": [500, 600, 700, 800], "desc": "a white cup", "color_palette": ["#FFFFFF"]}
BLUE_AND_RED = ["a blue fish", "a red star", "a white cup", "TEA"]
CAT_AND_HEART = ["a green cat", "a yellow heart", "a white cup", "TEA"]


@pytest.mark.parametrize(("instruction", "now"), [
    ("change the fish to blue and the star to red", BLUE_AND_RED),
    ("make the fish blue and the star red", BLUE_AND_RED),
    ("make the fish blue and star red", BLUE_AND_RED),
    ("make the fish blue but the star red", BLUE_AND_RED),
    ("turn the fish blue, the star red", BLUE_AND_RED),
    ("change the fish to blue; the star to red", BLUE_AND_RED),
    ("change the fish to blue. Then the star to red.", BLUE_AND_RED),
    ("paint the fish in blue and the star in red", BLUE_AND_RED),
    ("paint the fish blue and the star in red", BLUE_AND_RED),
    ("the fish should be blue and the star red", BLUE_AND_RED),
    ("the fish should be blue and the star should be red", BLUE_AND_RED),
    ("change the colour of the fish to blue and of the star to red", BLUE_AND_RED),
    ("change the fish from green to blue and the star from yellow to red", BLUE_AND_RED),
    ("Could you please change the fish to blue, and the star to red?", BLUE_AND_RED),
    ("turn the fish into a cat and the star into a heart", CAT_AND_HEART),
    ("replace the fish with a cat, the star with a heart", CAT_AND_HEART),
    ("make the fish a cat and the star a heart", CAT_AND_HEART),
    ("make the fish blue, the star red, and the cup green", ["a blue fish", "a red star", "a green cup", "TEA"]),
    ("change the fish to blue, the star to red, the text to MINT",
     ["a blue fish", "a red star", "a white cup", "MINT"]),
    ("swap the fish for a cat, the star for a heart and the cup for a tree",
     ["a green cat", "a yellow heart", "a white tree", "TEA"]),
    ("change the fish to blue and white and the star to red",
     ["a blue and white fish", "a red star", "a white cup", "TEA"]),
    ("change the fish and the star to blue and the cup to red", ["a blue fish", "a blue star", "a red cup", "TEA"]),
    ("change the fish to blue and the star and the cup to red", ["a blue fish", "a red star", "a red cup", "TEA"]),
    ("turn the star into a fish and the fish into a star", ["a green star", "a yellow fish", "a white cup", "TEA"]),
    ('change "TEA" to "MINT" and the star to red', ["a green fish", "a red star", "a white cup", "MINT"]),
    ('make the text say "NOW AND THEN, OPEN" and the star red',
     ["a green fish", "a red star", "a white cup", "NOW AND THEN, OPEN"]),
    ("make the fish blue and the star red, then remove the cup and the text", ["a blue fish", "a red star"]),
    ("remove the fish, the cup and the text", ["a yellow star"]),
    ("make the fish and the star blue", ["a blue fish", "a blue star", "a white cup", "TEA"]),
    ('add the word "NOW" in red and a blue cat',
     ["a green fish", "a yellow star", "a white cup", "TEA", "NOW", "a blue cat"]),
])  # fmt: skip
def test_all_parts_are_understood_where_their_verb_is_left_out(instruction: str, now: list[str]) -> None:
    revised = done(instruction, FISH, STAR, CUP, TEA)
    assert descs(revised) == now
    assert all(note.startswith("Understood: ") for note in revised.notes)


@pytest.mark.parametrize("instruction", [
    "move the fish to the right and the star to the bottom left", "move the fish right and the star to the bottom left",
    "put the fish on the right, the star at the bottom left",
])  # fmt: skip
def test_two_are_moved_with_one_verb(instruction: str) -> None:
    revised = done(instruction, FISH, STAR)
    assert revised.notes == [
        "Understood: a green fish moves to the right.", "Understood: a yellow star moves to the bottom left."
    ]  # fmt: skip


def test_the_ground_may_be_any_part() -> None:
    for instruction in (
        "change the background to white dots on blue and the star to red",
        "change the star to red and the background to blue with white dots",
    ):
        revised = done(instruction, FISH, STAR)
        assert descs(revised) == ["a green fish", "a red star"]
        assert revised.caption["compositional_deconstruction"]["background"] == "white dots on blue"


@pytest.mark.parametrize(("instruction", "notes"), [
    ("make the fish blue and the star", ['Not understood, and left as it is: "the star".']),
    ("make the fish blue with a golden crown", ['Not understood, and left out: "crown".']),
    ("swap the star for a cat and a dog", ['Not understood, and left out: "dog".']),
    ("make the star 50% bigger", ['Not understood, and left out: "50".']),
    ("add a shiny star at the top", ['Not understood, and left out: "shiny".']),
    ("make the star red and blue", ["It takes no more colours, so this is left out: blue."]),
    ("make the fish blue and happy", ['Not understood, and left as it is: "happy".']),
    ("make the fish blue; sing a song; dance", ['Not understood, and left as it is: "sing a song" and "dance".']),
    ("make the fish blue. " + ". ".join(f"dance {n}" for n in range(10)), [
        "Not understood, and left as it is: "
        + ", ".join(f'"dance {n}"' for n in range(8)) + " and 2 more."]),
    ("make the fish blue" + "," * 2000 + " remove the star", ["Only its first 2000 characters were read."]),
])  # fmt: skip
def test_what_is_not_understood_is_told(instruction: str, notes: list[str]) -> None:
    revised = done(instruction, FISH, STAR)
    assert [note for note in revised.notes if not note.startswith("Understood: ")] == notes


def test_big_and_red_is_both() -> None:
    assert done("make the star big and red").notes == [
        "Understood: a yellow star becomes red.", "Understood: a red star becomes larger."
    ]  # fmt: skip


def test_what_is_not_there_is_told_with_what_was_there() -> None:
    with pytest.raises(InvalidRequest, match=r'"the dragon" was not found in the picture\. It shows a green fish and'):
        done("make the fish blue and the dragon red", FISH, STAR)


def test_two_colours_of_one_thing_and_one_colour_of_two_things_are_no_second_half() -> None:
    assert done("make the circle blue and white").notes[0] == "Understood: a red circle becomes blue."
    assert done("make the circle and the star blue").notes == [
        "Understood: a red circle becomes blue.", "Understood: a yellow star becomes blue."
    ]  # fmt: skip
