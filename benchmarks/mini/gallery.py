"""Draws the pictures of docs/gallery.md with the embedded base: ``make gallery``.

The page's own code blocks are run, one after the other, against a server of their own; each picture that the page shows
is the file of that name which they leave. It is shown at 256 pixels, with squares behind what is transparent.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.docs.blocks import RUN_BY_SHELL, Reader, blocks_of  # noqa: E402
from tests.faults.house import House  # noqa: E402

from linocut.samples import PICTURES  # noqa: E402

PAGE, SHOWN = ROOT / "docs" / "gallery.md", ROOT / "docs" / "images" / "gallery"
SIDE, SQUARE, MOST_BYTES = 256, 16, 60_000


def shown(path: Path) -> Image.Image:
    """A picture as the page shows it."""
    with Image.open(path) as opened:
        picture = opened.convert("RGBA")
    picture.thumbnail((2 * SIDE, SIDE), Image.Resampling.LANCZOS)
    ground = Image.new("RGBA", picture.size, "white")
    for x in range(0, picture.width, SQUARE):
        for y in range((x // SQUARE % 2) * SQUARE, picture.height, 2 * SQUARE):
            ground.paste("#D8D8D8", (x, y, x + SQUARE, y + SQUARE))
    return Image.alpha_composite(ground, picture).convert("RGB").quantize(128, dither=Image.Dither.NONE)


def main() -> None:
    """Run the page, and keep what it shows."""
    folder = Path(tempfile.mkdtemp(prefix="gallery-"))
    house = House(folder / "data", {"LINOCUT_ENGINE": "torch", "LINOCUT_THREADS": "1"})
    house.start()
    try:
        house.wait_for("/readyz", "", 120)
        key = house.key()["api_key"]
        (folder / "page").mkdir()
        reader = Reader(folder / "page", house.url, house.data, PICTURES, key)
        for block in blocks_of(PAGE):
            if block.language in RUN_BY_SHELL:
                started = time.monotonic()
                reader.run(block)
                print(f"line {block.line}: {time.monotonic() - started:.1f} s", flush=True)
    finally:
        house.stop()
    SHOWN.mkdir(parents=True, exist_ok=True)
    for name in sorted(line.rpartition("/")[2].rstrip(")\n") for line in PAGE.open() if line.startswith("![")):
        shown(folder / "page" / name).save(SHOWN / name, optimize=True)
        size = (SHOWN / name).stat().st_size
        print(f"{name}: {size} bytes")
        assert size <= MOST_BYTES
    shutil.rmtree(folder)


if __name__ == "__main__":
    os.environ.pop("LINOCUT_URL", None)
    main()
