"""The measures of the embedded base see what is right on true drawings, and nothing in noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from linocut.prompting.lexicon import FACES
from pretrain.draw import Painter
from pretrain.measures import apart, held_out, item_colour, lab, read_word, right, score
from pretrain.scene import Colour, Ground, Item, Scene


class Plain(Painter):
    """Every typeface is the one that comes with Pillow, so that no font package is needed."""

    def font(self, face: str, size: int) -> ImageFont.FreeTypeFont:  # type: ignore[override]
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font


PAINTER = Plain(Path())
COUNT = 8


def test_distances_are_those_of_the_standard() -> None:
    assert np.allclose(lab(np.array([255, 255, 255])), (100, 0, 0), atol=0.1)
    assert apart(np.array([0, 0, 0]), np.array([255, 255, 255])) == pytest.approx(100, abs=0.1)
    assert apart(np.array([120, 120, 120]), np.array([124, 124, 124])) < 2 < apart(np.zeros(3), np.array([40, 0, 0]))


@pytest.mark.parametrize("kind", ["one", "letter", "word", "many"])
def test_truth_passes_and_noise_does_not(kind: str) -> None:
    truth = held_out(kind, COUNT, PAINTER)
    scenes = [scene for _, scene in truth]
    noise = np.random.default_rng(1).integers(0, 256, (COUNT, 128, 128, 3), dtype=np.uint8)
    seen, unseen = score(np.stack([p for p, _ in truth]), scenes, PAINTER), score(noise, scenes, PAINTER)
    for name, share in seen.items():
        assert share >= 0.85, (name, share)
        assert unseen[name] <= 0.4, (name, unseen[name])


@pytest.mark.parametrize("text", ["tea", "Quick", "b", "Xy"])
def test_small_letters_are_read_among_small_ones(text: str) -> None:
    white, red = Colour("white", (255, 255, 255)), Colour("red", (220, 42, 42))
    item = Item("", white, white, False, (14.0, 30.0, 114.0, 98.0), text=text, face=FACES[0])
    pixels, _, scene = PAINTER.paint(Scene(128, 128, Ground("plain", red, red, 16.0), (item,)))
    assert read_word(pixels, scene, scene.items[0], PAINTER) == text
    assert read_word(np.roll(pixels[::-1, ::-1], 3, 0), scene, scene.items[0], PAINTER) != text


def test_another_picture_is_not_taken_for_the_asked_one() -> None:
    truth = held_out("one", COUNT, PAINTER)
    own = [right(p, s, s.items[0], PAINTER) for p, s in truth]
    others = [right(truth[i - 1][0], s, s.items[0], PAINTER) for i, (_, s) in enumerate(truth)]
    assert sum(own) >= COUNT - 1
    assert sum(others) == 0


@pytest.mark.parametrize("name", ["bottle", "sun", "cup", "house"])
def test_an_objects_colour_is_its_own_and_not_its_second(name: str) -> None:
    """Also where the second lies further from the ground: white with a navy part on a pale ground."""
    pale, white, navy = Colour("sky", (200, 225, 245)), Colour("white", (255, 255, 255)), Colour("navy", (20, 35, 90))
    box = (40.0, 40.0, 80.0, 90.0)
    item = Item(name, white, navy, True, box)
    turned = Item(name, navy, white, True, box)
    scene, other = (Scene(128, 128, Ground("plain", pale, pale, 16.0), (one,)) for one in (item, turned))
    pixels, wrong = (PAINTER.paint(one)[0] for one in (scene, other))
    assert apart(item_colour(pixels, scene, item, PAINTER), np.array(white.rgb)) < 2
    assert apart(item_colour(wrong, scene, item, PAINTER), np.array(white.rgb)) > 50
    thin = Item("", navy, navy, False, (20.0, 40.0, 100.0, 56.0), text="MILK", face=FACES[1])
    pixels, _, drawn = PAINTER.paint(Scene(128, 128, Ground("plain", pale, pale, 16.0), (thin,)))
    assert apart(item_colour(pixels, drawn, drawn.items[0], PAINTER), np.array(navy.rgb)) < 12
