"""How far apart the pictures of eight seeds are, and what that hangs on.

    python benchmarks/mini/seeds.py [--adapter FILE] [--wide] [--threads 2] [--write] [--sheet FILE]

Two prompts of the demo, eight seeds each, at the base's own size and TURBO. *Apart*: the root mean square
difference of two pictures' pixels (0..255), mean over all pairs of a prompt's pictures, then over the prompts. *Place*:
how far the figure's middle strays from picture to picture (standard deviation across and down, in pixels of 128); the
figure is what is cream above the bar, so it is taken of the house style only. One thing is changed a row. The true
posters are those of one motif and word at the places that the dataset has. ``--adapter``: a custom model of the sample
posters, as ``linocut demo`` leaves one (else it is trained here, on plain captions restated); ``--wide`` trains
another, whose posters' figures stray by ``WIDE``, and adds its row.
"""

from __future__ import annotations

import argparse
import io
import platform
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations
from math import cos, sin
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from learning import BASE, run, train
from linocut.engine.training.noise import start_noise
from PIL import Image

from linocut.bases import MINI
from linocut.captions import caption_text, normalise
from linocut.cli.demo import PROMPTS
from linocut.engine.door import Engine
from linocut.engine.open import open_engine
from linocut.engine.routines import draw as drawing
from linocut.files import sha256_hex
from linocut.orders import AdapterRef, GenerateOrder, ImageDrawn
from linocut.runtime import expanded, restated
from linocut.samples.draw import BAR_TOP, Poster, kettle_and_fern, plain_caption, posters, structured_caption

ASKED = PROMPTS[1:3]
SEEDS = tuple(range(1, 9))
SIDE = BASE.native_pixels
WIDE = (0.12, 0.05)
"""Across and down, of the side; the sample posters' figures stray 0.04 and 0.02."""
SPEED = BASE.sampling["TURBO"]
Pictures = list[np.ndarray]


@dataclass(frozen=True)
class Way:
    """How a row's pictures are drawn; each differs in one thing from the first of its model."""

    name: str
    say: Callable[[str], str]
    adapter: bytes | None
    steps: int = SPEED.steps
    guidance: float = SPEED.guidance
    noise: float = 1.0


def said(prompt: str) -> str:
    return restated(prompt, BASE.max_text_tokens)


def made_up(prompt: str) -> str:
    return expanded(prompt, SIDE, SIDE)


def poster_of(prompt: str, number: int = 0) -> Poster:
    """A poster of the prompt's words, at the place of the dataset's poster of that number."""
    return replace(posters(20)[number], motif=prompt.split()[1], word=prompt.split('"')[1])


def full(prompt: str, number: int = 0) -> str:
    """A caption with the boxes of one of the dataset's posters."""
    return caption_text(normalise(structured_caption(poster_of(prompt, number))))


def drawn(engine: Engine, folder: Path, way: Way, caption: str, seeds: Sequence[int]) -> Pictures:
    reference = way.adapter and AdapterRef(sha256=sha256_hex(way.adapter), size_bytes=len(way.adapter))
    blobs = {reference.sha256: way.adapter} if reference and way.adapter else {}
    order = GenerateOrder(
        base=BASE.identity, organization_id="o", caption=caption, width=SIDE, height=SIDE, output_width=SIDE,
        output_height=SIDE, seeds=tuple(seeds), adapter=reference or None,
        sampling=msgspec.structs.replace(SPEED, steps=way.steps, guidance=way.guidance),
    )  # fmt: skip
    # The engine has no such setting: the factor stands in for the routine's own start noise while this row is drawn.
    setattr(drawing, "start_noise", lambda seed, shape: way.noise * start_noise(seed, shape))  # noqa: B010
    events = run(engine, "draw", order, blobs, folder)
    return [np.asarray(Image.open(io.BytesIO(e.png)).convert("RGB")) for e in events if isinstance(e, ImageDrawn)]


def apart(pictures: Pictures) -> float:
    pairs = combinations([picture.astype(float) for picture in pictures], 2)
    return float(np.mean([np.sqrt(np.square(one - other).mean()) for one, other in pairs]))


def places(pictures: Pictures) -> np.ndarray:
    """x and y of the middle of the cream above the bar, in pixels, one row a picture."""
    found = []
    for picture in pictures:
        rows, columns = np.nonzero(picture[: round(SIDE * BAR_TOP) - 2, :, 2] > 170)
        found.append((columns.mean(), rows.mean()) if len(rows) else (np.nan, np.nan))
    return np.array(found)


def line(name: str, groups: list[Pictures], *, house: bool) -> str:
    across, down = np.nanmean([np.nanstd(places(group), axis=0) for group in groups], axis=0)
    place = f"{across:.1f}, {down:.1f}" if house else ""
    return f"| {name} | {np.mean([apart(group) for group in groups]):.1f} | {place} |"


def wide_posters() -> list[Poster]:
    return [
        replace(poster, x=0.5 + WIDE[0] * sin(i * 2.4), y=0.34 + WIDE[1] * cos(i * 1.7))
        for i, poster in enumerate(posters(20))
    ]


def true(posters_of_one: list[Poster]) -> Pictures:
    size = (SIDE, SIDE)
    return [np.asarray(kettle_and_fern(p).resize(size, Image.Resampling.LANCZOS)) for p in posters_of_one]


def table(engine: Engine, folder: Path, adapter: bytes, wide: bytes | None) -> tuple[list[str], list[Pictures]]:
    base, custom = Way("base, expanded", made_up, None), Way("custom model, restated", said, adapter)
    ways = [
        base, replace(base, name="base, restated", say=said), custom,
        replace(custom, name="custom model, full captions", say=full),
        *(replace(custom, name=f"custom model, guidance {g}", guidance=g) for g in (1.0, 3.0)),
        replace(custom, name="custom model, 24 steps", steps=24),
        replace(custom, name="custom model, start noise times 1.2", noise=1.2),
        *([replace(custom, name="custom model of posters that stray more, restated", adapter=wide)] if wide else []),
    ]  # fmt: skip
    lines, shown = ["| pictures | apart | place |", "|---|---|---|"], []
    for way in ways:
        groups = [drawn(engine, folder, way, way.say(prompt), SEEDS) for prompt in ASKED]
        lines.append(line(way.name, groups, house=way.adapter is not None))
        print(lines[-1], flush=True)
        shown.append(groups[0])
    asked = [[drawn(engine, folder, custom, full(p, n), SEEDS[:1])[0] for n in range(8)] for p in ASKED]
    lines.append(line("custom model, one seed, eight captions with other boxes", asked, house=True))
    heart, others = posters(20)[4], wide_posters()
    lines.append(line("true posters, places of the dataset", [true([replace(heart, x=p.x, y=p.y, size=p.size)
                      for p in posters(20)])], house=True))  # fmt: skip
    lines.append(line("true posters, places of the one that strays more", [true([replace(heart, x=p.x, y=p.y,
                      size=p.size) for p in others])], house=True))  # fmt: skip
    return lines, [*shown, asked[0]]


def noises() -> str:
    """What the seeds themselves give: means, deviations and likeness of their start noise."""
    rows = torch.stack([start_noise(seed, (256, 24)).flatten() for seed in range(64)])
    likeness = torch.corrcoef(rows) - torch.eye(len(rows))
    return (f"Start noise of 64 seeds: deviation {rows.std(1).min():.3f} to {rows.std(1).max():.3f}, largest "
            f"correlation of two {likeness.abs().max():.3f} (chance: {4.1 / rows.shape[1] ** 0.5:.3f}).")  # fmt: skip


def learned(engine: Engine, dataset: list[Poster], folder: Path) -> bytes:
    """The custom model of these posters with their plain captions, as the server restates them."""
    return train(engine, "seeds", [(kettle_and_fern(p), said(plain_caption(p))) for p in dataset], folder)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--wide", action="store_true", help="also train a custom model of posters that stray more")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="also write seeds.md beside this script")
    parser.add_argument("--sheet", type=Path, help="where to save the first prompt's pictures, a row each way")
    args: Any = parser.parse_args()
    engine = open_engine("torch", BASE, MINI, threads=args.threads, adapter_cache_bytes=64 << 20)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        adapter = args.adapter.read_bytes() if args.adapter else learned(engine, posters(20), folder)
        wide = learned(engine, wide_posters(), folder) if args.wide else None
        lines, shown = table(engine, folder, adapter, wide)
    engine.close()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    head = (f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {platform.machine()}, base {BASE.identity}. "
            "Script: `benchmarks/mini/seeds.py`.")  # fmt: skip
    text = "\n".join(["# How far apart the pictures of eight seeds are", "", head, "", *lines, "", noises(), ""])
    print(text)
    if args.write:
        (Path(__file__).parent / "seeds.md").write_text(text, encoding="utf-8")
    if args.sheet:
        Image.fromarray(np.concatenate([np.concatenate(row, 1) for row in shown])).save(args.sheet)


if __name__ == "__main__":
    main()
