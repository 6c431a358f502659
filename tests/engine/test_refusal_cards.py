"""Ideogram 4's refusal card is recognised and withheld; grey pictures and posters are not taken for it."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from tests.engine.engine_orders import base, generate_order, run_to_the_end
from tests.engine.engine_support import CPU, Recording
from tests.engine.lettering_pictures import face, ground, write
from tests.engine.posters import posters
from tests.marks import long_but

from linocut.engine.refusal_cards import is_flat_grey, is_refusal_card, says_blocked
from linocut.engine.resident import engine_over
from linocut.engine.tools import catalogue
from linocut.engine.tools.catalogue import MIB
from linocut.engine.tools.lettering import Frame, Lettering, Line, Reader
from linocut.engine.tools.tool import ToolFacts, ToolsAtHand
from linocut.orders import Failed, GenerateFinished, ImageDrawn
from linocut.verdicts import REFUSAL_CARD


@lru_cache
def reader() -> Reader:
    return Reader()


def card(text: str, grey: str = "#808080", side: int = 512, package: str = "roboto", grain: float = 2.0) -> Any:
    """A flat grey picture with small lettering in the middle, with the grain that an autoencoder leaves."""
    picture = Image.new("RGB", (side, side), grey)
    for row, line in enumerate(text.split("\n")):
        write(picture, line, (side / 2, side / 2 + side * row / 14), face(package, round(side / 24)), "#F2F2F2")
    noise = np.random.default_rng(len(text)).normal(0, grain, (side, side, 3))
    return np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)


CARDS = [
    card("Image blocked by safety filter"),
    card("This image was blocked", "#5A5A5A", package="montserrat"),
    card("This image has been blocked\ndue to our content policy", "#9A9C9F", 768),
    card("Content blocked", "#C4C4C4", 384, package="lora", grain=4.0).clip(0, 200),
    card("Your request could not be generated", "#6E7073"),
]


@pytest.mark.parametrize("number", long_but(range(2), range(len(CARDS))))
def test_cards_are_recognised(number: int) -> None:
    if number == 3:
        picture = Image.new("RGB", (384, 384), "#C4C4C4")
        write(picture, "Content blocked", (192, 192), face("lora", 18), "#303030")
        assert is_refusal_card(np.asarray(picture), reader().run)
    else:
        assert is_refusal_card(CARDS[number], reader().run)


def unread(pixels_HWC: Any) -> Lettering:
    raise AssertionError("it was read, and is not flat")


NOT_FLAT = {
    "posters": [np.asarray(poster.picture) for poster in posters()],
    "blots": [np.asarray(ground("busy", 256, 256, "#808080", seed=seed)) for seed in range(3)],
    "ramp": [np.repeat(np.linspace(60, 200, 256)[None, :, None], 256, 0).repeat(3, 2).astype(np.uint8)],
    "noise": [np.random.default_rng(0).integers(0, 256, (256, 256, 1)).repeat(3, 2).astype(np.uint8)],
    "paper": [np.full((256, 256, 3), 250, np.uint8)],
    "night": [np.full((256, 256, 3), 8, np.uint8)],
    "red": [np.full((256, 256, 3), (150, 90, 90), np.uint8)],
}


@pytest.mark.parametrize("kind", NOT_FLAT)
def test_what_is_not_flat_and_grey_is_not_even_read(kind: str) -> None:
    assert not any(is_refusal_card(one, unread) for one in NOT_FLAT[kind])


def grey(text: str, size: int = 22) -> Any:
    picture = Image.new("RGB", (512, 512), "#8A8A8A")
    if text:
        write(picture, text, (256, 256), face("roboto", size), "#FFFFFF")
    return np.asarray(picture)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 22),
        pytest.param("Winter exhibition", 22, marks=pytest.mark.long),
        pytest.param("Grey is the new grey", 22, marks=pytest.mark.long),
        ("ROAD BLOCKED", 22),  # it speaks of no image
        pytest.param("An image of the harbour", 22, marks=pytest.mark.long),
        ("IMAGE BLOCKED", 76),  # large: a poster that somebody asked for
    ],
)
def test_grey_pictures_and_posters_are_no_cards(text: str, size: int) -> None:
    assert is_flat_grey(grey(text, size)) or size > 50
    assert not is_refusal_card(grey(text, size), reader().run)


def test_a_grey_picture_with_a_shape_on_it_is_not_flat() -> None:
    picture = Image.new("RGB", (512, 512), "#8A8A8A")
    ImageDraw.Draw(picture).ellipse((150, 150, 400, 400), fill="#303030")
    assert not is_flat_grey(np.asarray(picture))


def said(*texts: str, height: float = 20.0) -> Lettering:
    lines = [
        Line(text, Frame(200, 100 + 40 * row, 300, height, 0).corners(), 0.9, 0.0, "#FFFFFF", "#808080")
        for row, text in enumerate(texts)
    ]
    return Lettering(tuple(lines), (), "said")


@pytest.mark.parametrize(
    ("texts", "meant"),
    [
        (("Image blocked",), True),
        (("Imege blocked by the",), True),  # a base does not spell well
        (("Image bloked",), True),
        (("This picture was", "blocked"), True),
        (("Withheld for safety reasons",), True),
        (("Image blogged",), False),
        (("blocked",), False),
        (("black image",), False),
        ((), False),
        (("image blocked", "one", "two", "three", "four"), False),
    ],
)
def test_what_the_lettering_must_say(texts: tuple[str, ...], meant: bool) -> None:
    assert says_blocked(said(*texts), 512) is meant
    assert not says_blocked(said(*texts, height=90.0), 512)


class Told:
    """A reader that says one thing, and counts how often it is asked."""

    def __init__(self, text: str) -> None:
        self.text, self.asked = text, 0

    def run(self, given: Any) -> Lettering:
        self.asked += 1
        return said(self.text, height=3.0)

    def tokens(self, given: Any) -> int:
        return 1


class Flat(Recording):
    """A base that draws one colour."""

    colour = 128

    def decode(self, latents_NC: Any, grids: Any, *, tiles: int = 1) -> Any:
        return [torch.full_like(one, self.colour) for one in super().decode(latents_NC, grids, tiles=tiles)]


@pytest.mark.parametrize(("colour", "text", "is_safe", "asked"), [
    (128, "Image blocked by safety filter", False, 2), (128, "Winter", None, 2), (255, "Image blocked", None, 0),
])  # fmt: skip
def test_a_card_is_withheld_in_place_of_an_image(
    monkeypatch: pytest.MonkeyPatch, colour: int, text: str, is_safe: bool | None, asked: int
) -> None:
    """Nothing of it leaves the engine; the order ends as any other. Of other colours no lettering is read."""
    told = Told(text)
    monkeypatch.setitem(catalogue.TOOLS, "lettering", ToolFacts("lettering", "", "", "", 0, MIB, False, lambda _: told))
    family = Flat()
    family.colour = colour
    engine = engine_over(base(), family, CPU, 64 * MIB, tools=ToolsAtHand(8 * MIB))
    engine.admit("draw", generate_order(), lambda sha256: b"", Path())
    events = run_to_the_end(engine)
    engine.close()
    assert not any(isinstance(event, Failed) for event in events)
    assert isinstance(events[-1], GenerateFinished)
    drawn = [event for event in events if isinstance(event, ImageDrawn)]
    assert [event.verdict and event.verdict.is_safe for event in drawn] == [is_safe, is_safe]
    if is_safe is False:
        assert all(event.verdict and event.verdict.reason == REFUSAL_CARD and event.png == b"" for event in drawn)
    else:
        assert all(event.png for event in drawn)
    assert told.asked == asked


def test_without_room_to_read_images_are_drawn_all_the_same() -> None:
    engine = engine_over(base(), Flat(), CPU, 64 * MIB)
    engine.admit("draw", generate_order(), lambda sha256: b"", Path())
    events = run_to_the_end(engine)
    engine.close()
    assert sum(isinstance(event, ImageDrawn) and bool(event.png) for event in events) == 2
