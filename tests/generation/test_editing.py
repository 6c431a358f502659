"""What a request over a picture becomes: its size, its place, its noise, and where new things go."""

import json
from typing import Any

import pytest

from linocut.api.translate.versions import V3, V4
from linocut.bases import Sampling
from linocut.captions import Worded
from linocut.errors import InvalidRequest
from linocut.generation.editing import (
    edit_notes,
    edited_size,
    into_the_mask,
    level_of,
    nearest_size,
    over_picture,
    placement_of,
    published_size,
    weight_of_text,
)
from linocut.generation.types import GenerateAsk, Over, Rules, Size
from linocut.orders import GenerateOrder, Placement
from linocut.pictures.intake import StoredPicture


def picture(width: int, height: int, box: tuple[int, int, int, int] | None = None) -> StoredPicture:
    return StoredPicture("a" * 64, 1, width, height, has_alpha=False, box=box)


def ask(over: Over, rules: Rules = V3, prompt: str = "a star", **size: object) -> GenerateAsk:
    given = {"resolution": None, "aspect_ratio": None} | size
    return GenerateAsk(
        rules=rules, prompt=prompt, json_prompt=None, seed=None, num_images=1, rendering_speed="DEFAULT",
        magic_prompt="AUTO", custom_model_uri=None, over=over, **given,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize(("text", "weight"), [
    ("a red fish", 50), ("", 50), ("make it blue", 65), ("Change the ground to navy", 65), ("recolour the boat", 65),
    ("turn this into a watercolour", 65), ("make it blue, keep the rest", 80), ("only brighten the sky", 80),
    ("something inspired by this", 30), ("a completely new version", 30), ("a makeshift exchange", 50),
])  # fmt: skip
def test_the_words_of_an_instruction_choose_a_weight(text: str, weight: int) -> None:
    assert weight_of_text(text) == weight


@pytest.mark.parametrize("operation", ["inpaint", "edit", "replace-background"])
@pytest.mark.parametrize("weight", [1, 50, 100])
def test_what_is_not_kept_begins_with_noise_alone(operation: Any, weight: int) -> None:
    """A weight is a remix's. Any other start keeps an old ground where a new one was asked for."""
    plain = GenerateOrder(
        base="b", organization_id="o", caption="{}", width=128, height=128, output_width=512, output_height=512,
        seeds=(1,), sampling=Sampling(steps=4, guidance=1.0), adapter=None,
    )  # fmt: skip
    mask = None if operation == "replace-background" else picture(512, 512)
    assert over_picture(plain, Over(operation, picture(512, 512), mask=mask), weight, "border").level == 1.0
    assert over_picture(plain, Over("remix", picture(512, 512)), weight, "border").level == level_of(weight)


def test_more_weight_is_less_noise() -> None:
    levels = [level_of(weight) for weight in range(1, 101)]
    assert levels == sorted(levels, reverse=True)
    assert len(set(levels)) == 100
    assert levels[0] == pytest.approx(0.99991)
    assert levels[49] == pytest.approx(0.775)
    assert levels[-1] == pytest.approx(0.1)


@pytest.mark.parametrize(("rules", "prompt", "sent", "size", "answer"), [
    (V3, "a star", (600, 400), {}, (1024, 1024)),
    (V3, "a star", (600, 400), {"aspect_ratio": "3x2"}, (1248, 832)),
    (V3, "a star", (600, 400), {"resolution": (1312, 736)}, (1312, 736)),
    (V4, "a star", (600, 400), {}, (2496, 1664)),
    (V4, "a star", (512, 512), {}, (2048, 2048)),
    (V4, "a star, 16:9", (600, 400), {}, (2560, 1440)),
    (V4, "a square logo", (600, 400), {}, (2048, 2048)),
    (V4, "a star", (600, 400), {"resolution": (1024, 1024)}, (1024, 1024)),
])  # fmt: skip
def test_a_remix_has_the_size_that_is_asked_for(
    rules: Rules, prompt: str, sent: Size, size: dict[str, object], answer: Size
) -> None:
    over = Over("remix", picture(*sent), 50)
    assert edited_size(ask(over, rules, prompt, **size), over) == answer


def test_what_is_inpainted_keeps_its_size_up_to_four_to_one() -> None:
    for sent in ((48, 32), (2048, 512), (1000, 4000)):
        over = Over("inpaint", picture(*sent), mask=picture(*sent))
        assert edited_size(ask(over), over) == sent
    over = Over("inpaint", picture(2049, 512), mask=picture(2049, 512))
    with pytest.raises(InvalidRequest, match="2049x512 pixels; one side may be at most 4 times the other") as told:
        edited_size(ask(over), over)
    assert told.value.details["field"] == "image"


def test_the_published_size_is_the_likest_one() -> None:
    assert published_size(V3, (1312, 736)) == (1312, 736)
    assert published_size(V3, (512, 512)) == (1024, 1024)
    assert published_size(V3, (400, 1200)) == (512, 1536)
    assert published_size(V3, (640, 426)) == nearest_size(V3.resolutions, 1280, 852) == (1248, 832)


@pytest.mark.parametrize(("operation", "sent", "size", "place"), [
    ("remix", (600, 400), (1024, 1024), Placement(left=-256, top=0, width=1536, height=1024)),
    ("remix", (100, 100), (200, 100), Placement(left=0, top=-50, width=200, height=200)),
    ("inpaint", (333, 77), (333, 77), Placement(left=0, top=0, width=333, height=77)),
])  # fmt: skip
def test_where_the_picture_lies(operation: str, sent: Size, size: Size, place: Placement) -> None:
    assert placement_of(Over(operation, picture(*sent)), size) == place  # type: ignore[arg-type]


def test_what_is_not_shown_or_was_chosen_is_said() -> None:
    over = Over("remix", picture(600, 400), None)
    [chosen, cropped] = edit_notes(over, placement_of(over, (1024, 1024)), (1024, 1024), 65)
    assert chosen == "image_weight was not sent; 65 was chosen by the words of the instruction."
    assert cropped == "The picture of 600x400 pixels was cropped to its middle 400x400 for 1024x1024."
    over = Over("remix", picture(512, 512), 50)
    assert edit_notes(over, placement_of(over, (1024, 1024)), (1024, 1024), 50) == ()


def caption(*elements: dict[str, object]) -> Worded:
    whole = {
        "high_level_description": "x", "compositional_deconstruction": {"background": "", "elements": list(elements)},
    }  # fmt: skip
    text = json.dumps(whole, separators=(",", ":"))
    return Worded(text, text)


def boxes(said: Worded) -> list[list[int]]:
    return [element["bbox"] for element in json.loads(said.caption)["compositional_deconstruction"]["elements"]]


def test_what_has_no_place_goes_where_the_mask_repaints() -> None:
    mask = picture(200, 100, box=(100, 20, 200, 80))
    star: dict[str, object] = {"type": "obj", "desc": "a star"}
    said = into_the_mask(caption(star), mask)
    assert boxes(said) == [[272, 560, 728, 940]]
    assert said.prompt == said.caption
    assert '{"type":"obj","bbox":[272,560,728,940],"desc":"a star"}' in said.caption  # keys in training order
    first, second = boxes(into_the_mask(caption(star, {"type": "text", "text": "TEA", "desc": "white"}), mask))
    assert (first[1], first[3], second[1], second[3]) == (530, 720, 780, 970)
    placed: dict[str, object] = {"type": "obj", "bbox": [0, 0, 500, 500], "desc": "a star"}
    assert boxes(into_the_mask(caption(placed, star), mask))[0] == [0, 0, 500, 500]
    assert into_the_mask(caption(placed), mask) == caption(placed)
    assert into_the_mask(caption(), mask) == caption()
