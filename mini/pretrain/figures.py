"""The sheet of figures that ``describe`` compares with: every shape and object that the embedded base was shown, also
tilted, and the motifs of the sample posters. ``python -m pretrain.figures`` draws it into the package.

A cell holds one figure, stretched to fill it: red is the main colour's part of each pixel, green the second's. The
file's text chunk ``figures`` lists the cells: name, height over width, degrees.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from linocut.engine.tools.scene.figures import CELL, COLUMNS, SHEET
from linocut.prompting.lexicon import OBJECTS, SHAPES
from linocut.samples.draw import OUTLINES as MOTIFS
from pretrain import shapes
from pretrain.scene import TILTABLE

FINE = 8
"""Cells are drawn this much larger and averaged down."""
TILTS = (-35, -20, 20, 35)
CALLED = {"moon": "crescent"}
"""Motifs of the samples that the base has another word for."""


def cells() -> list[tuple[str, float, int, np.ndarray]]:
    """(name, height over width, degrees, pixels) of each cell."""
    made = []
    for name in (*SHAPES, *OBJECTS):
        for degrees in (0, *(TILTS if name in TILTABLE else ())):
            parts = shapes.normalise(shapes.figure(name), degrees)
            made.append((name, shapes.aspect(parts), degrees, _drawn(parts)))
    for name, outlines in MOTIFS.items():
        parts = shapes.normalise([(np.array(points, dtype=float), 0) for points in outlines()], 0)
        made.append((CALLED.get(name, name), shapes.aspect(parts), 0, _drawn(parts)))
    return made


def _drawn(parts: list[shapes.Part]) -> np.ndarray:
    """uint8, CELL x CELL x 3."""
    side = CELL * FINE
    picture = Image.new("RGB", (side, side))
    pen = ImageDraw.Draw(picture)
    scale = np.array([side, side / shapes.aspect(parts)])
    for points, tone in parts:
        pen.polygon([tuple(p) for p in (points * scale).tolist()], fill=((255, 0, 0), (0, 255, 0), (0, 0, 0))[tone])
    return np.asarray(picture.reduce(FINE))


def sheet() -> tuple[Image.Image, str]:
    """The picture, and the list in its text chunk."""
    made = cells()
    whole = np.zeros((-(-len(made) // COLUMNS) * CELL, COLUMNS * CELL, 3), np.uint8)
    for index, (_, _, _, pixels) in enumerate(made):
        top, left = index // COLUMNS * CELL, index % COLUMNS * CELL
        whole[top : top + CELL, left : left + CELL] = pixels
    listed = json.dumps([[name, round(tall, 3), degrees] for name, tall, degrees, _ in made])
    return Image.fromarray(whole), listed


def write(path: Path) -> None:
    """Draw the sheet."""
    picture, listed = sheet()
    chunks = PngInfo()
    chunks.add_text("figures", listed)
    picture.save(path, optimize=True, pnginfo=chunks)


if __name__ == "__main__":
    write(SHEET)
