"""The captioner's training run: next tokens of answers, resumable, logged. Legend as in net.py."""

from __future__ import annotations

import math
import os
import signal
import time
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from linocut.pretrain import tokenizer
from linocut.pretrain.captioner.data import Batch, ahead
from linocut.pretrain.captioner.looking import channels
from linocut.pretrain.captioner.net import Captioner, loss_of, soft_targets
from linocut.pretrain.config import CaptionerConfig, TransformerConfig
from linocut.pretrain.log import Log
from linocut.pretrain.muon import Muon, split
from linocut.pretrain.train import read_header

FILE = "captioner.safetensors"
KEPT_FROM_MUON = ("embed_tokens", "place", "where")
SAVE_SECONDS = 240.0


def build(config: CaptionerConfig) -> Captioner:
    """A fresh captioner."""
    torch.manual_seed(config.seed)
    return Captioner(config, tokenizer.build(), channels(TransformerConfig()))


def trained(config: CaptionerConfig, work: Path) -> Captioner:
    """The captioner of a work folder with its averaged weights."""
    model = build(config)
    tensors = load_file(work / FILE)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(tensors[f"ema.{name}"])
    return model.train(False)


def loss(model: Captioner, batch: Batch, soft_vv: torch.Tensor) -> torch.Tensor:
    """Of the tokens of answers, and of where in the picture they are to be seen."""
    before = model.picture(batch.seen_bnc.float(), batch.grid) if batch.seen_bnc.numel() else None
    states_bld, where_bl2 = model.states(before, batch.ids_bl)
    wanted_bl = batch.answers_bl
    following_t = batch.ids_bl[:, 1:][wanted_bl[:, :-1]]
    logits_tv = model.language.lm_head(states_bld[:, :-1][wanted_bl[:, :-1]])
    seen_bl = batch.places_bl3[..., 2:]
    off = ((where_bl2 - batch.places_bl3[..., :2]).abs() * seen_bl).sum() / (2 * seen_bl.sum()).clamp(min=1.0)
    return loss_of(logits_tv, following_t, soft_vv) + model.config.place_weight * off


def train(config: CaptionerConfig, work: Path, fonts: Path, resume: bool) -> None:
    """Go on for ``config.seconds`` by the clock; `work` holds the drawing network's checkpoint and the autoencoder."""
    torch.set_num_threads(1)
    log = Log(work / "captioner.jsonl")
    log(device="cpu", cores=os.cpu_count(), config=asdict(config))
    model = build(config)
    soft_vv = soft_targets(tokenizer.build())
    step = seen = 0
    if resume and (work / FILE).exists():
        step, seen = _load(model, work / FILE)
    ema = {name: p.detach().clone() for name, p in model.named_parameters()}
    matrices, rest = split(model, KEPT_FROM_MUON)
    optimisers = [
        Muon(matrices, config.lr, weight_decay=0.01),
        torch.optim.AdamW(rest, config.adam_lr, (0.9, 0.98), weight_decay=0.0),
    ]
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    start = saved = time.monotonic()
    begun, means = step, {"picture": 0.0, "text": 0.0}
    source = ahead(config, work, fonts, step)
    while not asked_to_stop and (done := (time.monotonic() - start) / config.seconds) < 1.0:
        batch = next(source)
        rate = min(1.0, (step - begun + 1) / 100, max(0.01, (1 - done) / (1 - config.decay_from)))
        for optimiser, base_rate in zip(optimisers, (config.lr, config.adam_lr), strict=True):
            for group in optimiser.param_groups:
                group["lr"] = base_rate * rate
        now = loss(model, batch, soft_vv)
        if not math.isfinite(now.item()):
            raise RuntimeError(f"loss is not finite at step {step}")
        now.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        decay = min(config.ema, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(ema.values()), [p.detach() for p in model.parameters()], 1 - decay)
        step += 1
        seen += len(batch.ids_bl)
        kind = "picture" if batch.seen_bnc.numel() else "text"
        means[kind] = now.item() if not means[kind] else 0.97 * means[kind] + 0.03 * now.item()
        if step % 50 == 0:
            log(step=step, seen=seen, rate=round(rate, 3), **{k: round(v, 4) for k, v in means.items()})
        if time.monotonic() - saved > SAVE_SECONDS:
            _save(model, ema, work / FILE, step, seen)
            saved = time.monotonic()
    _save(model, ema, work / FILE, step, seen)
    source.close()  # type: ignore[attr-defined]


def _save(model: Captioner, ema: dict[str, torch.Tensor], path: Path, step: int, seen: int) -> None:
    tensors = {f"model.{name}": p.detach() for name, p in model.named_parameters()}
    tensors |= {f"ema.{name}": p for name, p in ema.items()}
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata={"step": str(step), "seen": str(seen)})
    part.replace(path)


def _load(model: Captioner, path: Path) -> tuple[int, int]:
    """The weights as they were trained on; optimisers start fresh, the average at the weights."""
    tensors = load_file(path)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(tensors[f"model.{name}"])
    header = read_header(path)
    return int(header["step"]), int(header["seen"])
