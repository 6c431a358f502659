"""Whether the words on the demo's pictures can be read: tesseract on the bar of each picture of the custom model.

    python benchmarks/mini/demo_words.py [--folder FOLDER] [--write]

Runs ``linocut demo`` (or takes the ``--folder`` that one left) and reads each picture of its custom model: the bar at
the foot, enlarged, dark on light, as one line of capitals. A word counts when it is read exactly. The same is done with
the twenty true posters at the base's own size. Asked for: nine of ten, and under five minutes for the whole demo on two
cores. ``--write`` keeps the table and the contact sheet (docs/images/contact-sheet.png). Needs tesseract 5 on the path
(Debian: tesseract-ocr).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image, ImageOps

from linocut.bases import MINI, load_base
from linocut.cli.demo import PROMPTS
from linocut.samples.draw import BAR_TOP, WORDS, kettle_and_fern, posters

HERE = Path(__file__).parent
SHEET = HERE.parents[1] / "docs" / "images" / "contact-sheet.png"
SIDE = 512
"""Pixels that a picture is enlarged to: its letters are then a hundred high."""


def read(picture: Image.Image) -> str:
    """The word on the bar."""
    large = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    bar = ImageOps.autocontrast(ImageOps.invert(large.crop((0, round(SIDE * BAR_TOP) + 4, SIDE, SIDE))), cutoff=2)
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        ImageOps.expand(bar, 40, 255).save(file.name)
        command = ["tesseract", file.name, "-", "--psm", "7"]
        capitals = ["-c", "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
        return subprocess.run([*command, *capitals], capture_output=True, text=True, check=True).stdout.strip()


def asked(path: Path) -> str:
    """The word that the picture of that name (custom-NUMBER-seedSEED.png) was asked for."""
    return PROMPTS[int(path.stem.split("-")[1]) - 1].split('"')[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="pictures of a demo that has run")
    parser.add_argument("--write", action="store_true", help="keep the table beside this script, and the contact sheet")
    args = parser.parse_args()
    folder, seconds = args.folder, "not measured"
    if folder is None:
        folder = Path(tempfile.mkdtemp())
        command = [sys.executable, "-m", "linocut.cli.main", "demo", "--out", str(folder), "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds = f"{json.loads(done.stdout)['seconds']} s"
    drawn = sorted(folder.glob("custom-*.png"))
    words = [(asked(path), read(Image.open(path))) for path in drawn]
    side = load_base(MINI).native_pixels
    small = [(p.word, kettle_and_fern(p).resize((side, side), Image.Resampling.LANCZOS)) for p in posters(20)]
    true = sum(read(picture) == word for word, picture in small)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    lines = [
        "# Words on the demo's pictures", "",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {platform.machine()}, {os.cpu_count()} cores, base "
        f"{load_base(MINI).identity}. Script: `benchmarks/mini/demo_words.py`.", "",
        "| pictures | words read exactly |", "|---|---|",
        f"| true posters at {side} pixels | {true} of {len(small)} |",
        f"| custom model | {sum(word == found for word, found in words)} of {len(words)} |", "",
        f"The whole demo: {seconds}.", "",
        "| asked for | in the dataset | read |", "|---|---|---|",
        *(f"| {word} | {'yes' if word in WORDS else 'no'} | {found or 'nothing'} |" for word, found in words), "",
    ]  # fmt: skip
    print("\n".join(lines))
    if args.write:
        (HERE / "demo_words.md").write_text("\n".join(lines), encoding="utf-8")
        Image.open(folder / "contact-sheet.png").quantize(256).save(SHEET, optimize=True)


if __name__ == "__main__":
    main()
