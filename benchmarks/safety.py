"""What judging costs: the network's start, a picture of 1024 x 1024 (its PNG read, laid over white, judged), memory,
and a prompt by the rules. Seconds of CPU of one thread, so that other work on the machine counts little.

Run by ``make bench``; writes safety.md beside this file.
"""

import os
import platform
import resource
import statistics
import subprocess
import time
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from linocut.engine.judging import ByClassifier
from linocut.pictures.decoder import DecodeLimits, Decoder
from linocut.safety.service import judge_prompt
from linocut.verdicts import SafetyRule

ROUNDS = 9
HERE = Path(__file__).parent


def cpu() -> float:
    """Of this process."""
    return time.process_time()


def of_children() -> float:
    """Of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def decoded(data: bytes, pictures: int, rule: SafetyRule) -> float:
    """Seconds of CPU of a decoding process that reads so many pictures."""
    before = of_children()
    with Decoder(DecodeLimits(safety=rule)) as decoder:
        for _ in range(pictures):
            decoder.decode_input(data, keep_alpha=False)
    return of_children() - before


def main() -> None:
    """Measure, print and write the result."""
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(noise).resize((1024, 1024), Image.Resampling.BICUBIC).save(out, "PNG")
    data, on, off = out.getvalue(), SafetyRule(mode="on"), SafetyRule()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    judge, began = ByClassifier(on), cpu()
    judge(data)
    start, took = cpu() - began, []
    for _ in range(ROUNDS):
        began = cpu()
        judge(data)
        took.append(cpu() - began)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    first = decoded(data, 1, on) - decoded(data, 1, off)
    more = (decoded(data, 11, on) - decoded(data, 1, on) - decoded(data, 11, off) + decoded(data, 1, off)) / 10
    judge_prompt("a cat")
    began = cpu()
    for _ in range(100):
        judge_prompt("a poster with a teapot, a girl beside it and the word TEA, in the style of 1930")
    prompt, each = (cpu() - began) / 100, statistics.median(took)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE).stdout
    text = f"""# What judging costs

| what | CPU, one thread |
|---|---|
| a drawn image of 1024 x 1024, in a helper thread of the engine, median of {ROUNDS} | {1000 * each:.0f} ms |
| the first one: the network is loaded | {start:.2f} s |
| memory of the engine's process more | {grown:.0f} MiB |
| a picture of a request or dataset, in the decoding process: more than without | {1000 * more:.0f} ms |
| the first one of a decoding process (it serves 500) | {first:.2f} s |
| a prompt of 18 words by the rules | {1000 * prompt:.1f} ms |

An image is judged beside the device's loop: on a machine with a core to spare it delays its own answer by the first
row, and nobody else's.

Script: `benchmarks/safety.py`. Date {datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {platform.machine()},
{os.cpu_count()} cores beside other work.
"""
    (HERE / "safety.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
