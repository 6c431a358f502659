"""Our training step and caption cache beside those of the library's own LoRA script, on the embedded base.

    python benchmarks/library_loop.py [--threads 1] [--pairs 3] [--cpu-time]

The library's script for this architecture (``train_dreambooth_lora_ideogram4.py``) encodes each caption once, padded to
2048 tokens with a row of zeros for every image token behind them, keeps that in float32, and runs its transformer with
peft over the whole padded sequence with a dense mask. This loop does the same with the same classes: ``encode_prompt``,
``add_adapter``, the same optimiser as ours, no checkpoints, no events. Ours is a run in the engine, as in
``training_step.py``.

A step at most 0.9 of the library's is asked for, and a cache of a tenth.
"""

import argparse
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import torch
import training_step
from diffusers import Ideogram4Pipeline
from peft import LoraConfig
from torch import nn
from training_step import BATCH, RANK, RATE, compare, ours, pictures

from linocut.bases import MINI, Base, load_base
from linocut.engine.families.family import load_family
from linocut.engine.open import open_engine

PADDED = 2048
"""Text tokens of every caption in the script."""


def library(base: Base, targets: list[str]) -> tuple[Callable[[int], None], int]:
    """(a function that advances the script's loop by some steps, the bytes of its caption cache)."""
    pipeline = Ideogram4Pipeline.from_pretrained(str(MINI), local_files_only=True)
    network = pipeline.transformer.requires_grad_(False)
    network.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=targets))
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=1e-4, fused=True)
    side = base.native_pixels // (2 * 2 ** (len(pipeline.vae.config.block_out_channels) - 1))
    _, samples = pictures(base)
    with torch.no_grad():
        cache = [pipeline.encode_prompt(one.caption, side, side, PADDED, torch.device("cpu")) for one in samples]
    clean = torch.randn(len(samples), side * side, network.config.in_channels)
    padding = torch.zeros(BATCH, PADDED, clean.shape[2])

    def advance(steps: int) -> None:
        for _ in range(steps):
            rows = torch.randperm(len(samples))[:BATCH]
            text, positions, segments, roles = (torch.cat([cache[row][part] for row in rows]) for part in range(4))
            noise, sigma = torch.randn(BATCH, *clean.shape[1:]), torch.sigmoid(torch.randn(BATCH))
            noisy = torch.lerp(clean[rows], noise, sigma[:, None, None])
            velocity = network(
                hidden_states=torch.cat([padding, noisy], dim=1), timestep=1 - sigma, encoder_hidden_states=text,
                position_ids=positions, segment_ids=segments, indicator=roles, return_dict=False,
            )[0][:, PADDED:]  # fmt: skip
            loss = nn.functional.mse_loss(velocity, clean[rows] - noise)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            float(loss.detach())

    return advance, sum(part.nbytes for entry in cache for part in entry)


def main() -> None:
    """Measure, print, and write the page beside this file."""
    options = argparse.ArgumentParser()
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--pairs", type=int, default=3)
    options.add_argument("--cpu-time", action="store_true")
    asked = options.parse_args()
    training_step.clock = time.process_time if asked.cpu_time else time.perf_counter
    training_step.PAIRS = asked.pairs
    base = load_base(MINI)
    engine = open_engine("torch", base, MINI, asked.threads, 1 << 26)
    family = load_family(base.family, MINI, torch.device("cpu"), torch.float32)
    _, samples = pictures(base)
    mine_bytes = sum(text.nbytes for text in family.encode_text([one.caption for one in samples]))
    with tempfile.TemporaryDirectory() as workspace:
        theirs, their_bytes = library(base, sorted(family.lora_targets()))
        a, b, ratio = compare(ours(engine, base, Path(workspace)), theirs, 1)
        engine.close()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    page = "\n".join([
        "# Beside the library's own LoRA script",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"{asked.threads} torch thread(s), torch {torch.__version__}, {'CPU' if asked.cpu_time else 'wall'} time, load "
        f"{os.getloadavg()[0]:.1f}. Base {base.identity}, batch {BATCH}, rank {RANK}, {asked.pairs} pairs. Script: "
        "`benchmarks/library_loop.py`.",
        "",
        "| | ours | the library's script | ratio | asked for |",
        "|---|---|---|---|---|",
        f"| a step | {a * 1e3:.0f} ms | {b * 1e3:.0f} ms | {ratio:.2f} | 0.9 |",
        f"| cache of {len(samples)} captions | {mine_bytes / 1e6:.1f} MB | {their_bytes / 1e6:.1f} MB | "
        f"{mine_bytes / their_bytes:.3f} | 0.1 |",
        "",
        "The gain is the padding: the script runs 2048 text tokens and the image's, whatever the caption. With the",
        "padding cut to the longest caption the step is that of `training_step.md`. For a large picture the same",
        "padding weighs less: 2048 tokens beside 4096 of the image at 1024 x 1024.",
        "",
    ])  # fmt: skip
    print(page)
    Path(__file__).with_suffix(".md").write_text(page)


if __name__ == "__main__":
    main()
