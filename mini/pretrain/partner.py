"""A second process that works out half of each step's gradient, on weights and a gradient that both processes see.

Both halves of a step begin on the same weights, and the trainer alone moves them, so a run is the same however fast
either process is. One thread each: two processes that meet once a step lose far less than two threads in each product.
"""

from __future__ import annotations

import json
import os
from multiprocessing import get_context
from multiprocessing.connection import Connection

import torch

from linocut.parent import die_with_parent
from pretrain.ahead import unwrap, wrap
from pretrain.data import Batch
from pretrain.losses import losses, noise_of
from pretrain.net import Mini, block_forward


class Partner:
    """Ask it for a gradient with ``begin``, go on with something else, and collect with ``add``."""

    def __init__(self, model: Mini, compiled: bool) -> None:
        """Moves the weights of `model` into shared memory: they must only be written in place from here on."""
        self.params = list(model.parameters())
        model.share_memory()
        self.gradients = [torch.zeros_like(p).share_memory_() for p in self.params]  # type: ignore[no-untyped-call]
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_work, args=(theirs, os.getpid(), model, self.gradients, compiled), name="partner", daemon=True
        )
        self.process.start()

    def begin(self, batch: Batch, step: int) -> None:
        self.pipe.send_bytes(step.to_bytes(8) + wrap([batch]))

    def add(self) -> dict[str, float]:
        """Average the partner's gradient into the weights' own; its losses by name."""
        parts: dict[str, float] = json.loads(self.pipe.recv_bytes())
        with torch.no_grad():
            for p, gradient in zip(self.params, self.gradients, strict=True):
                assert p.grad is not None
                p.grad.add_(gradient).mul_(0.5)
        return parts

    def close(self) -> None:
        self.process.kill()
        self.process.join()


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Every other row of a batch, each half with no more padding of text than it needs."""
    out = []
    for first in (0, 1):
        rows = {name: value[first::2] for name, value in vars(batch).items() if name != "grid"}
        longest = max(8, -(-int(rows["lengths_b"].max()) // 8) * 8)
        rows |= {name: rows[name][:, -longest:] for name in ("ids_bl", "marks_bl3")}
        out.append(Batch(**rows, grid=batch.grid))
    return out[0], out[1]


def _work(pipe: Connection, parent: int, model: Mini, gradients: list[torch.Tensor], compiled: bool) -> None:
    die_with_parent(parent)
    torch.set_num_threads(1)
    if compiled:
        model.run_block = torch.compile(block_forward, dynamic=True)
    params = list(model.parameters())
    while True:
        data = pipe.recv_bytes()
        step = int.from_bytes(data[:8])
        rng = noise_of(model.config, step, part=1)
        loss, parts = losses(model, unwrap(data[8:])[0], rng, step / model.config.steps)
        for gradient, new in zip(gradients, torch.autograd.grad(loss, params), strict=True):
            gradient.copy_(new)
        pipe.send_bytes(json.dumps({name: part.item() for name, part in parts.items()}).encode())
