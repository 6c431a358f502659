"""What a custom model learns from plain sentences: the demo's posters, with and without things made up in them.

    python benchmarks/mini/plain_captions.py [--threads 2] [--write] [--sheet FILE]

Twenty posters of ``samples/draw.py``, each with a sentence like 'a cup with the word "TEA"', train one custom model as
the server does it (``restate``: the caption says what the sentence says) and one on captions of the expander, which
makes up the colours, the ground and the places that a sentence leaves out. Both draw held-out posters (motif and word
together are new) from their sentences in the same way. *Word*, *motif*: of the twenty words, of the twelve motifs, the
one whose true drawing is nearest in its part of the picture is the asked one (chance: 5 %, 8 %); words may be moved by
two pixels, motifs by eight, as no sentence says where they stand. *Motif's colour*: the median of its middle lies
within dE 25 of the house's cream. *Nearest*: ``samples/style.py``, to the house's own posters and not to another
house's. All are also taken on what the autoencoder alone leaves of the true drawings.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from learning import BASE, pictures, train
from PIL import Image

from linocut.bases import MINI
from linocut.engine.families.family import load_family
from linocut.engine.open import open_engine
from linocut.prompting.lexicon import hex_to_rgb
from linocut.runtime import worded
from linocut.samples.draw import (
    CREAM,
    MOTIFS,
    SIZE,
    WORDS,
    Poster,
    kettle_and_fern,
    night_signal,
    plain_caption,
    posters,
)
from linocut.samples.style import style_distance, style_vector
from pretrain.measures import apart

LEARNED, ASKED = posters(20), posters(24, first=20)
SIDE = BASE.native_pixels
WORD_ROWS, MOTIF_ROWS, COLUMNS = slice(91, 125), slice(8, 80), slice(8, 120)
WORD_SHIFT, MOTIF_SHIFT = 2, 8
Say = Callable[[Poster], str]


def said(poster: Poster) -> str:
    return worded(BASE, plain_caption(poster), 1, 1, make_up=False).caption


def made_up(poster: Poster) -> str:
    return worded(BASE, plain_caption(poster), SIZE, SIZE, make_up=True).caption


def true(poster: Poster) -> np.ndarray:
    return np.asarray(kettle_and_fern(poster).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def coded(drawings: list[np.ndarray]) -> list[np.ndarray]:
    """What the autoencoder leaves of the drawings."""
    family = load_family(BASE.family, MINI, torch.device("cpu"), torch.float32)
    latents = family.encode_images([torch.from_numpy(drawing.copy()) for drawing in drawings])
    return [pixels.numpy() for pixels in family.decode(latents, [family.grid(SIDE, SIDE)] * len(latents))]


def away(pixels: np.ndarray, truth: np.ndarray, rows: slice, most_shift: int) -> float:
    """Mean square difference of a part of two pictures, at the best of the shifts."""
    part, shifts = truth[rows, COLUMNS].astype(float), range(-most_shift, most_shift + 1)
    moved = (np.roll(pixels, (dy, dx), (0, 1))[rows, COLUMNS] for dy in shifts for dx in shifts)
    return min(float(np.square(one - part).mean()) for one in moved)


def word_of(pixels: np.ndarray, poster: Poster) -> str:
    return min(WORDS, key=lambda word: away(pixels, true(replace(poster, word=word)), WORD_ROWS, WORD_SHIFT))


def motif_of(pixels: np.ndarray, poster: Poster) -> str:
    return min(MOTIFS, key=lambda motif: away(pixels, true(replace(poster, motif=motif)), MOTIF_ROWS, MOTIF_SHIFT))


def colour_kept(pixels: np.ndarray, poster: Poster) -> bool:
    y, x, reach = round(poster.y * SIDE), round(poster.x * SIDE), round(poster.size * SIDE / 8)
    middle = pixels[y - reach : y + reach, x - reach : x + reach].reshape(-1, 3)
    return apart(np.median(middle, axis=0), np.array(hex_to_rgb(CREAM))) < 25


def line(name: str, drawn: list[np.ndarray], seconds: str = "") -> str:
    own = [style_vector(kettle_and_fern(poster)) for poster in LEARNED]
    other = [style_vector(night_signal(poster)) for poster in LEARNED]
    pairs = list(zip(drawn, ASKED, strict=True))
    near = sum(style_distance(Image.fromarray(p), own) < style_distance(Image.fromarray(p), other) for p, _ in pairs)
    counts = (
        sum(word_of(pixels, poster) == poster.word for pixels, poster in pairs),
        sum(motif_of(pixels, poster) == poster.motif for pixels, poster in pairs),
        sum(colour_kept(pixels, poster) for pixels, poster in pairs),
        near,
    )
    return f"| {name} | {' | '.join(f'{100 * count / len(pairs):.0f} %' for count in counts)} | {seconds} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="also write plain_captions.md beside this script")
    parser.add_argument("--sheet", type=Path, help="where to save a contact sheet: true, restated, expanded")
    args = parser.parse_args()
    engine = open_engine("torch", BASE, MINI, threads=args.threads, adapter_cache_bytes=64 << 20)
    drawings = [true(poster) for poster in ASKED]
    lines = ["| drawn by | word | motif | motif's colour | nearest | training |", "|---|---|---|---|---|---|"]
    lines.append(line("the autoencoder alone, from true drawings", coded(drawings)))
    rows = [np.concatenate(drawings[:12], 1)]
    ways: dict[str, Say] = {"custom model, captions restated": said, "custom model, captions expanded": made_up}
    with tempfile.TemporaryDirectory() as folder:
        for name, say in ways.items():
            captioned = [(kettle_and_fern(poster), say(poster)) for poster in LEARNED]
            adapter, seconds = train(engine, say.__name__, captioned, Path(folder))
            drawn = pictures(engine, [say(poster) for poster in ASKED], adapter, Path(folder))
            lines.append(line(name, drawn, f"{seconds:.0f} s"))
            print(lines[-1], flush=True)
            rows.append(np.concatenate(drawn[:12], 1))
    engine.close()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    head = (f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {platform.machine()}, {args.threads} threads "
            f"beside other work, base {BASE.identity}. Script: `benchmarks/mini/plain_captions.py`.")  # fmt: skip
    text = "\n".join(["# What a custom model learns from plain sentences", "", head, "", *lines, ""])
    print(text)
    if args.write:
        (Path(__file__).parent / "plain_captions.md").write_text(text, encoding="utf-8")
    if args.sheet:
        Image.fromarray(np.concatenate(rows)).quantize(200).save(args.sheet, optimize=True)


if __name__ == "__main__":
    main()
