"""The run on a GPU, on a CPU: what its store holds, what a batch takes from it, and that a run logs and saves."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mini.tests.test_measures import PAINTER
from mini.tests.test_pretraining import TINY, fresh_words
from safetensors.torch import save_file

from pretrain import data, gpu, pool, tokenizer, vae
from pretrain.__main__ import main
from pretrain.config import SIZES, GpuConfig, VaeConfig
from pretrain.muon import Muon
from pretrain.scene import sample
from pretrain.spelling import Spelling
from pretrain.train import Run, read_header

WORDS = tokenizer.build()
SMALL = {name: getattr(TINY, name) for name in ("layers", "heads", "mlp", "adaln", "text_dim")}
CONFIG = replace(GpuConfig(), **SMALL, whole_batch=4, buffer=64, chunk=4, native_share=1.0, seconds=1.0)


def drawn(seed: int, config: GpuConfig = CONFIG) -> pool.Chunk:
    return pool.chunk(config, np.random.default_rng(seed), PAINTER, WORDS, Spelling(WORDS))


def filled(*seeds: int, config: GpuConfig = CONFIG) -> pool.Pool:
    store = pool.Pool(config, vae.build(VaeConfig()), "cpu")
    for seed in seeds:
        store.put(drawn(seed, config))
    return store


def test_cells_of_many_pictures_are_those_of_each() -> None:
    rng = np.random.default_rng(0)
    labels = [PAINTER.paint(sample(rng, 144, 112, 0.9, 0.5))[1] for _ in range(6)]
    classes, strokes = pool.cells(torch.from_numpy(np.stack(labels)))
    for i, one in enumerate(labels):
        wanted = data.cells(one)
        assert np.array_equal(classes[i].numpy(), wanted[0].flatten())
        assert np.array_equal(strokes[i].numpy(), wanted[1].reshape(-1, wanted[1].shape[-1]))


@pytest.mark.parametrize("native", [1.0, 0.0])
def test_a_batch_holds_what_was_drawn_and_said(native: float) -> None:
    config = replace(CONFIG, native_share=native, caption_dropout=0.25)
    new = drawn(3, config)
    store = filled(3, config=config)
    size = new["pixels"].shape[2], new["pixels"].shape[1]
    picks = store.shelves[size].picks(np.random.default_rng(1))
    dropped = 0
    for pick in picks:
        batch = pick.shelf.batch(torch.from_numpy(pick.rows_3b), pick.text)
        assert batch.grid == (size[1] // data.TOKEN, size[0] // data.TOKEN)
        assert (pick.text + batch.latent_bnc.shape[1]) % 8 == 0
        encoded = data.encode(store.vae, torch.from_numpy(new["pixels"]))
        for i, (row, which, length) in enumerate(pick.rows_3b.T):
            assert torch.allclose(batch.latent_bnc[i], encoded[row], atol=1e-2)
            assert length in (0, new["lengths"][row, which])
            said = batch.ids_bl[i, pick.text - length :].numpy()
            assert np.array_equal(said, new["ids"][row, which][pool.KEPT - length :])
            colours = data.cell_colours(new["pixels"][row]).reshape(-1, 3)
            assert torch.allclose(batch.colours_bn3[i], torch.from_numpy(colours).float(), atol=2e-3)
            assert bool(batch.marks_bl3[i].any()) == bool(length and new["marks"][row, which].any())
            dropped += length == 0
    assert dropped == pytest.approx(4, abs=3)
    longest = [int(pick.rows_3b[2].max()) for pick in picks]
    shortest = [int(pick.rows_3b[2].min()) for pick in picks]
    assert sum(high <= low for high in longest for low in shortest) >= 6  # sorted: each pair of batches, one way


def test_the_newest_pictures_take_the_place_of_the_oldest() -> None:
    store = filled(0, 1, 2, config=replace(CONFIG, buffer=8))
    shelf = store.shelves[SIZES[0]]
    assert (shelf.room, shelf.count, store.drawn) == (8, 8, 12)
    assert np.array_equal(shelf.lengths_pc, np.concatenate([drawn(2)["lengths"], drawn(1)["lengths"]]))
    assert torch.equal(shelf.kept["ids"][:4], torch.from_numpy(drawn(2)["ids"]))


class Few:
    """Three chunks, and then nothing more."""

    def __init__(self, *_: Any) -> None:
        self.seeds = iter(range(3))

    def take(self, seconds: float) -> pool.Chunk | None:
        seed = next(self.seeds, None)
        return None if seed is None else drawn(seed)

    def close(self) -> None:
        self.seeds = iter(())


def test_a_run_moves_the_weights_logs_and_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "Drawers", Few)
    monkeypatch.setattr(gpu, "FIRST_PICTURES", 12)
    monkeypatch.setattr(gpu, "LOG_STEPS", 4)
    save_file({k: v.contiguous() for k, v in vae.build(VaeConfig()).state_dict().items()}, tmp_path / "vae.safetensors")
    gpu.train(CONFIG, tmp_path, Path(), resume=False, drawers=1, device="cpu")
    first = read_header(tmp_path / "transformer.safetensors")
    before = Run(CONFIG, fresh_words())
    before.load(tmp_path / "transformer.safetensors")
    gpu.train(CONFIG, tmp_path, Path(), resume=True, drawers=1, device="cpu")
    last = read_header(tmp_path / "transformer.safetensors")
    after = Run(CONFIG, fresh_words())
    after.load(tmp_path / "transformer.safetensors")
    assert int(last["step"]) > int(first["step"]) == int(last["begun"]) > 0
    assert int(last["seen"]) == 4 * int(last["step"])
    assert any(not torch.equal(a, b) for a, b in zip(before.model.parameters(), after.model.parameters(), strict=True))
    rows = [json.loads(line) for line in (tmp_path / "transformer.jsonl").read_text().splitlines()]
    assert rows[0]["device"] == "cpu"
    assert rows[0]["config"]["whole_batch"] == 4
    assert rows[1]["step"] % 4 == 0
    assert 0 < rows[1]["flow"] < 20
    assert rows[-1]["drawn"] == 12


def test_a_run_whose_drawers_are_gone_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here for want of fonts."""
    monkeypatch.setattr(pool, "PATIENCE", 0.1)
    drawers = pool.Drawers(CONFIG, tmp_path, 1, 0)
    store = pool.Pool(CONFIG, vae.build(VaeConfig()), "cpu")
    store.fill(drawers)
    store.thread.join(120)
    with pytest.raises(RuntimeError, match="--fonts"):
        store.check()
    drawers.close()


@pytest.mark.parametrize(
    "given",
    ["vae --device cuda", "transformer --batch 8", "transformer --drawers 3", "transformer --seconds 9",
     "transformer --device cuda --steps 9"],
)  # fmt: skip
def test_an_option_that_would_be_ignored_is_refused(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pretrain", *given.split()])
    with pytest.raises(SystemExit):
        main()
    assert "--device" in capsys.readouterr().err.splitlines()[-1]


def test_rates_in_tensors_are_the_same_rates() -> None:
    gradient = torch.randn(16, 24, generator=torch.Generator().manual_seed(2))
    ends = []
    for lr in (0.01, torch.tensor(0.01)):
        weight = torch.nn.Parameter(torch.ones(16, 24))
        muon = Muon([weight], lr=0.5, weight_decay=0.1)
        muon.param_groups[0]["lr"] = lr
        weight.grad = gradient.clone()
        muon.step()
        ends.append(weight.detach())
    assert torch.allclose(ends[0], ends[1])
    one, other = Run(CONFIG, fresh_words()), Run(CONFIG, fresh_words())
    other.hold_rates("cpu")
    held = [group["lr"] for optimiser in other.optimisers for group in optimiser.param_groups]
    for run in (one, other):
        run.step = 50
        run.set_rate(CONFIG, 0.7)
    plain = [group["lr"] for optimiser in one.optimisers for group in optimiser.param_groups]
    assert [rate.item() for rate in held] == pytest.approx(plain)
