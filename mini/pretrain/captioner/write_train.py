"""The writer's training run: sentences to expand and captions to change, made as they are needed.

Legend as in writer.py.
"""

from __future__ import annotations

import math
import os
import signal
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from pretrain import tokenizer
from pretrain.captioner import lessons
from pretrain.captioner.lessons import Lesson
from pretrain.captioner.writer import build, loss_of, question, soft_targets
from pretrain.config import SIZES, WriterConfig
from pretrain.draw import Painter
from pretrain.log import Log
from pretrain.muon import Muon, split
from pretrain.scene import sample

FILE = "writer.safetensors"
GROUP = 3
"""Batches that are made together, sorted by length so that little is padding."""

Batch = tuple[torch.Tensor, torch.Tensor]
"""Tokens of questions and answers _bl, padded on the right; whether the token after each belongs to an answer."""


def collate(words: PreTrainedTokenizerFast, told: list[Lesson]) -> Batch:
    """Lessons as tokens."""
    asked = [question(words, lesson.asked) for lesson in told]
    answers = [[*words(lesson.answer)["input_ids"], words.convert_tokens_to_ids(tokenizer.SPECIAL[0])]
               for lesson in told]  # fmt: skip
    longest = -(-max(len(a) + len(b) for a, b in zip(asked, answers, strict=True)) // 8) * 8
    ids = torch.zeros(len(told), longest, dtype=torch.long)
    wanted = torch.zeros(len(told), longest, dtype=torch.bool)
    for row, (a, b) in enumerate(zip(asked, answers, strict=True)):
        ids[row, : len(a) + len(b)] = torch.tensor(a + b)
        wanted[row, len(a) - 1 : len(a) + len(b) - 1] = True
    return ids, wanted


def batches(config: WriterConfig, painter: Painter, words: PreTrainedTokenizerFast, step: int) -> list[Batch]:
    """``GROUP`` batches; they follow from the seed and the step alone."""
    rng = np.random.default_rng((config.seed, step))
    level = min(1.0, 0.25 + 0.75 * step / config.grown)
    made = []
    for _ in range(GROUP * config.batch):
        wished = rng.random() < config.wishes
        size = SIZES[0] if wished else lessons.frame(rng)
        scene = sample(rng, *size, level * float(rng.uniform(0.3, 1.0)), config.crowds)
        if wished:
            made.append(lessons.edited(rng, painter, lessons.painted(painter, scene)[1]))
        else:
            made.append(lessons.expanded(rng, painter, scene))
    made.sort(key=lambda lesson: len(lesson.asked) + len(lesson.answer))
    groups = [made[i : i + config.batch] for i in range(0, len(made), config.batch)]
    return [collate(words, groups[int(i)]) for i in rng.permutation(GROUP)]


def trained(config: WriterConfig, work: Path) -> Qwen3ForCausalLM:
    """The writer of a work folder with its averaged weights."""
    model = build(config, tokenizer.build())
    with torch.no_grad():
        tensors = load_file(work / FILE)
        for name, p in model.named_parameters():
            p.copy_(tensors[name])
    return model.train(False)


def train(config: WriterConfig, work: Path, fonts: Path) -> None:
    """``config.seconds`` by the clock; SIGTERM ends it early. The averaged weights are kept."""
    torch.set_num_threads(1)
    log = Log(work / "writer.jsonl")
    log(device="cpu", cores=os.cpu_count(), config=asdict(config))
    words, painter = tokenizer.build(), Painter(fonts)
    model, soft_vv = build(config, words), soft_targets(words)
    ema = {name: p.detach().clone() for name, p in model.named_parameters()}
    matrices, rest = split(model, ("embed_tokens",))
    adam = torch.optim.AdamW(rest, config.adam_lr, (0.9, 0.98), weight_decay=0.0)
    rates = {Muon(matrices, config.lr, weight_decay=0.01): config.lr, adam: config.adam_lr}
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    start, step, mean, waiting = time.monotonic(), 0, 0.0, list[Batch]()
    while not asked_to_stop and (done := (time.monotonic() - start) / config.seconds) < 1.0:
        waiting = waiting or batches(config, painter, words, step)
        now = loss_of(model, *waiting.pop(), soft_vv)
        if not math.isfinite(now.item()):
            raise RuntimeError(f"loss is not finite at step {step}")
        now.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        rate = min(1.0, (step + 1) / 100, max(0.01, (1 - done) / (1 - config.decay_from)))
        for optimiser, full in rates.items():
            for group in optimiser.param_groups:
                group["lr"] = full * rate
            optimiser.step()
            optimiser.zero_grad()
        step += 1
        decay = min(config.ema, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(ema.values()), [p.detach() for p in model.parameters()], 1 - decay)
        mean = now.item() if step == 1 else 0.97 * mean + 0.03 * now.item()
        if step % 100 == 0:
            log(step=step, seen=step * config.batch, rate=round(rate, 3), loss=round(mean, 4))
    tensors = {name: p.contiguous() for name, p in ema.items()}
    save_file(tensors, work / FILE, metadata={"step": str(step), "seen": str(step * config.batch)})
