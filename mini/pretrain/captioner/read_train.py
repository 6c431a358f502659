"""The reader's training run: dense labels that the drawing code gives away, on pictures that are looked at a few times.

Legend as in reader.py.
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load, load_file, save, save_file

from linocut.parent import die_with_parent
from pretrain.captioner.looking import channels, look
from pretrain.captioner.reader import Reader, labels, losses
from pretrain.config import SIZES, ReaderConfig, TransformerConfig
from pretrain.data import TOKEN
from pretrain.draw import Painter
from pretrain.log import Log
from pretrain.scene import sample
from pretrain.train import averaged, load_vae

FILE = "reader.safetensors"
AHEAD = 12


@dataclass
class Pages:
    """Pictures of one size as a reader sees them, and what it should say."""

    seen_bchw: torch.Tensor  # float16
    true: dict[str, torch.Tensor]


class Source:
    """Draws and looks; everything follows from the seed and the count of pages."""

    def __init__(self, config: ReaderConfig, work: Path, fonts: Path) -> None:
        self.config, self.painter = config, Painter(fonts)
        self.model, self.vae = averaged(work, TransformerConfig()), load_vae(work)

    def pages(self, number: int) -> Pages:
        config = self.config
        rng = np.random.default_rng((config.seed, number))
        size = SIZES[0] if rng.random() < config.native_share else SIZES[int(rng.integers(1, len(SIZES)))]
        scenes = [sample(rng, *size, float(rng.uniform(0.3, 1.0)), config.crowds) for _ in range(config.page)]
        made = [self.painter.paint(scene) for scene in scenes]
        pixels_bhwc = torch.from_numpy(np.stack([pixels for pixels, _, _ in made]))
        grid = size[1] // TOKEN, size[0] // TOKEN
        seed, sigma = int(rng.integers(2**31)), float(rng.uniform(*config.sigma))
        seen_bnc = look(self.model, self.vae, pixels_bhwc, seed, sigma)
        told = [labels(exact) for _, _, exact in made]
        true = {name: torch.from_numpy(np.stack([one[name] for one in told])) for name in told[0]}
        return Pages(seen_bnc.mT.reshape(config.page, -1, *grid).half().contiguous(), true)


def ahead(config: ReaderConfig, work: Path, fonts: Path, number: int) -> Iterator[Pages]:
    """``Source.pages`` from this number on, made in a child process that ends with this one."""
    context = get_context("spawn")
    queue: Queue[bytes] = context.Queue(AHEAD)
    child = context.Process(target=_make, args=(queue, os.getpid(), config, work, fonts, number), daemon=True)
    child.start()
    try:
        while True:
            tensors = load(queue.get())
            yield Pages(tensors.pop("seen"), tensors)
    finally:
        child.kill()
        child.join()


def _make(queue: Queue[bytes], parent: int, config: ReaderConfig, work: Path, fonts: Path, number: int) -> None:
    die_with_parent(parent)
    torch.set_num_threads(1)
    source = Source(config, work, fonts)
    while True:
        pages = source.pages(number)
        queue.put(save({"seen": pages.seen_bchw, **pages.true}))
        number += 1


def trained(config: ReaderConfig, work: Path) -> Reader:
    """The reader of a work folder with its averaged weights."""
    model = Reader(channels(TransformerConfig()), config.width)
    model.load_state_dict(load_file(work / FILE))
    return model.train(False)


def train(config: ReaderConfig, work: Path, fonts: Path) -> None:
    """``config.seconds`` by the clock; `work` holds the drawing network's checkpoint and the autoencoder."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # gradients of cells that are sure: with them a step took ten times as long
    torch.manual_seed(config.seed)
    log = Log(work / "reader.jsonl")
    log(device="cpu", cores=os.cpu_count(), config=asdict(config))
    model = Reader(channels(TransformerConfig()), config.width)
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimiser = torch.optim.AdamW(model.parameters(), config.lr, (0.9, 0.98), weight_decay=0.01)
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    shelf: deque[Pages] = deque(maxlen=config.buffer // config.page)
    source, start, step, seen = ahead(config, work, fonts, 0), time.monotonic(), 0, 0
    rng = np.random.default_rng(config.seed)
    means: dict[str, float] = {}
    while not asked_to_stop and (done := (time.monotonic() - start) / config.seconds) < 1.0:
        if step % config.reuse == 0 or not shelf:
            shelf.append(next(source))
            seen += config.page
        pages = shelf[-1] if step % config.reuse == 0 else shelf[int(rng.integers(len(shelf)))]
        parts = losses(model(pages.seen_bchw.float().contiguous(memory_format=torch.channels_last)), pages.true)
        loss = sum(config.weights.get(name, 1.0) * part for name, part in parts.items())
        assert isinstance(loss, torch.Tensor)
        if not torch.isfinite(loss):
            raise RuntimeError(f"loss is not finite at step {step}")
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        rate = min(1.0, (step + 1) / 100, max(0.01, (1 - done) / (1 - config.decay_from)))
        for group in optimiser.param_groups:
            group["lr"] = config.lr * rate
        optimiser.step()
        step += 1
        decay = min(config.ema, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(ema.values()), [p.detach() for p in model.parameters()], 1 - decay)
        means = {k: v.item() if k not in means else 0.97 * means[k] + 0.03 * v.item() for k, v in parts.items()}
        if step % 100 == 0:
            log(step=step, seen=seen, **{k: round(v, 4) for k, v in means.items()})
    save_file({name: p.contiguous() for name, p in ema.items()}, work / FILE,
              metadata={"step": str(step), "seen": str(seen)})  # fmt: skip
    source.close()  # type: ignore[attr-defined]
