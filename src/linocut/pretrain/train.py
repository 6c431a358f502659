"""The transformer's training run: flow matching on cached latents, resumable, logged.

Legend as in net.py. Time is counted in steps: one of windows costs about as much as one of whole pictures.
"""

from __future__ import annotations

import json
import math
import signal
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from linocut.pretrain import ahead, tokenizer, vae
from linocut.pretrain.config import TransformerConfig, VaeConfig
from linocut.pretrain.data import STROKES, Batch
from linocut.pretrain.draw import CLASS_OF, CLASSES
from linocut.pretrain.log import Log
from linocut.pretrain.muon import Muon, split
from linocut.pretrain.net import Mini, block_forward

KEPT_FROM_MUON = ("embed", "aux", "input_proj", "final_layer", "t_embedding", "adaln", "llm_cond")


def load_vae(work: Path) -> Any:
    model = vae.build(VaeConfig())
    model.load_state_dict(load_file(work / "vae.safetensors"))
    return model


FIRST_LETTER = CLASS_OF["A"]
SAVE_SECONDS = 240.0
FAR = 8.0
"""Tokens from the first to the middle of a native picture."""


def losses(model: Mini, batch: Batch, step: int) -> tuple[torch.Tensor, dict[str, float]]:
    config = model.config
    rng = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    late = min(1.0, step / (0.8 * config.steps))
    mean = config.sigma_mean + (config.sigma_mean_late - config.sigma_mean) * late
    b = batch.latent_bnc.shape[0]
    sigma_b = torch.sigmoid(mean + config.sigma_std * torch.randn(b, generator=rng))
    noise_bnc = torch.randn(batch.latent_bnc.shape, generator=rng)
    mix = sigma_b[:, None, None]
    z_bnc = (1 - mix) * batch.latent_bnc + mix * noise_bnc
    # In single precision: without AMX the CPU kernels multiply bf16 at half of its speed (0.35 beside 0.51 s a step).
    v_bnc, aux = model(z_bnc, sigma_b, batch.ids_bl, batch.lengths_b, batch.grid, batch.corners_b2)
    error_bnc = v_bnc - (batch.latent_bnc - noise_bnc)
    square_bn = error_bnc.square().mean(-1)
    inked = torch.where(batch.labels_bn >= FIRST_LETTER, config.letter_weight, config.figure_weight)
    weight_bn = torch.where(batch.labels_bn > 0, inked, 1.0)
    weighted = (square_bn * weight_bn).mean()
    # Without its caption a picture's colours cannot be known: only rows with one are asked for them.
    told_b11 = (batch.lengths_b > 0).float()[:, None, None]
    share = told_b11.mean().clamp(min=1 / b)
    near, whole = (part / share for part in smooth(error_bnc * told_b11, batch.grid))
    logits, strokes_bnc, colours_bn3, place_bn2 = aux.split((len(CLASSES), STROKES, 3, 2), -1)
    parts = {
        "flow": square_bn.mean(),
        "near": near,
        "whole": whole,
        "classes": functional.cross_entropy(logits.flatten(0, 1), batch.labels_bn.flatten()),
        "strokes": functional.binary_cross_entropy_with_logits(strokes_bnc, batch.strokes_bnc),
        "colours": ((colours_bn3 - batch.colours_bn3).square() * told_b11).mean() / share,
    }
    # A window's place in its picture can only be known beside a caption, whose first token is where counting starts.
    places_bn2 = where(batch) / FAR - 1.0
    parts["places"] = ((place_bn2 - places_bn2).square() * told_b11).mean() / share
    total = (
        weighted
        + config.smooth_weight * (near + whole)
        + config.class_weight * parts["classes"]
        + config.stroke_weight * parts["strokes"]
        + config.colour_weight * parts["colours"]
        + config.place_weight * parts["places"]
    )
    return total, {name: part.item() for name, part in parts.items()}


def where(batch: Batch) -> torch.Tensor:
    """Row and column of each token in its whole picture, _bn2."""
    rows, cols = torch.meshgrid(torch.arange(batch.grid[0]), torch.arange(batch.grid[1]), indexing="ij")
    return torch.stack((rows, cols), -1).view(1, -1, 2) + batch.corners_b2[:, None]


def smooth(error_bnc: torch.Tensor, grid: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean square of the error averaged over 3 x 3 tokens and over all; each as large as the plain one for white error.

    The plain error hardly sees a colour that is a little off everywhere, the eye sees little else.
    """
    b, n, c = error_bnc.shape
    tiles = error_bnc.mT.reshape(b, c, *grid)
    near = functional.avg_pool2d(tiles, 3, 1).square().mean() * 9
    return near, error_bnc.mean(1).square().mean() * n


class Run:
    """The state of a run: model, its moving average, optimisers, counters. Saved whole, as plain tensors."""

    def __init__(self, config: TransformerConfig, table: torch.Tensor, compiled: bool) -> None:
        self.model = Mini(config, table)
        if compiled:
            self.model.run_block = torch.compile(block_forward, dynamic=True)
        self.ema = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        matrices, rest = split(self.model, KEPT_FROM_MUON)
        embedding = self.model.embedding.weight
        rest = [p for p in rest if p is not embedding]
        adam = [{"params": rest, "lr": config.adam_lr, "base": config.adam_lr},
                {"params": [embedding], "lr": config.embed_lr, "base": config.embed_lr}]  # fmt: skip
        self.muon = Muon(matrices, config.lr, weight_decay=0.01, beside=True)
        self.optimisers = [self.muon, torch.optim.AdamW(adam, betas=(0.9, 0.98), weight_decay=0.0, fused=True)]
        self.optimisers[0].param_groups[0]["base"] = config.lr
        self.step = self.seen = 0

    def set_rate(self, config: TransformerConfig) -> float:
        done = self.step / config.steps
        rate = min(1.0, (self.step + 1) / 100, max(0.02, (1 - done) / (1 - config.decay_from)))
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["base"] * rate
        self.muon.param_groups[0]["lr"] *= min(1.0, self.step / config.matrix_warmup)
        return rate

    def update(self, config: TransformerConfig) -> None:
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        decay = min(config.ema, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.ema.values()), [p.detach() for p in self.model.parameters()], 1 - decay)

    def save(self, path: Path) -> None:
        self.muon.flush()
        tensors = {f"model.{k}": v.detach().contiguous() for k, v in self.model.named_parameters()}
        tensors |= {f"ema.{k}": v for k, v in self.ema.items()}
        for number, optimiser in enumerate(self.optimisers):
            for index, state in optimiser.state_dict()["state"].items():
                tensors |= {f"optim.{number}.{index}.{k}": torch.as_tensor(v) for k, v in state.items()}
        part = path.with_suffix(".part")
        save_file(tensors, part, metadata={"step": str(self.step), "seen": str(self.seen)})
        part.replace(path)

    def load(self, path: Path) -> None:
        tensors = load_file(path)
        with torch.no_grad():
            for name, p in self.model.named_parameters():
                p.copy_(tensors[f"model.{name}"])
                self.ema[name].copy_(tensors[f"ema.{name}"])
        for number, optimiser in enumerate(self.optimisers):
            whole = optimiser.state_dict()
            for key, value in tensors.items():
                kind, *rest = key.split(".")
                if kind == "optim" and int(rest[0]) == number:
                    whole["state"].setdefault(int(rest[1]), {})[rest[2]] = value
            optimiser.load_state_dict(whole)
        header = read_header(path)
        self.step, self.seen = int(header["step"]), int(header["seen"])


def read_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file."""
    with path.open("rb") as handle:
        size = int.from_bytes(handle.read(8), "little")
        return cast(dict[str, str], json.loads(handle.read(size))["__metadata__"])


def train(config: TransformerConfig, work: Path, fonts: Path, resume: bool, compiled: bool = False) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    log = Log(work / "transformer.jsonl")
    words = tokenizer.build()
    run = Run(config, tokenizer.initial_embedding(words, config.text_dim, config.seed), compiled)
    path = work / "transformer.safetensors"
    if resume and path.exists():
        run.load(path)
    source = ahead.groups(config, work, fonts, run.step)
    means: dict[str, float] = {}
    saved = time.monotonic()
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    while run.step < config.steps and not asked_to_stop:
        for batch in next(source):
            rate = run.set_rate(config)
            loss, parts = losses(run.model, batch, run.step)
            if not math.isfinite(loss.item()):
                raise RuntimeError(f"loss is not finite at step {run.step}")
            loss.backward()  # type: ignore[no-untyped-call]
            run.update(config)
            run.step += 1
            run.seen += len(batch.lengths_b)
            means = {k: v if k not in means else 0.98 * means[k] + 0.02 * v for k, v in parts.items()}
        if run.step % 100 == 0:
            log(
                step=run.step,
                seen=run.seen,
                rate=round(rate, 3),
                **{k: round(float(np.float32(v)), 4) for k, v in means.items()},
            )
        if time.monotonic() - saved > SAVE_SECONDS or run.step >= config.steps or asked_to_stop:
            run.save(path)
            saved = time.monotonic()
