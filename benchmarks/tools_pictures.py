"""The pictures of docs/tools.md that show enlarging and seeing: run it once, look at them, and commit what changed.

    python benchmarks/tools_pictures.py

``enlarged.png``: a part of a sample poster, halved and enlarged again by Lanczos and by pyanime4k, beside the original.
``seen.png``: what the tool ``scene`` finds on drawings of the gallery, its boxes and its words for them.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from linocut.engine.tools.catalogue import TOOLS
from linocut.engine.tools.scene.scene import Look
from linocut.samples import PICTURES

IMAGES = Path(__file__).parent.parent / "docs" / "images"
SHOWN = ("cat.png", "star.png", "cup.png", "bauhaus.png")


def enlarged() -> Image.Image:
    """Three columns: Lanczos, pyanime4k, the original; a part of 96 x 96 pixels, shown three times as large."""
    true = Image.open(sorted(PICTURES.glob("*.png"))[3]).convert("RGB")
    half = np.asarray(true.resize((true.width // 2, true.height // 2), Image.Resampling.BOX))
    columns = [Image.fromarray(TOOLS[name].load("cpu").run(half)) for name in ("lanczos", "pyanime4k")]
    sheet = Image.new("RGB", (3 * 296, 288), "white")
    left, top = true.width // 2 - 150, true.height - 170
    for number, column in enumerate([*columns, true]):
        part = column.crop((left, top, left + 96, top + 96)).resize((288, 288), Image.Resampling.NEAREST)
        sheet.paste(part, (number * 296, 0))
    return sheet


def seen() -> Image.Image:
    """Drawings with the box and the name of each figure, and the ground below."""
    tool, reader = TOOLS["scene"].load("cpu"), TOOLS["lettering"].load("cpu")
    sheet = Image.new("RGB", (len(SHOWN) * 264, 290), "white")
    for number, name in enumerate(SHOWN):
        picture = Image.open(IMAGES / "gallery" / name).convert("RGB").resize((256, 256))
        found = tool.run(Look(np.asarray(picture), tuple(reader.run(np.asarray(picture)).lines)))
        brush = ImageDraw.Draw(picture)
        for figure in found.figures:
            top, left, bottom, right = (round(side * 0.256) for side in figure.box)
            brush.rectangle((left, top, right, bottom), outline="#FF00AA", width=2)
            brush.text((left + 3, top + 2), figure.name or "(an object)", fill="#FF00AA")
        sheet.paste(picture, (number * 264, 0))
        for text in found.texts:
            top, left, bottom, right = (round(side * 0.256) for side in text.box)
            brush.rectangle((left, top, right, bottom), outline="#FF00AA", width=2)
            brush.text((left + 3, top - 12), f'"{text.text}"', fill="#FF00AA")
        ground = f"{found.ground.pattern} {' '.join(found.ground.colours)}"
        ImageDraw.Draw(sheet).text((number * 264 + 4, 264), ground, fill="black")
    return sheet


if __name__ == "__main__":
    for name, made in (("enlarged.png", enlarged()), ("seen.png", seen())):
        made.quantize(128).save(IMAGES / name, optimize=True)
        print(IMAGES / name)
