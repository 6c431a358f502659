"""Pictures read cell by cell, and captions written for texts: each learns, and each repeats itself exactly."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from mini.tests.test_captioner import SEEDS, WORDS, scene_of
from mini.tests.test_measures import PAINTER
from mini.tests.test_pretraining import RED, TINY, WHITE, fresh_words
from safetensors.torch import save_file

from linocut.prompting.lexicon import FACES
from pretrain import captions, tokenizer, vae
from pretrain.__main__ import main
from pretrain.captioner import judge, lessons, looking, read_train, reader, write_train, writer
from pretrain.config import ReaderConfig, TransformerConfig, VaeConfig, WriterConfig
from pretrain.data import encode
from pretrain.net import Mini, block_forward
from pretrain.scene import Ground, Item, Scene
from pretrain.train import Run, read_header

READER = replace(ReaderConfig(), width=32, page=4, seconds=60.0)
WRITER = replace(WriterConfig(), width=48, layers=1, heads=2, kv_heads=1, mlp=64, batch=4, seconds=120.0)
"""Steps, as ``work`` sets the clock: a busy machine trains as long as a quiet one."""


# How it reads.


def test_looking_is_the_same_each_time_and_leaves_the_network_as_it_was() -> None:
    torch.manual_seed(0)
    model = Mini(replace(TINY, layers=8), fresh_words()).train(False)
    autoencoder = vae.build(VaeConfig()).train(False)
    pixels = torch.from_numpy(np.stack([PAINTER.paint(scene_of(seed))[0] for seed in (0, 1)]))[:, :48]
    first = looking.look(model, autoencoder, pixels, seed=5)
    assert first.shape == (2, 6 * 16, looking.channels(model.config))
    assert torch.equal(first, looking.look(model, autoencoder, pixels, seed=5))
    assert not torch.equal(first, looking.look(model, autoencoder, pixels, seed=6))
    blocks = 2 * model.config.heads * model.config.head_dim
    latents = encode(autoencoder, pixels)
    assert torch.equal(first[..., blocks : blocks + latents.shape[-1]], latents)
    cell = pixels[1, 16:24, 40:48].float() / 127.5 - 1  # third row, sixth column
    assert torch.equal(first[1, 2 * 16 + 5, -192:], cell.flatten())
    assert model.run_block is block_forward


def perfect(scene: Scene) -> dict[str, torch.Tensor]:
    """What a reader says that knows everything."""
    out = {}
    for name, true in reader.labels(scene).items():
        sizes = {**reader.SIZES, **reader.WHOLE}
        told = torch.from_numpy(true)
        if name != "box":
            told = torch.nn.functional.one_hot(told.long(), sizes[name]).float() * 20
            told = told.permute(2, 0, 1) if told.ndim == 3 else told
        out[name] = told[None]
    return out


@given(seed=SEEDS)
def test_what_a_perfect_reader_says_is_the_scene(seed: int) -> None:
    """Everything but the exact values of colours, which are measured, and what is smaller than a cell."""
    scene = replace(scene_of(seed), items=tuple(i for i in scene_of(seed).items if len(i.text) <= 6))
    if any(min(i.box[2] - i.box[0], i.box[3] - i.box[1]) < 12 for i in scene.items):
        return
    found = reader.scene_of(perfect(scene), (128, 128))
    assert captions.ground_phrase(found.ground) == captions.ground_phrase(scene.ground)
    assert len(found.items) == len(scene.items)
    for one, item in zip(
        sorted(found.items, key=lambda i: i.box), sorted(scene.items, key=lambda i: i.box), strict=True
    ):
        assert captions.item_phrase(one) == captions.item_phrase(item)
        assert one.text == item.text
        assert one.box == pytest.approx(item.box, abs=0.1)


def test_two_words_side_by_side_stay_two_words() -> None:
    words = [Item("", RED, RED, False, box, text=text, face=FACES[0])
             for text, box in (("TEA", (4.0, 40.0, 60.0, 70.0)), ("JAM", (66.0, 40.0, 122.0, 70.0)))]  # fmt: skip
    scene = PAINTER.paint(Scene(128, 128, Ground("plain", WHITE, WHITE, 16.0), tuple(words)))[2]
    assert sorted(item.text for item in reader.scene_of(perfect(scene), (128, 128)).items) == ["JAM", "TEA"]


def test_an_element_that_hardly_a_cell_believes_in_is_none() -> None:
    said = perfect(scene_of(0))
    said["class"] = torch.zeros_like(said["class"])
    said["class"][:, 0] = 20.0
    assert reader.scene_of(said, (128, 128)).items == ()
    said["class"][:, :, 3, 3] = 0.0
    said["class"][:, 5, 3, 3] = 1.0  # one cell, half sure
    assert reader.scene_of(said, (128, 128)).items == ()


def test_elements_are_asked_for_where_they_are() -> None:
    scene = scene_of(3)
    said, true = perfect(scene), {k: torch.from_numpy(v)[None] for k, v in reader.labels(scene).items()}
    fine = reader.losses(said, true)
    assert all(float(part) < 1e-3 for part in fine.values())
    off = {name: value.flip(1) for name, value in said.items()}
    assert all(float(reader.losses(off, true)[name]) > 0.1 for name in ("class", "colour", "face", "kind", "first"))
    elsewhere = {**said, "colour": said["colour"].clone()}
    nobodys = (true["class"] == 0)[:, None].expand_as(elsewhere["colour"])
    elsewhere["colour"][nobodys] = -50.0
    assert float(reader.losses(elsewhere, true)["colour"]) < 1e-3


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A drawing network and an autoencoder that were never trained, as a run of the pretraining leaves them.

    Pictures are drawn in this process, with the typeface that comes with Pillow. The clock ticks once when it is read.
    """
    monkeypatch.setattr(read_train, "time", SimpleNamespace(monotonic=itertools.count().__next__))
    monkeypatch.setattr(write_train, "time", SimpleNamespace(monotonic=itertools.count().__next__))
    monkeypatch.setattr(read_train, "Painter", lambda _: PAINTER)
    monkeypatch.setattr(write_train, "Painter", lambda _: PAINTER)
    monkeypatch.setattr(read_train, "ahead", here)
    Run(TransformerConfig(), fresh_words(TransformerConfig())).save(tmp_path / "transformer.safetensors")
    state = {k: v.contiguous() for k, v in vae.build(VaeConfig()).state_dict().items()}
    save_file(state, tmp_path / "vae.safetensors")
    return tmp_path


def here(config: ReaderConfig, work: Path, fonts: Path, number: int) -> Iterator[read_train.Pages]:
    """What ``read_train.ahead`` gives, without its child process."""
    source = read_train.Source(config, work, fonts)
    while True:
        yield source.pages(number)
        number += 1


def test_pages_follow_from_seed_and_number(work: Path) -> None:
    config = replace(READER, native_share=0.5)
    sizes = set()
    for number in range(4):
        one, other = (read_train.Source(config, work, work).pages(number) for _ in range(2))
        assert torch.equal(one.seen_bchw, other.seen_bchw)
        assert all(torch.equal(one.true[name], other.true[name]) for name in one.true)
        assert one.true["class"].shape == (config.page, *one.seen_bchw.shape[2:])
        sizes.add(tuple(one.seen_bchw.shape[2:]))
    assert len(sizes) > 1


def test_a_reader_learns_even_through_an_untrained_network(work: Path) -> None:
    """Latents alone tell ink from ground and one colour from another."""
    read_train.train(READER, work, work)
    trained, fresh = (
        read_train.trained(READER, work),
        reader.Reader(looking.channels(TransformerConfig()), READER.width),
    )
    pages = read_train.Source(READER, work, work).pages(10**6)
    with torch.no_grad():
        before, after = (reader.losses(m(pages.seen_bchw.float()), pages.true) for m in (fresh, trained))
    assert after["class"] < before["class"] - 0.5
    assert after["box"] < before["box"]
    header = read_header(work / read_train.FILE)
    assert int(header["step"]) > 10
    found = reader.read(trained, pages.seen_bchw[:1].float().flatten(2).mT, tuple(pages.seen_bchw.shape[2:]))
    assert judge.read(lessons.answer(found)) is not None


# How it writes.


def test_neighbours_of_a_number_are_nearly_right_and_nothing_else_is() -> None:
    soft = writer.soft_targets(WORDS)
    ids = WORDS.convert_tokens_to_ids(["500", "501", "900", "star"])
    assert torch.allclose(soft.sum(1), torch.ones(len(WORDS)), atol=1e-5)
    assert soft[ids[0], ids[0]] > soft[ids[0], ids[1]] > 0.05
    assert soft[ids[0], ids[2]] < 1e-6
    assert soft[ids[3], ids[3]] == 1.0


def lesson(asked: str, answer: str) -> lessons.Lesson:
    return lessons.Lesson(asked, answer)


def test_only_answers_are_asked_for() -> None:
    told = ('{"a":1}', "star")
    ids_bl, answers_bl = write_train.collate(WORDS, [lesson("make the star red", told[0]), lesson("", told[1])])
    for row, answer in enumerate(told):
        assert WORDS.decode(ids_bl[row, 1:][answers_bl[row, :-1]]) == answer + tokenizer.SPECIAL[0]


def test_lessons_follow_from_seed_and_step() -> None:
    one, other = (write_train.batches(WRITER, PAINTER, WORDS, 7) for _ in range(2))
    assert len(one) == write_train.GROUP
    assert all(torch.equal(a, b) for pair in zip(one, other, strict=True) for a, b in zip(*pair, strict=True))
    assert not torch.equal(one[0][0], write_train.batches(WRITER, PAINTER, WORDS, 8)[0][0])


def test_a_writer_learns(work: Path) -> None:
    write_train.train(WRITER, work, work)
    trained, batch = write_train.trained(WRITER, work), write_train.batches(WRITER, PAINTER, WORDS, 10**6)[0]
    soft = writer.soft_targets(WORDS)
    with torch.no_grad():
        fresh = writer.loss_of(writer.build(WRITER, WORDS).train(False), *batch, soft)
        assert writer.loss_of(trained, *batch, soft) < fresh - 1.0
    header = read_header(work / write_train.FILE)
    assert int(header["seen"]) == WRITER.batch * int(header["step"]) > 0


def test_what_is_written_ends_where_the_answer_ends() -> None:
    """Two answers learned by heart."""
    model = writer.build(WRITER, WORDS)
    told = {"a star": '{"a":"TEA"}', "a cat": '{"a":"JAM"}'}
    batch = write_train.collate(WORDS, [lesson(*pair) for pair in told.items()])
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3)
    soft = writer.soft_targets(WORDS)
    for _ in range(60):
        optimiser.zero_grad()
        writer.loss_of(model, *batch, soft).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    model.train(False)
    assert {asked: writer.write(model, WORDS, asked, longest=30) for asked in told} == told


@pytest.mark.parametrize("stage", ["reader", "writer"])
@pytest.mark.parametrize("option", ["--resume", "--compile", "--steps 5", "--decoder-only", "--mirror-rims"])
def test_options_of_other_stages_are_refused(
    stage: str, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pretrain", stage, *option.split()])
    with pytest.raises(SystemExit):
        main()
    assert f"the stage {stage} begins anew" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("stage", ["reader", "writer"])
def test_a_stage_is_run_as_long_as_was_asked(stage: str, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []
    room = {"reader": read_train, "writer": write_train}[stage]
    monkeypatch.setattr(room, "train", lambda config, folder, fonts: lengths.append((config.seconds, folder, fonts)))
    monkeypatch.setattr(sys, "argv", ["pretrain", stage, "--work", str(work), "--seconds", "7"])
    main()
    assert lengths == [(7.0, work, work / "fonts")]
