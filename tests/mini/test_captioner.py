"""The captioner: what it is taught, how it sees, how it learns, and how what it writes is judged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tests.mini.test_measures import PAINTER
from tests.mini.test_pretraining import TINY, fresh_words

from linocut.pretrain import captions, tokenizer, vae
from linocut.pretrain.captioner import data, judge, lessons, looking, net, wishes
from linocut.pretrain.captioner import train as captioner_train
from linocut.pretrain.captioner.colours import bare, keep_palettes, with_palettes
from linocut.pretrain.captioner.places import places
from linocut.pretrain.captioner.redraw import changed, redraw
from linocut.pretrain.config import SIZES, CaptionerConfig, TransformerConfig, VaeConfig
from linocut.pretrain.net import Mini, block_forward
from linocut.pretrain.scene import Item, Scene, sample
from linocut.pretrain.train import Run

WORDS = tokenizer.build()
CONFIG = replace(CaptionerConfig(), width=48, layers=1, heads=2, kv_heads=1, mlp=64, batch=4, seconds=4.0)
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
    lesson = lessons.expanded(rng, PAINTER, scene)
    assert lesson.asked.startswith(f"{lessons.ratio(size)} ")
    assert all((item.text or item.name) in lesson.asked for item in scene.items)
    assert {item.colour.name for item in scene.items} <= set(re.findall("[a-z]+", lesson.asked))
    assert judge.kept(judge.read(lesson.answer), scene)


@pytest.mark.parametrize(("size", "said"), [((128, 128), "1:1"), ((171, 96), "16:9"), ((96, 171), "9:16"),
                                            ((176, 96), "11:6")])  # fmt: skip
def test_a_frame_is_told_by_its_ratio(size: tuple[int, int], said: str) -> None:
    assert lessons.ratio(size) == said


# How it sees.


def test_looking_is_the_same_each_time_and_leaves_the_network_as_it_was() -> None:
    torch.manual_seed(0)
    model = Mini(replace(TINY, layers=8), fresh_words()).train(False)
    latents = torch.randn(2, 16, 4 * VaeConfig().latent_channels, generator=torch.Generator().manual_seed(1))
    first = looking.look(model, latents, (4, 4), seed=5)
    assert first.shape == (2, 16, looking.channels(model.config))
    assert torch.equal(first, looking.look(model, latents, (4, 4), seed=5))
    assert not torch.equal(first, looking.look(model, latents, (4, 4), seed=6))
    blocks = 2 * model.config.heads * model.config.head_dim
    assert torch.equal(first[..., blocks : blocks + latents.shape[-1]], latents)
    assert model.run_block is block_forward


def test_four_neighbouring_cells_are_one_token() -> None:
    """A change in one cell changes the token that it lies in and no other."""
    captioner = net.Captioner(CONFIG, WORDS, seen=3).train(False)
    cells = torch.randn(1, 4 * 6, 3, generator=torch.Generator().manual_seed(0))
    other = cells.clone()
    other.view(1, 4, 6, 3)[0, 3, 4] += 1.0
    with torch.no_grad():
        apart = (captioner.picture(cells, (4, 6)) - captioner.picture(other, (4, 6))).abs().sum(-1)[0]
    assert apart.nonzero().flatten().tolist() == [1 * 3 + 2]


def test_neighbours_of_a_number_are_nearly_right_and_nothing_else_is() -> None:
    soft = net.soft_targets(WORDS)
    ids = WORDS.convert_tokens_to_ids(["500", "501", "900", "star", "#80", "#81"])
    assert torch.allclose(soft.sum(1), torch.ones(len(WORDS)), atol=1e-5)
    assert soft[ids[0], ids[0]] > soft[ids[0], ids[1]] > 0.05
    assert soft[ids[0], ids[2]] < 1e-6
    assert soft[ids[3], ids[3]] == 1.0
    assert soft[ids[4], ids[4]] > soft[ids[4], ids[5]] > 0.05


def test_each_letter_and_element_is_asked_for_where_it_stands() -> None:
    scene = next(s for s in map(scene_of, range(500)) if len(s.items) == 2 and len(s.items[0].text) > 2)
    ids = list(WORDS(lessons.answer(scene))["input_ids"])
    where = places(WORDS, ids, scene)
    names = WORDS.convert_ids_to_tokens(ids)
    first = names.index('],"text":"') + 1
    for index, (letter, (x0, y0, x1, y1)) in enumerate(zip(scene.items[0].text, scene.items[0].cells, strict=True)):
        assert names[first + index] == letter
        assert where[first + index] == pytest.approx(((y0 + y1) / 256, (x0 + x1) / 256, 1.0))
    x0, y0, x1, y1 = scene.items[1].box
    assert where[-1] == pytest.approx(((y0 + y1) / 256, (x0 + x1) / 256, 1.0))
    assert where[first + len(scene.items[0].text)] == pytest.approx(where[first - 1])  # the whole word again
    assert not where[0].any()


# How it learns.


def test_only_answers_are_asked_for() -> None:
    told = [lessons.Lesson("make the star red", '{"a":1}', scene_of(0)), lessons.Lesson("", "star", scene_of(0))]
    batch = data.collate(WORDS, told, [], (0, 0))
    for row, answer in zip(range(2), ('{"a":1}', "star"), strict=True):
        asked_for = batch.ids_bl[row, 1:][batch.answers_bl[row, :-1]]
        assert WORDS.decode(asked_for) == answer + tokenizer.SPECIAL[0]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A drawing network and an autoencoder that were never trained, as a run of the pretraining leaves them.

    Lessons are made in this process, with the typeface that comes with Pillow.
    """
    monkeypatch.setattr(data, "Painter", lambda _: PAINTER)
    monkeypatch.setattr(captioner_train, "ahead", lambda *given: here(*given))
    work = tmp_path
    Run(TransformerConfig(), fresh_words(TransformerConfig())).save(work / "transformer.safetensors")
    save_file({k: v.contiguous() for k, v in vae.build(VaeConfig()).state_dict().items()}, work / "vae.safetensors")
    return work


def here(config: CaptionerConfig, work: Path, fonts: Path, step: int) -> Iterator[data.Batch]:
    """What ``data.ahead`` gives, without its child process."""
    source = data.Source(config, work, fonts)
    while True:
        yield from source.batches(step)
        step += data.GROUP


def test_lessons_follow_from_seed_and_step(work: Path) -> None:
    kinds = set()
    for step, sentences in enumerate((0.0, 0.0, 1.0)):
        config = replace(CONFIG, sentences=sentences, wishes=0.0, native_share=0.5)
        one, other = (data.Source(config, work, work).batches(step) for _ in range(2))
        for a, b in zip(one, other, strict=True):
            assert all(torch.equal(vars(a)[k], vars(b)[k]) for k in ("ids_bl", "answers_bl", "places_bl3", "seen_bnc"))
            assert a.grid == b.grid
            assert len(a.ids_bl) == config.batch
            kinds.add(a.grid)
    assert (0, 0) in kinds
    assert len(kinds) > 1
    assert kinds <= {(0, 0), *((h // 8, w // 8) for w, h in SIZES)}


def test_a_run_learns_and_goes_on_where_it_stopped(work: Path) -> None:
    captioner_train.train(replace(CONFIG, sentences=1.0), work, work, resume=False)
    header = captioner_train.read_header(work / captioner_train.FILE)
    assert int(header["seen"]) == 4 * int(header["step"]) > 0
    captioner_train.train(replace(CONFIG, sentences=1.0), work, work, resume=True)
    assert int(captioner_train.read_header(work / captioner_train.FILE)["step"]) > int(header["step"])
    averaged = captioner_train.trained(CONFIG, work)
    tensors = load_file(work / captioner_train.FILE)
    assert torch.equal(averaged.merge[0].weight, tensors["ema.merge.0.weight"])
    batch = data.Source(replace(CONFIG, sentences=1.0), work, work).batches(10**6)[0]
    soft = net.soft_targets(WORDS)
    with torch.no_grad():
        fresh = captioner_train.loss(captioner_train.build(CONFIG).train(False), batch, soft)
        assert captioner_train.loss(averaged, batch, soft) < fresh - 0.3


def test_what_is_written_ends_where_the_answer_ends() -> None:
    """One question learned by heart, behind a picture and without one."""
    config = replace(CONFIG, lr=0.01)
    torch.manual_seed(0)
    captioner = net.Captioner(config, WORDS, seen=3)
    cells = torch.randn(2, 16, 3, generator=torch.Generator().manual_seed(0))
    told = [lessons.Lesson("", text, scene_of(0)) for text in ('{"a":"TEA"}', '{"a":"JAM"}')]
    batch = data.collate(WORDS, told, list(cells), (4, 4))
    optimiser = torch.optim.AdamW(captioner.parameters(), 5e-3)
    soft = net.soft_targets(WORDS)
    for _ in range(80):
        loss = captioner_train.loss(captioner, batch, soft)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    ids = torch.tensor([data.question(WORDS, "")] * 2)
    captioner.train(False)
    with torch.no_grad():
        written = captioner.write(captioner.picture(cells, (4, 4)), ids, 30)
    assert [WORDS.decode(row) for row in written] == ['{"a":"TEA"}', '{"a":"JAM"}']


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
