"""For a GPU: pictures drawn by many processes and kept on the device, each with two captions.

A GPU trains on ten times as many pictures as sixteen cores draw. So each picture is used about as often as on two cores
(data.py), but out of a store of a million: a batch hardly ever holds what an earlier one held. Which pictures there are
follows from the seed, when each arrives does not. Legend as in data.py; p = pictures of a chunk; c = caption of two.
"""

from __future__ import annotations

import os
import queue
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from transformers import PreTrainedTokenizerFast

from linocut.parent import die_with_parent
from pretrain import tokenizer
from pretrain.config import SIZES, GpuConfig, VaeConfig
from pretrain.data import FRAME, STROKES, TOKEN, Batch, encode, frames, written
from pretrain.draw import CLASSES, Painter
from pretrain.scene import sample
from pretrain.spelling import MARKS, Spelling

LONGEST = 160
"""Tokens of a caption; a scene of four words with everything said has 151."""
LENGTHS = 16
"""Captions of a batch fill a multiple of so many tokens, or some ``ROUNDING`` more."""
ROUNDING = 4
KEPT = LONGEST + ROUNDING
SPELLED = 0.2
CHUNKS_AHEAD = 4
"""A process, before it waits."""
PATIENCE = 1.0
"""Seconds between two looks whether the run is over."""

Chunk = dict[str, np.ndarray]


def chunk(config: GpuConfig, rng: np.random.Generator, painter: Painter, words: PreTrainedTokenizerFast,
          spelling: Spelling) -> Chunk:  # fmt: skip
    """Pictures of one size and their captions, right-aligned in ``KEPT`` tokens."""
    size = SIZES[0] if rng.random() < config.native_share else SIZES[int(rng.integers(1, len(SIZES)))]
    out: dict[str, list[np.ndarray]] = {name: [] for name in ("pixels", "labels", "frames", "ids", "marks", "lengths")}
    while len(out["pixels"]) < config.chunk:
        scene = sample(rng, *size, config.level[1] * float(rng.uniform(0.3, 1.0)), config.crowds)
        pixels, labels, scene = painter.paint(scene)
        said = [written(words, scene, rng, SPELLED) for _ in range(2)]
        if max(map(len, said)) > LONGEST:
            continue
        short = [((KEPT - len(ids), 0),) for ids in said]
        out["ids"].append(np.stack([np.pad(ids, gap) for ids, gap in zip(said, short, strict=True)]).astype(np.int16))
        marks = [np.pad(spelling.marks(ids, scene), (*gap, (0, 0))) for ids, gap in zip(said, short, strict=True)]
        out["marks"].append(np.stack(marks).astype(np.float16))
        out["lengths"].append(np.array([len(ids) for ids in said]))
        out["pixels"].append(pixels)
        out["labels"].append(labels)
        out["frames"].append(frames(scene))
    return {name: np.stack(values) for name, values in out.items()}


class Drawers:
    """Child processes that draw, each from a seed of its own; they end with this one."""

    def __init__(self, config: GpuConfig, fonts: Path, count: int, step: int) -> None:
        """`step` is where the run stands: one that goes on is shown other pictures."""
        context = get_context("spawn")
        self.queue: Queue[bytes] = context.Queue(CHUNKS_AHEAD * count)
        self.children = [
            context.Process(
                target=_draw, args=(self.queue, os.getpid(), config, fonts, (config.seed, number, step)), daemon=True
            )
            for number in range(count)
        ]
        for child in self.children:
            child.start()

    def take(self, seconds: float) -> Chunk | None:
        """The next chunk, if there is one within so many seconds."""
        try:
            return safetensors.numpy.load(self.queue.get(timeout=seconds))
        except queue.Empty:
            if not any(child.is_alive() for child in self.children):
                raise RuntimeError("no drawing process is left: look at its own words above, and at --fonts") from None
            return None

    def close(self) -> None:
        for child in self.children:
            child.kill()
            child.join()


def _draw(chunks: Queue[bytes], parent: int, config: GpuConfig, fonts: Path, seed: tuple[int, ...]) -> None:
    die_with_parent(parent)
    torch.set_num_threads(1)
    painter, words, rng = Painter(fonts), tokenizer.build(), np.random.default_rng(seed)
    spelling = Spelling(words)
    while True:
        chunks.put(safetensors.numpy.save(chunk(config, rng, painter, words, spelling)))


class Shelf:
    """Pictures of one size on the device; once it is full the newest take the place of the oldest."""

    def __init__(self, config: GpuConfig, size: tuple[int, int], device: str) -> None:
        self.config, self.device = config, device
        self.grid = size[1] // TOKEN, size[0] // TOKEN
        room = config.buffer if size == SIZES[0] else config.buffer // 16
        self.room = max(1, room // config.chunk) * config.chunk
        self.next = self.count = 0
        self.lengths_pc = np.zeros((self.room, 2), np.int64)  # batches are put together by them, so not on the device
        n, half = self.grid[0] * self.grid[1], torch.float16
        shapes = {"latent": ((n, 4 * VaeConfig().latent_channels), half), "labels": ((n,), torch.uint8),
                  "strokes": ((n, STROKES), torch.bool), "colours": ((n, 3), half), "frames": ((n, FRAME + 1), half),
                  "ids": ((2, KEPT), torch.int16), "marks": ((2, KEPT, MARKS + 1), half)}  # fmt: skip
        self.kept = {k: torch.empty(self.room, *s, dtype=kind, device=device) for k, (s, kind) in shapes.items()}

    @torch.no_grad()
    def put(self, vae: Any, new: Chunk) -> None:
        pixels = torch.from_numpy(new["pixels"]).to(self.device)
        labels, strokes = cells(torch.from_numpy(new["labels"]).to(self.device))
        p, h, w, _ = pixels.shape
        colours = pixels.float().view(p, h // TOKEN, TOKEN, w // TOKEN, TOKEN, 3).mean((2, 4)) / 127.5 - 1.0
        made = {"latent": encode(vae, pixels), "labels": labels, "strokes": strokes, "colours": colours.flatten(1, 2),
                "frames": torch.from_numpy(new["frames"]).flatten(1, 2), "ids": torch.from_numpy(new["ids"]),
                "marks": torch.from_numpy(new["marks"])}  # fmt: skip
        here = slice(self.next, self.next + p)
        for name, tensor in made.items():
            self.kept[name][here].copy_(tensor)
        if self.device == "cuda":
            torch.cuda.current_stream().synchronize()  # only whole pictures are counted
        self.lengths_pc[here] = new["lengths"]
        self.next = (self.next + p) % self.room
        self.count = max(self.count, here.stop)

    def picks(self, rng: np.random.Generator) -> list[Pick]:
        """Four batches' rows out of all pictures, sorted by caption length: little is padding."""
        batch, n = self.config.whole_batch, self.grid[0] * self.grid[1]
        rows, which = rng.integers(0, self.count, 4 * batch), rng.integers(0, 2, 4 * batch)
        lengths = self.lengths_pc[rows, which] * (rng.random(4 * batch) >= self.config.caption_dropout)
        groups = rng.permutation(np.argsort(lengths).reshape(4, batch))
        # Few lengths, so that few graphs are captured; with the picture a multiple of eight, as fused attention wants.
        longest = [max(1, -(-int(lengths[g].max()) // LENGTHS)) * LENGTHS + n % 8 for g in groups]
        chosen = np.stack([rows, which, lengths])
        return [Pick(self, text, chosen[:, group]) for group, text in zip(groups, longest, strict=True)]

    def batch(self, picked_3b: torch.Tensor, text: int) -> Batch:
        """What a pick's rows say, with captions in `text` tokens."""
        at, one, told = picked_3b
        kept = self.kept
        return Batch(
            kept["latent"][at].float(),
            kept["labels"][at].long(),
            kept["strokes"][at].float(),
            kept["colours"][at].float(),
            kept["frames"][at].float(),
            kept["ids"][at, one][:, -text:].long(),
            kept["marks"][at, one][:, -text:].float() * (told > 0)[:, None, None],
            told,
            torch.zeros(len(at), 2, dtype=torch.long, device=self.device),
            self.grid,
        )


@dataclass(frozen=True)
class Pick:
    """Which pictures a batch is made of."""

    shelf: Shelf
    text: int  # tokens of its captions, padding included
    rows_3b: np.ndarray  # int64: row of the shelf, which of its captions, tokens of it (0: left out)


class Pool:
    """A shelf of each size, filled by a thread."""

    def __init__(self, config: GpuConfig, vae: Any, device: str) -> None:
        self.config, self.device, self.drawn = config, device, 0
        self.vae = vae.to(device).train(False)
        self.shelves = {size: Shelf(config, size, device) for size in SIZES}
        self.lock = Lock()  # held while the thread works on the device
        self.stream = torch.cuda.Stream() if device == "cuda" else None  # type: ignore[no-untyped-call]
        self.closed = Event()
        self.failure: Exception | None = None

    def put(self, new: Chunk) -> None:
        p, h, w, _ = new["pixels"].shape
        with self.lock, torch.cuda.stream(self.stream):
            self.shelves[w, h].put(self.vae, new)
        self.drawn += p

    def picks(self, rng: np.random.Generator) -> list[Pick]:
        """Four batches of one size; native until there are some of the others."""
        size = SIZES[0] if rng.random() < self.config.native_share else SIZES[int(rng.integers(1, len(SIZES)))]
        shelf = self.shelves[size]
        return (shelf if shelf.count >= 4 * self.config.chunk else self.shelves[SIZES[0]]).picks(rng)

    def fill(self, drawers: Drawers) -> None:
        """Take in chunks from here on, beside everything else, until ``close``."""
        self.thread = Thread(target=self._fill, args=(drawers,), name="fill", daemon=True)
        self.thread.start()

    def _fill(self, drawers: Drawers) -> None:
        try:
            while not self.closed.is_set():
                if (new := drawers.take(PATIENCE)) is not None:
                    self.put(new)
        except Exception as error:  # for ``check`` to raise: a thread's own end is seen by nobody
            self.failure = error

    def check(self) -> None:
        """Raise what ended the thread."""
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        self.closed.set()
        self.thread.join()


def cells(labels_phw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``data.cells`` for many pictures at once: classes _bn and ink marks _bnc."""
    side = TOKEN // 2
    p, h, w = labels_phw.shape
    tiles = labels_phw.view(p, h // side, side, w // side, side).transpose(2, 3).reshape(p, -1, STROKES)
    counts = torch.zeros(*tiles.shape[:2], len(CLASSES), device=labels_phw.device)
    counts.scatter_add_(2, tiles.long(), torch.ones_like(tiles, dtype=counts.dtype))
    counts[..., 0] = 0.5  # any ink goes before none, and of equals the first, which argmax alone does not promise
    first = counts - 1e-3 * torch.arange(len(CLASSES), device=counts.device)
    return first.argmax(-1).to(torch.uint8), tiles > 0
