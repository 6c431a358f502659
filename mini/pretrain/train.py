"""The transformer's training run: flow matching on cached latents, resumable, logged.

Legend as in net.py. Time is counted in steps: one of windows costs about as much as one of whole pictures.
Each step is worked out by two processes, half a batch each (partner.py), beside the one that draws (ahead.py).
"""

from __future__ import annotations

import json
import math
import os
import signal
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from pretrain import ahead, tokenizer, vae
from pretrain.config import TransformerConfig, VaeConfig
from pretrain.log import Log
from pretrain.losses import losses, noise_of
from pretrain.muon import Muon, split
from pretrain.net import Mini, block_forward
from pretrain.partner import Partner, halves
from pretrain.words import Words

KEPT_FROM_MUON = ("embed", "heads", "input_proj", "final_layer", "t_embedding", "adaln", "llm_cond")
SAVE_SECONDS = 240.0


def load_vae(work: Path) -> Any:
    model = vae.build(VaeConfig())
    model.load_state_dict(load_file(work / "vae.safetensors"))
    return model


def averaged(work: Path, config: TransformerConfig) -> Mini:
    """The network with its averaged weights."""
    words = tokenizer.build()
    model = Mini(config, Words.of(words, torch.zeros(len(words), config.text_dim)))
    tensors = load_file(work / "transformer.safetensors")
    model.load_state_dict({k.removeprefix("ema."): v for k, v in tensors.items() if k.startswith("ema.")})
    with torch.no_grad():
        model.transformer.t_embedding.mlp_in.weight.mul_(model.slow)
    return model.train(False)


class Run:
    """The state of a run: model, its moving average, optimisers, counters. Saved whole, as plain tensors."""

    def __init__(self, config: TransformerConfig, words: Words, device: str = "cpu") -> None:
        self.model = Mini(config, words).to(device)
        self.ema = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        matrices, rest = split(self.model, KEPT_FROM_MUON)
        embedding = self.model.embedding.weight
        rest = [p for p in rest if p is not embedding]
        adam = [{"params": rest, "lr": config.adam_lr, "base": config.adam_lr},
                {"params": [embedding], "lr": config.embed_lr, "base": config.embed_lr}]  # fmt: skip
        self.muon = Muon(matrices, config.lr, weight_decay=0.01, beside=device == "cpu")
        self.optimisers = [self.muon, torch.optim.AdamW(adam, betas=(0.9, 0.98), weight_decay=0.0, fused=True)]
        self.optimisers[0].param_groups[0]["base"] = config.lr
        self.step = self.seen = self.begun = 0  # begun: the step at which the optimisers were fresh

    def hold_rates(self, device: str) -> None:
        """Rates as tensors, which a captured graph reads anew each time."""
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = torch.tensor(float(group["lr"]), device=device)
                if "capturable" in group:
                    group["capturable"] = True

    def set_rate(self, config: TransformerConfig, done: float) -> float:
        rate = min(1.0, (self.step - self.begun + 1) / 100, max(0.02, (1 - done) / (1 - config.decay_from)))
        for optimiser in self.optimisers:
            settled = (self.step - self.begun) / config.matrix_warmup if optimiser is self.muon else 1.0
            for group in optimiser.param_groups:
                now = group["base"] * rate * min(1.0, settled)
                group["lr"] = group["lr"].fill_(now) if isinstance(group["lr"], torch.Tensor) else now
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
        save_file(tensors, part, metadata={"step": str(self.step), "seen": str(self.seen), "begun": str(self.begun)})
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
        self.step, self.seen, self.begun = (int(header.get(name, "0")) for name in ("step", "seen", "begun"))


def read_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file."""
    with path.open("rb") as handle:
        size = int.from_bytes(handle.read(8), "little")
        return cast(dict[str, str], json.loads(handle.read(size))["__metadata__"])


def train(config: TransformerConfig, work: Path, fonts: Path, resume: bool, compiled: bool = False) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    log = Log(work / "transformer.jsonl")
    log(device="cpu", cores=os.cpu_count(), config=asdict(config))
    words = tokenizer.build()
    run = Run(config, Words.of(words, tokenizer.initial_embedding(words, config.text_dim, config.seed)))
    path = work / "transformer.safetensors"
    if resume and path.exists():
        run.load(path)
    source = ahead.groups(config, work, fonts, run.step)
    partner = Partner(run.model, compiled)
    if compiled:
        run.model.run_block = torch.compile(block_forward, dynamic=True)
    means: dict[str, float] = {}
    saved = time.monotonic()
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    while run.step < config.steps and not asked_to_stop:
        for batch in next(source):
            rate = run.set_rate(config, run.step / config.steps)
            own, other = halves(batch)
            partner.begin(other, run.step)
            loss, own_parts = losses(run.model, own, noise_of(config, run.step, part=0), run.step / config.steps)
            loss.backward()  # type: ignore[no-untyped-call]
            others = partner.add()
            parts = {name: (part.item() + others[name]) / 2 for name, part in own_parts.items()}
            if not all(map(math.isfinite, parts.values())):
                raise RuntimeError(f"loss is not finite at step {run.step}")
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
    partner.close()
