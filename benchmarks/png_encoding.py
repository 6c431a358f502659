"""Writing a PNG: Pillow at zlib's level 2, as answers were written before, against ``picture_files.png_bytes``.

A poster of the samples at 1024 x 1024 (smooth, as the embedded base draws), and the same with a photograph's noise.
Median processor time and size of alternating pairs. At most half of the time, and no larger file, is the target.
Run by ``make bench``; writes png_encoding.md beside this file.
"""

import sys
import time
from io import BytesIO
from pathlib import Path
from statistics import median

from load import where
from PIL import Image, ImageChops, ImageFilter

from linocut.picture_files import png_bytes
from linocut.samples import PICTURES

SIDE, PAIRS = 1024, 7
MOST_RATIO = 0.5


def poster() -> Image.Image:
    """Smooth: 128 x 128 pixels scaled to the answer's size."""
    with Image.open(min(PICTURES.glob("*.png"))) as sample:
        small = sample.convert("RGB").resize((128, 128), Image.Resampling.LANCZOS)
    return small.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def photograph() -> Image.Image:
    """The same with grain in each channel."""
    grain = [Image.effect_noise((SIDE, SIDE), 24).filter(ImageFilter.BoxBlur(1)) for _ in range(3)]
    return ImageChops.add(poster(), Image.merge("RGB", grain), offset=-128)


def by_pillow(picture: Image.Image) -> bytes:
    """As answers were written before."""
    out = BytesIO()
    picture.save(out, "PNG", compress_level=2)
    return out.getvalue()


def main() -> None:
    """Measure, print and write the result."""
    lines = [
        "# Writing a PNG",
        "",
        f"{SIDE} x {SIDE}, median processor time of {PAIRS} alternating pairs; at most {MOST_RATIO} of the time is the "
        "target:",
        "",
        "| picture | Pillow, level 2 | ours | ratio |",
        "|---|---|---|---|",
    ]
    for name, picture in (("a drawing", poster()), ("with a photograph's grain", photograph())):
        spent: tuple[list[float], list[float]] = ([], [])
        sizes = [0, 0]
        for _ in range(PAIRS):
            for one, write in enumerate((by_pillow, png_bytes)):
                began = time.process_time()
                sizes[one] = len(write(picture))
                spent[one].append(1000 * (time.process_time() - began))
        before, after = median(spent[0]), median(spent[1])
        cells = (f"{ms:.1f} ms, {size / 1000:,.0f} kB" for ms, size in zip((before, after), sizes, strict=True))
        lines.append(f"| {name} | {' | '.join(cells)} | {after / before:.2f} |")
    lines += ["", where("png_encoding.py")]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "png_encoding.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
