"""Structured captions in other words than the embedded base's own: how many of their words can be read.

    python benchmarks/mini/foreign_captions.py [--threads 1] [--write] [--sheet FILE]

Twelve captions as people write them for the hosted API, each drawn with two seeds: as they are, and as the server
brings them into the base's language (``linocut.prompting.reword``). Words are read by Tesseract (a program of its own,
``apt install tesseract-ocr``) from the picture at six times its size, in the box that the caption gives the text. A
text counts where all of its words are read, whatever the case.
"""

from __future__ import annotations

import argparse
import platform
import re
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from learning import BASE, run
from PIL import Image, ImageOps

from linocut.bases import MINI
from linocut.captions import caption_text, normalise
from linocut.engine.door import Engine
from linocut.engine.open import open_engine
from linocut.orders import GenerateOrder, ImageDrawn
from linocut.prompting import reword

SIDE, LARGER, SEEDS = BASE.native_pixels, 6, (11, 12)
Caption = dict[str, Any]


def text(words: str, desc: str, box: list[int]) -> dict[str, Any]:
    return {"type": "text", "text": words, "desc": desc, "bbox": box}


def thing(desc: str, box: list[int]) -> dict[str, Any]:
    return {"type": "obj", "desc": desc, "bbox": box}


def caption(said: str, background: str, *elements: dict[str, Any]) -> Caption:
    parts = {"background": background, "elements": list(elements)}
    return normalise({"high_level_description": said, "compositional_deconstruction": parts})


CAPTIONS = (
    caption("A poster with a red circle and the word SALE", "A plain off-white background",
            thing("A solid red circle", [150, 300, 550, 700]),
            text("SALE", "Large bold blue sans-serif capitals", [620, 50, 900, 950])),
    caption("Minimal café sign", "Solid deep navy backdrop with no texture",
            text("CAFE", "Crisp white uppercase lettering, heavy grotesque", [350, 100, 650, 900])),
    caption("A tea label", "Clean cream paper background",
            thing("A simple brown mug seen from the side", [120, 280, 580, 720]),
            text("TEA", "Dark green serif letters, generously spaced", [650, 100, 880, 900])),
    caption("A flat poster of a sun", "A bright sky blue field",
            thing("A big cheerful yellow sun with pointed rays", [80, 250, 580, 750]),
            text("SUMMER", "Bold rounded white headline text", [660, 40, 900, 960])),
    caption("An announcement", "Solid black background",
            text("OPEN", "Glowing golden capitals in a strong sans serif", [200, 80, 480, 920]),
            text("NOW", "The same golden capitals, smaller", [560, 200, 800, 800])),
    caption("Jazz night", "A smooth gradient from deep purple to pink",
            text("JAZZ", "White bold condensed sans-serif title", [300, 60, 700, 940])),
    caption("A pet shop's card", "Soft mint green background",
            thing("A black cat silhouette sitting upright", [100, 300, 600, 700]),
            text("MEOW", "Chunky black bubble letters", [660, 120, 900, 880])),
    caption("A fish market", "White background with a thin blue border",
            thing("A teal fish facing left", [180, 150, 520, 850]),
            text("FISH", "Heavy navy blue slab serif lettering", [600, 100, 880, 900])),
    caption("A music poster", "Flat orange background",
            text("LIVE MUSIC", "Bold white sans-serif capitals stacked on two lines", [200, 100, 800, 900])),
    caption("A birthday card", "Pale pink paper with no pattern",
            thing("One glossy red balloon on a string", [60, 350, 600, 650]),
            text("PARTY", "Playful red rounded letters", [660, 60, 900, 940])),
    caption("A bookshop's logo", "Plain white",
            text("BOOKS", "Elegant black roman capitals", [400, 150, 600, 850])),
    caption("A garden fair", "Solid pale yellow",
            thing("A single green leaf", [80, 400, 600, 600]),
            text("FRESH", "Forest green thin sans-serif text", [660, 80, 880, 920])),
)  # fmt: skip


def drawn(engine: Engine, captions: list[Caption], folder: Path) -> list[np.ndarray]:
    """Each caption with each seed, in the base's own size."""
    numbers, out = BASE.sampling["DEFAULT"], []
    for number, one in enumerate(captions):
        order = GenerateOrder(
            base=BASE.identity, organization_id="o", caption=caption_text(one), width=SIDE, height=SIDE,
            output_width=SIDE, output_height=SIDE, seeds=SEEDS, sampling=numbers, adapter=None,
        )  # fmt: skip
        events = run(engine, f"draw-{number}", order, {}, folder)
        pngs = sorted((event.index, event.png) for event in events if isinstance(event, ImageDrawn))
        out += [np.asarray(Image.open(_stream(png)).convert("RGB")) for _, png in pngs]
    return out


def _stream(png: bytes) -> Any:
    from io import BytesIO

    return BytesIO(png)


def is_read(pixels: np.ndarray, element: dict[str, Any], folder: Path) -> bool:
    """Whether Tesseract reads all words of a text in its box, dark on light or light on dark."""
    y0, x0, y1, x1 = (round(edge * SIDE / 1000) for edge in element["bbox"])
    part = Image.fromarray(pixels[max(0, y0 - 6) : y1 + 6, max(0, x0 - 6) : x1 + 6]).convert("L")
    large = ImageOps.autocontrast(part.resize((part.width * LARGER, part.height * LARGER), Image.Resampling.LANCZOS))
    wanted = element["text"].upper().split()
    for picture in (large, ImageOps.invert(large)):
        path = folder / "part.png"
        ImageOps.expand(picture, 40, fill=picture.getpixel((0, 0))).save(path)
        for layout in ("6", "7"):
            asked = ["tesseract", str(path), "-", "--psm", layout]
            said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
            if set(wanted) <= set(re.findall(r"[A-Z]+", said.upper())):
                return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="also write foreign_captions.md beside this script")
    parser.add_argument("--sheet", type=Path, help="where to save a contact sheet: as they are, reworded")
    args = parser.parse_args()
    engine = open_engine("torch", BASE, MINI, threads=args.threads, adapter_cache_bytes=1 << 20)
    reworded = [
        reword(one, (1, 1), max_text_tokens=BASE.max_text_tokens, knows=BASE.knows, make_up=True)[0] for one in CAPTIONS
    ]
    lines, rows = ["| captions | texts read |", "|---|---|"], []
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        for name, captions in (("as they are", list(CAPTIONS)), ("in the base's language", reworded)):
            pictures = drawn(engine, captions, folder)
            rows += [np.concatenate(pictures[seed :: len(SEEDS)], 1) for seed in range(len(SEEDS))]
            read = [
                is_read(pixels, element, folder)
                for index, pixels in enumerate(pictures)
                for element in CAPTIONS[index // len(SEEDS)]["compositional_deconstruction"]["elements"]
                if element["type"] == "text"
            ]
            lines.append(f"| {name} | {sum(read)} of {len(read)} |")
            print(lines[-1], flush=True)
    engine.close()
    if args.sheet:
        Image.fromarray(np.concatenate(rows)).save(args.sheet)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    head = (f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {platform.machine()}, {args.threads} thread(s) "
            f"beside other work, base {BASE.identity}. Script: `benchmarks/mini/foreign_captions.py`.")  # fmt: skip
    told = "\n".join(["# Words of foreign captions on the embedded base", "", head, "", *lines, ""])
    if args.write:
        (Path(__file__).parent / "foreign_captions.md").write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
