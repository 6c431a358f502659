"""The transformer's training run on a GPU: as train.py, on large batches out of a store on the device (pool.py).

It runs for so many seconds, and its rate falls by the clock: a rented machine ends when it ends. It is not repeatable
bit for bit, since when a picture arrives follows from the machine. Legend as in net.py.
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

from pretrain import tokenizer
from pretrain.config import SIZES, GpuConfig
from pretrain.log import Log
from pretrain.losses import losses
from pretrain.net import block_forward
from pretrain.pool import Drawers, Pick, Pool
from pretrain.train import SAVE_SECONDS, Run, load_vae
from pretrain.words import Words

LOG_STEPS = 100
RECENT = 0.02
"""Weight of the newest step in the logged means."""
FIRST_PICTURES = 2048


class Stepper:
    """Takes steps. A batch of new shape is first worked out plainly, then captured as a graph, then replayed.

    Launched one by one, the thousand small kernels of a step take the CPU longer than the device.
    """

    def __init__(self, run: Run, config: GpuConfig, pool: Pool) -> None:
        self.run, self.config, self.pool, self.device = run, config, pool, pool.device
        self.names: list[str] = []
        self.means = torch.zeros(0)  # of the parts of the loss
        self.inputs: dict[tuple[object, ...], torch.Tensor] = {}
        self.graphs: dict[tuple[object, ...], torch.cuda.CUDAGraph] = {}
        if self.device == "cuda":
            self.memory = torch.cuda.graph_pool_handle()
            self.stream = torch.cuda.current_stream()
            run.hold_rates(self.device)

    def __call__(self, pick: Pick) -> None:
        key = (pick.shelf.grid, pick.text)
        if key not in self.inputs:
            self.inputs[key] = torch.from_numpy(pick.rows_3b).to(self.device)
            self._work(pick, self.inputs[key])
            return
        self.inputs[key].copy_(torch.from_numpy(pick.rows_3b))
        if self.device != "cuda":
            self._work(pick, self.inputs[key])
            return
        if key not in self.graphs:
            self.graphs[key] = self._capture(pick, self.inputs[key])
        self.graphs[key].replay()

    def _capture(self, pick: Pick, inputs: torch.Tensor) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        with self.pool.lock:
            torch.cuda.synchronize()
            with torch.cuda.graph(graph, pool=self.memory, stream=self.stream):
                self._work(pick, inputs)
        return graph

    def _work(self, pick: Pick, inputs: torch.Tensor) -> None:
        # A run's own noise is that of its end from the beginning on: it goes on from a trained network.
        loss, parts = losses(self.run.model, pick.shelf.batch(inputs, pick.text), None, done=1.0)
        loss.backward()  # type: ignore[no-untyped-call]
        self.run.update(self.config)
        if not self.names:
            self.names, self.means = list(parts), torch.zeros(len(parts), device=self.device)
        self.means.lerp_(torch.stack(list(parts.values())), RECENT)

    def told(self, steps: int) -> dict[str, float]:
        """The recent mean of each part of the loss, after so many steps."""
        settled = 1.0 - (1.0 - RECENT) ** steps
        return {name: round(value / settled, 4) for name, value in zip(self.names, self.means.tolist(), strict=True)}


def train(
    config: GpuConfig, work: Path, fonts: Path, resume: bool, drawers: int, device: str, compiled: bool = False
) -> None:
    """Train for `config.seconds` by the clock; with `resume` from ``transformer.safetensors``."""
    torch.manual_seed(config.seed)
    words = tokenizer.build()
    run = Run(config, Words.of(words, tokenizer.initial_embedding(words, config.text_dim, config.seed)), device)
    path = work / "transformer.safetensors"
    if resume and path.exists():
        run.load(path)
        run.begun = run.step
    drawing = Drawers(config, fonts, drawers, run.step)
    if compiled:
        run.model.run_block = torch.compile(block_forward, dynamic=True)
    pool = Pool(config, load_vae(work), device)
    pool.fill(drawing)
    log = Log(work / "transformer.jsonl")
    name = torch.cuda.get_device_name() if device == "cuda" else device
    log(device=name, cores=os.cpu_count(), drawers=drawers, config=asdict(config))
    while pool.shelves[SIZES[0]].count < FIRST_PICTURES:
        pool.check()
        time.sleep(0.1)
    # A stream of its own: no graph can be captured on the device's first.
    with torch.cuda.stream(torch.cuda.Stream() if device == "cuda" else None):  # type: ignore[no-untyped-call]
        steps(config, run, pool, path, log)
    pool.close()
    drawing.close()


def steps(config: GpuConfig, run: Run, pool: Pool, path: Path, log: Log) -> None:
    """All of a run's steps, logged and saved."""
    stepper, rng = Stepper(run, config, pool), np.random.default_rng((config.seed, run.step))
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    begun = saved = time.monotonic()
    done = 0.0
    while done < 1.0 and not asked_to_stop:
        for pick in pool.picks(rng):
            done = min(1.0, (time.monotonic() - begun) / config.seconds)
            rate = run.set_rate(config, done)
            stepper(pick)
            run.step += 1
            run.seen += config.whole_batch
        if run.step % LOG_STEPS == 0:
            pool.check()
            told = stepper.told(run.step - run.begun)
            if not all(map(math.isfinite, told.values())):
                raise RuntimeError(f"loss is not finite at step {run.step}")
            log(step=run.step, seen=run.seen, drawn=pool.drawn, rate=round(rate, 3), **told)
        if time.monotonic() - saved > SAVE_SECONDS:
            run.save(path)
            saved = time.monotonic()
    run.save(path)
