"""Which checkpoint is the better one: that of the lowest held-out loss, or that whose previews are most like the style?

    python benchmarks/mini/choosing.py [--styles 5] [--steps 200] [--threads 2] [--write]

Each of the five house styles of ``styles.py`` is trained once. At every fifth of the run nine previews are drawn: three
by the captions that a run itself takes, by which the likeness chooses (``engine/training/likeness.py``), and six of
held-out subjects, by which both choices are judged: ``samples/style.py``, distance to the style by palette, edges and
texture, which neither of the two choices has seen. Only the checkpoints with previews may be chosen by either. The
best and the worst that could have been chosen stand beside them.
"""

from __future__ import annotations

import argparse
import io
import platform
import subprocess
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from learning import BASE, PICTURES, run, said
from PIL import Image
from styles import STYLES, draw, subjects

from linocut.bases import MINI
from linocut.engine.open import open_engine
from linocut.engine.training.likeness import Comparison
from linocut.files import sha256_hex
from linocut.orders import CheckpointScored, PreviewDrawn, PreviewPrompt, TrainOrder, TrainSample
from linocut.runs import recipes
from linocut.samples.style import style_distance, style_vector

JUDGED = 6


def order_of(style: str, steps: int) -> tuple[TrainOrder, dict[str, bytes]]:
    blobs, samples = {}, []
    for subject in subjects(style, PICTURES):
        stream = io.BytesIO()
        draw(style, subject).save(stream, "PNG")
        name = sha256_hex(stream.getvalue())
        blobs[name] = stream.getvalue()
        samples.append(TrainSample(image_sha256=name, width=256, height=256, caption=said(subject)))
    chosen = tuple(sorted(samples, key=lambda sample: (sample.image_sha256, sample.caption)))
    holdout, recipe = recipes.holdout_of(chosen), replace(recipes.plain(BASE, len(chosen)), steps=steps)
    recipe = replace(recipe, checkpoint_every=steps // 10, preview_every=steps // 5)
    judged = [
        PreviewPrompt(caption=said(subject), seed=200 + n)
        for n, subject in enumerate(subjects(style, JUDGED, first=PICTURES))
    ]
    order = TrainOrder(
        base=BASE.identity, organization_id="o", run_id=style, samples=chosen, holdout=holdout, seed=5,
        native_pixels=BASE.native_pixels, size_multiple=BASE.size_multiple,
        previews=(*recipes.previews_of(chosen, holdout), *judged), preview_sampling=BASE.sampling["FLASH"],
        **vars(recipe),
    )  # fmt: skip
    return order, blobs


def line(style: str, steps: int, threads: int) -> tuple[str, tuple[float, float]]:
    """The row of one style, and how far both choices are."""
    order, blobs = order_of(style, steps)
    engine = open_engine("torch", BASE, MINI, threads=threads, adapter_cache_bytes=64 << 20)
    with tempfile.TemporaryDirectory() as folder:
        events = run(engine, style, order, blobs, Path(folder))
    engine.close()
    pngs: dict[int, dict[int, bytes]] = {}
    for event in events:
        if isinstance(event, PreviewDrawn):
            pngs.setdefault(event.step, {})[event.index] = event.png
    losses = {event.step: event.score for event in events if isinstance(event, CheckpointScored)}
    own = [style_vector(draw(style, subject)) for subject in subjects(style, PICTURES)]
    comparison = Comparison(order, blobs.__getitem__)
    first = len(order.previews) - JUDGED
    likeness = {step: comparison.of([drawn[i] for i in range(first)]) for step, drawn in pngs.items()}
    away = {
        step: sum(
            style_distance(Image.open(io.BytesIO(drawn[i])).convert("RGB"), own) for i in range(first, first + JUDGED)
        )
        / JUDGED
        for step, drawn in pngs.items()
    }
    by_loss = min(pngs, key=losses.__getitem__)
    by_style = min(pngs, key=lambda step: found.rank if (found := likeness[step]) else 1e9)
    shown = ", ".join(
        f"{step}: {losses[step]:.4f}, {likeness[step].style:.2f}, {likeness[step].copy:.2f}, {away[step]:.3f}"
        for step in sorted(pngs)
        if likeness[step]
    )
    row = (
        f"| {style} | {by_loss}: {away[by_loss]:.3f} | {by_style}: {away[by_style]:.3f} | {min(away.values()):.3f}, "
        f"{max(away.values()):.3f} | {shown} |"
    )
    return row, (away[by_loss], away[by_style])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--styles", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="also write choosing.md beside this script")
    args = parser.parse_args()
    rows, found = [], []
    for style in list(STYLES)[: args.styles]:
        row, both = line(style, args.steps, args.threads)
        rows.append(row)
        found.append(both)
        means = [sum(one) / len(found) for one in zip(*found, strict=True)]
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
        text = f"""# Choosing a checkpoint by its loss, or by its previews

{args.steps} steps, {len(found)} of 5 house styles. Distance of six held-out pictures to the style, lower is nearer
(`samples/style.py`).

| style | chosen by loss | chosen by likeness | best, worst | step: loss, style, copy, distance |
|---|---|---|---|---|
{chr(10).join(rows)}
| **mean** | {means[0]:.3f} | {means[1]:.3f} | | |

Script: `benchmarks/mini/choosing.py`. Date {datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()},
{platform.machine()}, {args.threads} thread(s) beside other work, base {BASE.identity}.
"""
        print(text, flush=True)
        if args.write:
            (Path(__file__).parent / "choosing.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
