"""Captions of pictures, sentences and wishes: what is taught, how it is judged, and a picture drawn anew."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mini.tests.test_measures import PAINTER
from mini.tests.test_pretraining import TINY, fresh_words

from pretrain import captions, tokenizer, vae
from pretrain.captioner import judge, lessons, wishes
from pretrain.captioner.colours import bare, keep_palettes, with_palettes
from pretrain.captioner.redraw import changed, redraw
from pretrain.config import VaeConfig
from pretrain.net import Mini
from pretrain.scene import Item, Scene, sample

WORDS = tokenizer.build()
SEEDS = st.integers(0, 10_000)


def scene_of(seed: int, level: float = 0.9) -> Scene:
    painted = PAINTER.paint(sample(np.random.default_rng(seed), 128, 128, level, 0.5))[2]
    return wishes.ordered(painted)


def drawing_network() -> Mini:
    torch.manual_seed(0)
    return Mini(TINY, fresh_words()).train(False)


# What it is taught.


def without(item: Item, *names: str) -> dict[str, object]:
    return {key: value for key, value in vars(item).items() if key not in names}


@pytest.mark.parametrize("kind", wishes.KINDS)
@given(seed=SEEDS)
def test_a_wish_changes_what_it_names_and_nothing_else(kind: str, seed: int) -> None:
    scene = scene_of(seed)
    made = wishes.wish(np.random.default_rng(seed), scene, kind)
    if made is None:
        assert kind != "ground"
        return
    said, after = made
    assert said
    assert after != scene
    assert "{" not in said
    if kind == "ground":
        assert after.items == scene.items
        assert after.ground.first.name in said
        return
    assert after.ground == scene.ground
    gone = [item for item in scene.items if item not in after.items]
    come = [item for item in after.items if item not in scene.items]
    assert (len(gone), len(come)) == {"remove": (1, 0), "add": (0, 1)}.get(kind, (1, 1))
    allowed = {"recolour": ("colour",), "move": ("box", "letters", "cells"), "reword": ("text", "letters", "cells"),
               "swap": ("name", "second", "named_second", "box", "outlined", "tilt")}  # fmt: skip
    if kind in allowed:
        assert without(gone[0], *allowed[kind]) == without(come[0], *allowed[kind])
    if gone and kind != "reword":
        assert wishes.reference(gone[0], scene) in said
    if kind == "reword":
        assert gone[0].text in said
        assert come[0].text in said
    if kind == "recolour":
        assert come[0].colour.name in said
    if kind == "swap":
        assert f" {come[0].name}" in said
    if kind in ("move", "add"):
        x0, y0, x1, y1 = come[0].box
        assert x0 >= 0
        assert y0 >= 0
        assert x1 <= 128
        assert y1 <= 128
        assert wishes._free(come[0].box, [item for item in after.items if item is not come[0]])
        assert any(said.endswith(spot) for spot in wishes.SPOTS)


def test_one_of_two_of_a_kind_is_called_by_its_colour() -> None:
    star = next(item for seed in range(500) for item in scene_of(seed).items if item.name == "star")
    alone = replace(scene_of(0), items=(star,))
    assert wishes.reference(star, alone) == "the star"
    assert wishes.reference(star, replace(alone, items=(star, star))) == f"the {star.colour.name} star"


@given(seed=SEEDS)
def test_an_answer_is_a_caption_that_tells_everything(seed: int) -> None:
    scene = scene_of(seed)
    caption = judge.read(lessons.answer(scene))
    assert caption is not None
    assert [e["bbox"][0] for e in judge.elements(caption)] == sorted(e["bbox"][0] for e in judge.elements(caption))
    assert judge.all_told(caption, scene)


@given(seed=SEEDS)
def test_a_sentence_names_each_thing_and_the_colours_that_its_caption_has(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = lessons.frame(rng)
    scene = lessons.by_name(sample(rng, *size, 0.9, 0.5))
    made = lessons.expanded(rng, PAINTER, scene)
    assert made.asked.startswith(f"{lessons.ratio(size)} ")
    assert all((item.text or item.name) in made.asked for item in scene.items)
    assert {item.colour.name for item in scene.items} <= set(re.findall("[a-z]+", made.asked))
    assert judge.kept(judge.read(made.answer), scene)


@pytest.mark.parametrize(("size", "said"), [((128, 128), "1:1"), ((171, 96), "16:9"), ((96, 171), "9:16"),
                                            ((176, 96), "11:6")])  # fmt: skip
def test_a_frame_is_told_by_its_ratio(size: tuple[int, int], said: str) -> None:
    assert lessons.ratio(size) == said


# How it is judged.


def with_element(scene: Scene, index: int, **changes: object) -> dict[str, object] | None:
    caption = json.loads(lessons.answer(scene))
    caption["compositional_deconstruction"]["elements"][index].update(changes)
    return judge.read(json.dumps(caption))


def test_each_mistake_is_seen() -> None:
    scene = next(s for s in map(scene_of, range(500)) if len(s.items) > 1 and len(s.items[0].text) > 2)
    fine = {"thing": True, "box": True, "colour": True}
    assert judge.told(judge.read(lessons.answer(scene)), scene)[0] == fine
    other = "#000000" if sum(scene.items[0].colour.rgb) > 300 else "#FFFFFF"
    for key, change in (("thing", {"text": "ZZZZ"}), ("colour", {"color_palette": [other]}),
                        ("box", {"bbox": [0, 0, 20, 20]})):  # fmt: skip
        caption = with_element(scene, 0, **change)
        assert judge.told(caption, scene)[0][key] is False
        assert not judge.all_told(caption, scene)
    whole = json.loads(lessons.answer(scene))
    whole["compositional_deconstruction"]["elements"].append(whole["compositional_deconstruction"]["elements"][0])
    assert not judge.all_told(judge.read(json.dumps(whole)), scene)  # something that is not there
    assert not judge.kept(judge.read(json.dumps(whole)), scene)
    assert judge.read('{"compositional_deconstruction":') is None
    assert judge.read("[]") is None
    assert judge.told(None, scene)[0] == {"thing": False, "box": False, "colour": False}


def test_overlap_is_intersection_over_union() -> None:
    assert judge.overlap([0, 0, 100, 100], [0, 50, 100, 150]) == pytest.approx(1 / 3)
    assert judge.overlap([0, 0, 0, 0], [0, 0, 0, 0]) == 0.0


@given(seed=SEEDS)
def test_palettes_are_what_the_picture_shows(seed: int) -> None:
    """Of pictures on plain grounds whose elements are told rightly; a thin letter's colour may be half its ground's."""
    pixels, scene = lessons.painted(PAINTER, by_figures(seed))
    told = with_palettes(lessons.caption(scene), pixels)
    assert judge.same_ground(told, scene)
    assert all(judge.same_colour(e, item) for e, item in zip(judge.elements(told), scene.items, strict=True))
    assert judge.read(captions.serialise(told)) is not None
    assert bare(told) == lessons.caption(scene)


def by_figures(seed: int) -> Scene:
    """A scene's filled figures on its plain first colour."""
    scene = scene_of(seed)
    ground = replace(scene.ground, kind="plain", border=None)
    return replace(scene, ground=ground, items=tuple(i for i in scene.items if i.name and not i.outlined))


def test_what_stays_keeps_its_palette() -> None:
    scene = next(s for s in map(by_figures, range(500)) if len(s.items) == 2)
    before = with_palettes(lessons.caption(scene), PAINTER.paint(scene)[0])
    after = bare(before)
    after["compositional_deconstruction"]["elements"][1]["desc"] = "a teal star"
    kept = keep_palettes(before, after)
    assert judge.elements(kept)[0] == judge.elements(before)[0]
    assert "color_palette" not in judge.elements(kept)[1]
    assert kept["style_description"] == before["style_description"]
    after["compositional_deconstruction"]["background"] = "plain gold"
    assert "style_description" not in keep_palettes(before, after)


# How a picture is changed.


def test_only_what_the_caption_changes_is_drawn_anew() -> None:
    scene = next(s for s in map(scene_of, range(500)) if len(s.items) == 2)
    before = captions.full(scene)
    assert not changed(before, before, (16, 16)).any()
    moved = replace(scene, items=(replace(scene.items[0], box=(0.0, 0.0, 16.0, 16.0)), scene.items[1]))
    anew = changed(before, captions.full(moved), (16, 16))
    assert anew[0, 0]
    assert anew[2, 2]
    assert not anew.all()
    x0, y0, x1, y1 = scene.items[0].box
    assert anew[int((y0 + y1) / 16), int((x0 + x1) / 16)]  # where it was, too
    other = replace(scene, ground=replace(scene.ground, kind="plain", first=scene.ground.second))
    assert changed(before, captions.full(other), (16, 16)).all()
    loose = captions.full(moved)
    del loose["compositional_deconstruction"]["elements"][0]["bbox"]
    assert changed(before, loose, (16, 16)).all()


def test_what_stays_keeps_its_very_pixels() -> None:
    pixels, _, scene = PAINTER.paint(sample(np.random.default_rng(3), 128, 96, 0.9))
    anew = np.zeros((12, 16), bool)
    anew[2:5, 3:9] = True
    asked = captions.serialise(captions.full(scene))
    network, autoencoder = drawing_network(), vae.build(VaeConfig()).train(False)
    out = redraw(network, autoencoder, WORDS, pixels, asked, anew, seed=1, steps=2)
    inside = np.kron(anew, np.ones((8, 8), bool))
    assert out.shape == pixels.shape
    assert np.array_equal(out[~inside], pixels[~inside])
    assert not np.array_equal(out[inside], pixels[inside])
    again = redraw(network, autoencoder, WORDS, pixels, asked, anew, seed=1, steps=2)
    assert np.array_equal(out, again)
