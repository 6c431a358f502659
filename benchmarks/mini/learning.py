"""What a custom model learns on the embedded base: five house styles, twenty pictures each, default settings.

    python benchmarks/mini/learning.py [--threads 2] [--write] [--sheet docs/images/mini_learning.png]

Each style of ``styles.py`` trains one custom model through the engine's own door with the base's own recipe. Twenty
held-out captions (other places, colours and motifs) are drawn by the custom model and by the bare base with the same
seeds. ``samples/style.py`` says which of the five styles a picture is nearest to; the base's share is what chance
gives. *Colour*: the median of the middle of the asked box lies within dE 25 of the asked colour. *Box*: the pixels
within dE 30 of that colour span a box whose IoU with the asked one is over 0.5. Both are also taken on true drawings.
Asked for: near in 90 %, colour and box at least 80 % of the base's, training in at most 180 s on two cores.
"""

from __future__ import annotations

import argparse
import io
import platform
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from styles import STYLES, Subject, caption, draw, subjects

from linocut.bases import MINI, load_base
from linocut.captions import caption_text, normalise
from linocut.engine.door import Engine
from linocut.engine.open import open_engine
from linocut.files import sha256_hex
from linocut.orders import (
    AdapterRef,
    Failed,
    GenerateOrder,
    ImageDrawn,
    TrainFinished,
    TrainOrder,
    TrainSample,
)
from linocut.prompting.lexicon import COLOURS, hex_to_rgb
from linocut.runs import recipes
from linocut.samples.style import style_distance, style_vector
from pretrain.measures import apart, lab

PICTURES = 20
HELD_OUT = 20
BASE = load_base(MINI)


def run(
    engine: Engine, key: str, order: TrainOrder | GenerateOrder, blobs: dict[str, bytes], folder: Path
) -> list[Any]:
    engine.admit(key, order, blobs.__getitem__, folder)
    events: list[Any] = []
    while engine.busy():
        events += engine.step()
    failed = [event for event in events if isinstance(event, Failed)]
    if failed:
        raise RuntimeError(str(failed[0]))
    return events


def train(engine: Engine, name: str, captioned: list[tuple[Image.Image, str]], folder: Path) -> tuple[bytes, float]:
    """The adapter trained on pictures with their structured captions, and the seconds it took."""
    blobs: dict[str, bytes] = {}
    samples = []
    for picture, text in captioned:
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        sha256 = sha256_hex(stream.getvalue())
        blobs[sha256] = stream.getvalue()
        samples.append(TrainSample(image_sha256=sha256, width=picture.width, height=picture.height, caption=text))
    chosen = tuple(sorted(samples, key=lambda sample: (sample.image_sha256, sample.caption)))
    holdout, turbo = recipes.holdout_of(chosen), BASE.sampling["TURBO"]
    order = TrainOrder(
        base=BASE.identity, organization_id="o", run_id=name, samples=chosen, holdout=holdout, seed=5,
        native_pixels=BASE.native_pixels, size_multiple=BASE.size_multiple,
        previews=recipes.previews_of(chosen, holdout), preview_sampling=turbo,
        **vars(recipes.plain(BASE, len(chosen))),
    )  # fmt: skip
    begun = time.monotonic()
    finished = run(engine, f"train-{name}", order, blobs, folder)[-1]
    assert isinstance(finished, TrainFinished)
    return finished.path.read_bytes(), time.monotonic() - begun


def pictures(engine: Engine, captions: list[str], adapter: bytes | None, folder: Path) -> list[np.ndarray]:
    """One picture for each structured caption, in the base's own size."""
    turbo = BASE.sampling["TURBO"]
    reference = None if adapter is None else AdapterRef(sha256=sha256_hex(adapter), size_bytes=len(adapter))
    blobs = {} if adapter is None else {sha256_hex(adapter): adapter}
    drawn = []
    for number, text in enumerate(captions):
        order = GenerateOrder(
            base=BASE.identity, organization_id="o", caption=text,
            width=BASE.native_pixels, height=BASE.native_pixels, output_width=BASE.native_pixels,
            output_height=BASE.native_pixels, seeds=(100 + number,), sampling=turbo, adapter=reference,
        )  # fmt: skip
        for event in run(engine, f"draw-{number}", order, blobs, folder):
            if isinstance(event, ImageDrawn):
                drawn.append(np.asarray(Image.open(io.BytesIO(event.png)).convert("RGB")))
    return drawn


def colour_kept(pixels: np.ndarray, subject: Subject) -> bool:
    side = pixels.shape[0]
    x0, y0, x1, y1 = subject.box
    cx, cy, rx, ry = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 6, (y1 - y0) / 6
    middle = pixels[
        round((cy - ry) * side) : round((cy + ry) * side), round((cx - rx) * side) : round((cx + rx) * side)
    ]
    return apart(np.median(middle.reshape(-1, 3), axis=0), np.array(hex_to_rgb(COLOURS[subject.colour]))) < 25


def box_kept(pixels: np.ndarray, subject: Subject) -> bool:
    side = pixels.shape[0]
    near = np.linalg.norm(lab(pixels) - lab(np.array(hex_to_rgb(COLOURS[subject.colour]))), axis=-1) < 30
    x0, y0, x1, y1 = (v * side for v in subject.box)
    # The style's own marks may have the colour too: what lies far outside the asked box is not the subject.
    rows, cols = np.indices(near.shape)
    margin = 0.5 * max(x1 - x0, y1 - y0)
    near &= (rows > y0 - margin) & (rows < y1 + margin) & (cols > x0 - margin) & (cols < x1 + margin)
    tall, wide = np.nonzero(near.sum(1) >= 2)[0], np.nonzero(near.sum(0) >= 2)[0]
    if not len(tall) or not len(wide):
        return False
    width = min(x1, wide[-1] + 1) - max(x0, wide[0])
    height = min(y1, tall[-1] + 1) - max(y0, tall[0])
    inner = max(0.0, width) * max(0.0, height)
    both = (x1 - x0) * (y1 - y0) + (wide[-1] + 1 - wide[0]) * (tall[-1] + 1 - tall[0]) - inner
    return bool(inner / both > 0.5)


def obedience(drawn: list[np.ndarray], asked: list[Subject]) -> tuple[int, int]:
    """Pictures with the asked colour, and with the asked box."""
    colours = sum(colour_kept(p, s) for p, s in zip(drawn, asked, strict=True))
    return colours, sum(box_kept(p, s) for p, s in zip(drawn, asked, strict=True))


def said(subject: Subject) -> str:
    return caption_text(normalise(caption(subject)))


def small(style: str, subject: Subject) -> np.ndarray:
    pixels = BASE.native_pixels
    return np.asarray(draw(style, subject).resize((pixels, pixels), Image.Resampling.LANCZOS))


def nearest(pixels: np.ndarray, known: dict[str, list[np.ndarray]]) -> str:
    """The style that a picture is nearest to."""
    away = {name: style_distance(Image.fromarray(pixels), vectors) for name, vectors in known.items()}
    return min(away, key=lambda name: away[name])


def table(engine: Engine, folder: Path) -> tuple[list[str], list[np.ndarray]]:
    known = {style: [style_vector(draw(style, s)) for s in subjects(style, PICTURES)] for style in STYLES}
    lines = [
        "| style | nearest to its own style: custom, base | colour: custom, base, truth | box: the same | training |",
        "|---|---|---|---|---|",
    ]
    rows, total = [], np.zeros(8, int)
    for style in STYLES:
        learned = [(draw(style, subject), said(subject)) for subject in subjects(style, PICTURES)]
        adapter, seconds = train(engine, style, learned, folder)
        asked = subjects(style, HELD_OUT, first=PICTURES)
        made = pictures(engine, [said(subject) for subject in asked], adapter, folder)
        plain = pictures(engine, [said(subject) for subject in asked], None, folder)
        true = [small(style, subject) for subject in asked]
        near = [sum(nearest(pixels, known) == style for pixels in group) for group in (made, plain)]
        scores = [obedience(group, asked) for group in (made, plain, true)]
        flat = [*near, *(colour for colour, _ in scores), *(box for _, box in scores)]
        total += flat
        lines.append(_line(style, flat, HELD_OUT, f"{seconds:.0f} s"))
        print(lines[-1], flush=True)
        rows += [np.concatenate(true[:8], 1), np.concatenate(plain[:8], 1), np.concatenate(made[:8], 1)]
    lines.append(_line("**all**", total.tolist(), HELD_OUT * len(STYLES), ""))
    return lines, rows


def _line(name: str, counts: list[int], of: int, seconds: str) -> str:
    share = [f"{100 * count / of:.0f} %" for count in counts]
    return f"| {name} | {' | '.join(', '.join(share[a:b]) for a, b in ((0, 2), (2, 5), (5, 8)))} | {seconds} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="also write learning.md beside this script")
    parser.add_argument("--sheet", type=Path, help="where to save a contact sheet: true, base, custom")
    args = parser.parse_args()
    engine = open_engine("torch", BASE, MINI, threads=args.threads, adapter_cache_bytes=64 << 20)
    with tempfile.TemporaryDirectory() as folder:
        lines, rows = table(engine, Path(folder))
    engine.close()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    head = (f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {platform.machine()}, {args.threads} threads "
            f"beside other work, base {BASE.identity}. Script: `benchmarks/mini/learning.py`.")  # fmt: skip
    text = "\n".join(["# What a custom model learns", "", head, "", *lines, ""])
    print(text)
    if args.write:
        (Path(__file__).parent / "learning.md").write_text(text, encoding="utf-8")
    if args.sheet:
        sheet = Image.fromarray(np.concatenate(rows))
        sheet.resize((sheet.width * 3 // 4, sheet.height * 3 // 4)).quantize(200).save(args.sheet, optimize=True)


if __name__ == "__main__":
    main()
