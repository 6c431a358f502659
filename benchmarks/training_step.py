"""How much our training step costs beside a bare torch loop, on the embedded base.

    python benchmarks/training_step.py [--threads 1] [--steps 10] [--cpu-time]

Ours is a run in the engine: the routine, noise drawn by counter, micro-batches of two through the scheduler and the
executor, clipping, AdamW, average, events. The bare loop is what one would write in a notebook: the library's own
transformer with a LoRA module around the same linears, the whole batch in one padded forward pass with features
encoded beforehand, ``clip_grad_norm_``, fused ``AdamW``, ``_foreach_lerp_``; no dropout, no checkpoints, no events.
Both run in this process, in turn, and the median ratio of five pairs is the number. At most 1.15 is asked for.

Two more rivals tell where the time goes: plain loops on our own packed network, with our micro-batches (so that the
difference is the engine) and with the whole batch at once (so that the rest is the price of short units). And one unit
is timed against one guided denoise step of one image: a unit may last about two of those.

``--cpu-time`` counts the process's CPU seconds, for a machine that has other work; with one thread they are the same.

``--helpers`` measures one thing only: what a step costs when the engine's helper threads have OpenMP teams of their
own, as they had before, and when they have not, in alternating pairs of processes; and whether all runs end with the
same bytes. It wants ``--threads 2`` and a quiet machine, since what is lost is waiting.
"""

import argparse
import io
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from diffusers import Ideogram4Pipeline
from PIL import Image
from torch import Tensor, nn

from linocut.bases import MINI, Base, Sampling, load_base
from linocut.captions import caption_text
from linocut.engine.door import Engine
from linocut.engine.engine import HELPER_THREADS
from linocut.engine.families.family import Family, load_family
from linocut.engine.open import open_engine
from linocut.engine.training.loss import TrainExample, flow_losses
from linocut.engine.training.plan import MICRO_BATCH
from linocut.engine.training.state import Hyper, TrainState
from linocut.engine.units import Denoise
from linocut.files import sha256_hex
from linocut.orders import TrainFinished, TrainOrder, TrainProgress, TrainSample
from linocut.prompting import expand

PAIRS = 5
PROCESSES = 3
BATCH = 8
RANK = 16
PICTURES = 20
RATE = 1e-3


def pictures(base: Base) -> tuple[dict[str, bytes], tuple[TrainSample, ...]]:
    """Square pictures of native size with structured captions."""
    colours = ("red", "blue", "green", "yellow", "pink")
    things = ("circle on a white background", "square with a black triangle", "star beside a house", "tree")
    blobs, samples = {}, []
    for index in range(PICTURES):
        side = base.native_pixels
        pixels = np.random.default_rng(index).integers(0, 255, (side, side, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        sha256 = sha256_hex(file.getvalue())
        caption = caption_text(expand(f"a {colours[index % 5]} {things[index % 4]}", (1, 1), index))
        blobs[sha256] = file.getvalue()
        samples.append(TrainSample(image_sha256=sha256, width=side, height=side, caption=caption))
    return blobs, tuple(samples)


def order(base: Base, samples: tuple[TrainSample, ...], steps: int) -> TrainOrder:
    """A run in which nothing but steps happens while it is timed."""
    return TrainOrder(
        base=base.identity, organization_id="bench", run_id="bench", samples=samples, holdout=(0,), seed=1,
        steps=steps, rank=RANK, alpha=float(RANK), learning_rate=RATE, batch_size=BATCH, ema=0.99, caption_dropout=0.0,
        weight_decay=1e-4, warmup_steps=1, clip_norm=1.0, sigma_mean=1.1, sigma_std=1.2,
        native_pixels=base.native_pixels, size_multiple=base.size_multiple, checkpoint_every=steps,
        preview_every=steps, previews=(), preview_sampling=Sampling(1, 1.0),
    )  # fmt: skip


def ours(engine: Engine, base: Base, workspace: Path) -> Callable[[int], None]:
    """Admit a run -> a function that advances it by some steps."""
    blobs, samples = pictures(base)
    engine.admit("bench", order(base, samples, 100_000), blobs.__getitem__, workspace)

    def advance(steps: int) -> None:
        done = 0
        while done < steps:
            done += sum(isinstance(event, TrainProgress) for event in engine.step())

    return advance


class Lora(nn.Module):
    """A frozen linear plus a low-rank delta."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.randn(RANK, base.in_features) / RANK)
        self.up = nn.Parameter(torch.zeros(base.out_features, RANK))

    def forward(self, x: Tensor) -> Tensor:
        """The base's output plus the delta's."""
        y: Tensor = self.base(x) + nn.functional.linear(nn.functional.linear(x, self.down), self.up)
        return y


def bare(base: Base, targets: list[str]) -> Callable[[int], None]:
    """The notebook's loop on the library's transformer -> a function that advances it by some steps."""
    pipeline = Ideogram4Pipeline.from_pretrained(str(MINI), local_files_only=True)
    network = pipeline.transformer.requires_grad_(False)
    for name in targets:
        parent, _, leaf = name.rpartition(".")
        setattr(network.get_submodule(parent), leaf, Lora(network.get_submodule(name)))
    parameters = [p for p in network.parameters() if p.requires_grad]
    average = [p.detach().clone() for p in parameters]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=1e-4, fused=True)
    latent = 2 ** (len(pipeline.vae.config.block_out_channels) - 1)  # pixels; a token is two by two latents
    side = base.native_pixels // (2 * latent)
    _, samples = pictures(base)
    captions = [sample.caption for sample in samples]
    framed = [[{"role": "user", "content": [{"type": "text", "text": caption}]}] for caption in captions]
    lengths = [
        len(
            pipeline.tokenizer(pipeline.tokenizer.apply_chat_template(f, add_generation_prompt=True, tokenize=False))[0]
        )
        for f in framed
    ]
    with torch.no_grad():
        text, positions, segments, roles = pipeline.encode_prompt(
            captions, side, side, max(lengths), torch.device("cpu")
        )
    words = text.shape[1] - side * side
    clean = torch.randn(PICTURES, side * side, network.config.in_channels)
    padding = torch.zeros(BATCH, words, clean.shape[2])

    def advance(steps: int) -> None:
        for _ in range(steps):
            rows = torch.randperm(PICTURES)[:BATCH]
            x, noise = clean[rows], torch.randn(BATCH, *clean.shape[1:])
            sigma = torch.sigmoid(1.1 + 1.2 * torch.randn(BATCH))[:, None, None]
            noisy = (1 - sigma) * x + sigma * noise
            velocity = network(
                hidden_states=torch.cat([padding, noisy], dim=1), timestep=1 - sigma[:, 0, 0],
                encoder_hidden_states=text[rows], position_ids=positions[rows], segment_ids=segments[rows],
                indicator=roles[rows], return_dict=False,
            )[0][:, words:]  # fmt: skip
            loss = nn.functional.mse_loss(velocity, x - noise)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            torch._foreach_lerp_(average, [p.detach() for p in parameters], 0.01)
            float(loss.detach())

    return advance


def bare_on_our_network(family: Family, base: Base, together: int) -> Callable[[int], None]:
    """A plain loop on our own packed network, ``together`` samples in one forward pass."""
    _, samples = pictures(base)
    texts = family.encode_text([sample.caption for sample in samples])
    grid = family.grid(base.native_pixels, base.native_pixels)
    clean = torch.randn(PICTURES, *family.latent_shape(grid))
    hyper = Hyper(rank=RANK, alpha=float(RANK), seed=1, weight_decay=1e-4, clip_norm=1.0, ema=0.99)
    state = TrainState(family.lora_targets(), hyper)
    leaves = state._learning
    parameters = [*leaves.down.values(), *leaves.up.values()]
    for parameter in parameters:
        parameter.grad = None
    average = [p.detach().clone() for p in parameters]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=1e-4, fused=True)

    def advance(steps: int) -> None:
        for _ in range(steps):
            examples = [
                TrainExample(clean[i], torch.randn_like(clean[i]), grid, float(s), texts[i], "")
                for i, s in zip(
                    torch.randperm(PICTURES)[:BATCH].tolist(), torch.sigmoid(torch.randn(BATCH)), strict=True
                )
            ]
            for at in range(0, BATCH, together):
                loss = flow_losses(family, leaves, examples[at : at + together]).mean() * (together / BATCH)
                loss.backward()
                float(loss.detach())
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            torch._foreach_lerp_(average, [p.detach() for p in parameters], 0.01)

    return advance


def unit_seconds(family: Family, base: Base) -> tuple[float, float]:
    """(one micro-batch forward and backward, one guided denoise step of one image), medians."""
    _, samples = pictures(base)
    texts = family.encode_text([sample.caption for sample in samples[:MICRO_BATCH]])
    grid = family.grid(base.native_pixels, base.native_pixels)
    x = torch.randn(family.latent_shape(grid))
    hyper = Hyper(rank=RANK, alpha=float(RANK), seed=1, weight_decay=1e-4, clip_norm=1.0, ema=0.99)
    state = TrainState(family.lora_targets(), hyper)
    examples = [TrainExample(x, torch.randn_like(x), grid, 0.5, text, "") for text in texts]
    adapter = state.adapter()
    train = _median(lambda: state.micro_step(family, examples, 1.0), 40)
    draw = _median(lambda: family.velocity([Denoise(x, grid, 0.5, texts[0], adapter, 2.5)]), 40)
    return train, draw


def _median(call: Callable[[], Any], times: int) -> float:
    return statistics.median(_timed(call) for _ in range(times))


clock = time.perf_counter


def _timed(call: Callable[[], Any]) -> float:
    began = clock()
    call()
    return clock() - began


def compare(mine: Callable[[int], None], theirs: Callable[[int], None], steps: int) -> tuple[float, float, float]:
    """(our seconds a step, theirs, the ratio), medians over alternating pairs."""
    mine(3)
    theirs(3)
    pairs = [(_timed(lambda: mine(steps)) / steps, _timed(lambda: theirs(steps)) / steps) for _ in range(PAIRS)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def helpers(threads: int, steps: int) -> str:
    """A step with and without teams of the helpers' own, each in a process of its own -> the result in words."""
    taken: dict[str, list[float]] = {"own": [], "none": []}
    ends: set[str] = set()
    for _ in range(PROCESSES):
        for teams, found in taken.items():
            command = [sys.executable, __file__, "--teams", teams, "--threads", str(threads), "--steps", str(steps)]
            seconds, sha256 = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()[-2:]
            found.append(float(seconds))
            ends.add(sha256)
    before, after = (1e3 * statistics.median(found) for found in taken.values())
    ratio = statistics.median(b / a for a, b in zip(*taken.values(), strict=True))
    return (
        f"A step of two samples, {threads} threads, {PROCESSES} alternating pairs of processes, {steps} steps each: "
        f"{before:.0f} ms if the helpers have teams of their own, {after:.0f} ms if each has one thread: {ratio:.2f}. "
        f"The adapters of these runs are {'the same bytes' if len(ends) == 1 else 'DIFFERENT'}. {_where()}."
    )


def _where() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip() or 'none'}, {platform.machine()}, "
        f"{os.cpu_count()} cores, torch {torch.__version__}, load {os.getloadavg()[0]:.1f}"
    )


def with_teams(base: Base, asked: argparse.Namespace) -> str:
    """Seconds of a step of two samples, the first three left out, and the digest of the adapter that came of them."""
    engine: Any = open_engine("torch", base, MINI, asked.threads, 1 << 26)
    if asked.teams == "own":
        engine._helpers = engine._telling._helpers = ThreadPoolExecutor(HELPER_THREADS)
    blobs, samples = pictures(base)
    seconds, digest, ends = 0.0, "", 3 + asked.steps
    run = msgspec.structs.replace(order(base, samples[:6], ends), batch_size=2)
    with tempfile.TemporaryDirectory() as folder:
        engine.admit("run", run, blobs.__getitem__, Path(folder))
        while engine.busy():
            for event in engine.step():
                if isinstance(event, TrainProgress) and event.step in (3, ends):
                    seconds = clock() - seconds  # at first the moment, at the end what has passed since
                digest = sha256_hex(event.path.read_bytes()) if isinstance(event, TrainFinished) else digest
    seconds /= asked.steps
    return f"{seconds} {digest}"


def main() -> None:
    """Measure, print, and write the page beside this file."""
    global clock
    options = argparse.ArgumentParser()
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--steps", type=int, default=10)
    options.add_argument("--cpu-time", action="store_true")
    options.add_argument("--helpers", action="store_true")
    options.add_argument("--teams", choices=["own", "none"], help="one process of --helpers")
    asked = options.parse_args()
    clock = time.process_time if asked.cpu_time else time.perf_counter
    base = load_base(MINI)
    if asked.helpers:
        print(helpers(asked.threads, asked.steps))
        return
    if asked.teams:
        print(with_teams(base, asked))
        return
    engine = open_engine("torch", base, MINI, asked.threads, 1 << 26)
    family = load_family(base.family, MINI, torch.device("cpu"), torch.float32)
    with tempfile.TemporaryDirectory() as workspace:
        mine = ours(engine, base, Path(workspace))
        rivals = {
            "the bare loop: library's network, whole batch": bare(base, sorted(family.lora_targets())),
            "our network, micro-batches of 2": bare_on_our_network(family, base, MICRO_BATCH),
            "our network, whole batch": bare_on_our_network(family, base, BATCH),
        }
        results = {name: compare(mine, theirs, asked.steps) for name, theirs in rivals.items()}
        engine.close()
    page = report(base, asked.threads, results, *unit_seconds(family, base))
    print(page)
    Path(__file__).with_suffix(".md").write_text(page)


def report(base: Base, threads: int, results: dict[str, tuple[float, float, float]], train: float, draw: float) -> str:
    """The result as a page."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    seconds = "CPU time" if clock is time.process_time else "wall time"
    return "\n".join(
        [
            "# A training step",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip() or 'none'}, {platform.machine()}, "
            f"{os.cpu_count()} cores, {threads} torch thread(s), torch {torch.__version__}, {seconds}, load "
            f"{os.getloadavg()[0]:.1f}. Base {base.identity}, batch {BATCH}, rank {RANK}. Script: "
            "`benchmarks/training_step.py`, which says what each row is.",
            "",
            "| rival | ours, ms | rival, ms | ratio |",
            "|---|---|---|---|",
            *(f"| {name} | {a * 1e3:.1f} | {b * 1e3:.1f} | {r:.2f} |" for name, (a, b, r) in results.items()),
            "",
            "Asked for: at most 1.15 times the bare loop (first row). The last row is what short units cost.",
            "",
            f"One unit (forward and backward of {MICRO_BATCH} samples): {train * 1e3:.1f} ms. One guided denoise step"
            f" of one image: {draw * 1e3:.1f} ms. A unit lasts {train / draw:.1f} of them; about 2 are allowed.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
