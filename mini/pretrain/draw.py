"""From a scene to pixels (uint8, height x width x 3) and to a class map at half size (uint8, 0 = ground).

Drawn at twice the size and averaged down; figures fill their box exactly, lettering is fitted into its box.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from linocut.prompting.lexicon import FACES, OBJECTS, SHAPES
from pretrain import shapes
from pretrain.lettering import Setting, set_text, stamp
from pretrain.scene import DIGITS, LETTERS, SMALL, Ground, Item, Scene

CLASSES: tuple[str, ...] = ("", *SHAPES, *OBJECTS, *LETTERS, *DIGITS, *SMALL)
CLASS_OF = {name: index for index, name in enumerate(CLASSES)}
SUPER = 2
INKED = 90
"""Of 255: how much of a class map's pixel a letter must cover to own it; thin strokes cover half of one."""

# Packages with freely licensed fonts (Apache-2.0 and OFL-1.1), one file for each trained face.
FONT_FILES: dict[str, str] = {
    FACES[0]: "font_roboto/files/Roboto-Bold.ttf",
    FACES[1]: "font_roboto/files/Roboto-Regular.ttf",
    FACES[2]: "font_source_serif_pro/files/SourceSerifPro-Bold.ttf",
    FACES[3]: "font_fredoka_one/files/FredokaOne-Regular.ttf",
}


class Painter:
    """Draws scenes with the fonts found under one folder."""

    def __init__(self, fonts: Path) -> None:
        self.fonts = fonts

    @lru_cache(maxsize=1024)  # noqa: B019 - one painter lives as long as its process
    def font(self, face: str, size: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(str(self.fonts / FONT_FILES[face]), size)

    def paint(self, scene: Scene) -> tuple[np.ndarray, np.ndarray, Scene]:
        """Pixels, class map, and the scene with lettering boxes drawn tight around the ink."""
        backdrop = paint_ground(scene.ground, scene.width, scene.height)
        canvas = Image.fromarray(backdrop).resize((scene.width * SUPER, scene.height * SUPER), Image.Resampling.NEAREST)
        clean = canvas.copy() if any(item.name for item in scene.items) else canvas
        labels = Image.new("L", (scene.width // 2, scene.height // 2), 0)
        pens = ImageDraw.Draw(canvas), ImageDraw.Draw(labels)
        items = []
        for item in scene.items:
            if item.text:
                items.append(self._letter(canvas, labels, item))
            else:
                _figure(canvas, clean, pens, item)
                items.append(item)
        pixels = np.asarray(canvas.reduce(SUPER))
        return pixels, np.asarray(labels), Scene(scene.width, scene.height, scene.ground, tuple(items))

    def setting(self, item: Item) -> Setting:
        """How an item's text is set into its box; into the box that painting gave it, the same again."""
        return set_text(item.text, partial(self.font, item.face), item.box)

    def _letter(self, canvas: Image.Image, labels: Image.Image, item: Item) -> Item:
        setting = self.setting(item)
        fonts = partial(self.font, item.face)
        for letter, (x0, y0, x1, y1) in zip(item.text, setting.inks, strict=True):
            wide, high = max(1, round((x1 - x0) * SUPER)), max(1, round((y1 - y0) * SUPER))
            mask = stamp(letter, fonts, (wide, high), setting.scale * SUPER)
            canvas.paste(item.colour.rgb, (round(x0 * SUPER), round(y0 * SUPER)), mask)
            small = mask.resize((max(1, round(wide / (2 * SUPER))), max(1, round(high / (2 * SUPER)))))
            inked = small.point(lambda level: 255 * (level > INKED))
            labels.paste(CLASS_OF.get(letter, 0), (round(x0 / 2), round(y0 / 2)), inked)
        return replace(item, box=setting.box, letters=setting.inks, cells=setting.cells)


def _figure(
    canvas: Image.Image, clean: Image.Image, pens: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw], item: Item
) -> None:
    x0, y0, x1, y1 = item.box
    parts = shapes.normalise(shapes.figure(item.name), item.tilt)
    scale = np.array([x1 - x0, (y1 - y0) / shapes.aspect(parts)])
    for points, tone in parts:
        at = points * scale + np.array([x0, y0])
        big = [tuple(p) for p in (at * SUPER).tolist()]
        small = [tuple(p) for p in (at / 2).tolist()]
        if item.outlined:
            line = max(3, round(0.09 * min(x1 - x0, y1 - y0))) * SUPER
            inner = at.mean(0) + (at - at.mean(0)) * (1 - line / SUPER / min(x1 - x0, y1 - y0))
            path = [tuple(p) for p in (inner * SUPER).tolist()]
            pens[0].line([*path, path[0], path[1]], fill=item.colour.rgb, width=line, joint="curve")
            pens[1].line([*small, small[0]], fill=CLASS_OF[item.name], width=2)
        elif tone == 2:
            hole = Image.new("1", canvas.size, 0)
            ImageDraw.Draw(hole).polygon(big, fill=1)
            canvas.paste(clean, (0, 0), hole)
            pens[1].polygon(small, fill=0)
        else:
            pens[0].polygon(big, fill=(item.second if tone else item.colour).rgb)
            pens[1].polygon(small, fill=CLASS_OF[item.name])


def paint_ground(ground: Ground, width: int, height: int) -> np.ndarray:
    """The backdrop alone, uint8."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    period = ground.scale
    kind = ground.kind
    if kind == "plain":
        mix = np.zeros_like(x)
    elif kind == "gradient":
        mix = y / (height - 1)
    elif kind == "horizontal gradient":
        mix = x / (width - 1)
    elif kind == "radial gradient":
        mix = np.clip(np.hypot((x - width / 2) / width, (y - height / 2) / height) * 1.6, 0, 1)
    elif kind == "stripes":
        mix = (y % period < period / 2).astype(np.float32)
    elif kind == "vertical stripes":
        mix = (x % period < period / 2).astype(np.float32)
    elif kind == "diagonal stripes":
        mix = np.clip(np.abs((x + y) % (2 * period) - period) - period / 2 + 0.5, 0, 1)
    elif kind == "dots":
        radius = np.hypot(x % period - period / 2 + 0.5, y % period - period / 2 + 0.5)
        mix = np.clip(period * 0.27 - radius + 0.5, 0, 1)
    elif kind == "checks":
        mix = ((x // (period / 2) + y // (period / 2)) % 2).astype(np.float32)
    elif kind == "rays":
        turn = np.arctan2(y - height / 2, x - width / 2) / (2 * np.pi) * 12
        mix = np.clip((np.abs(turn % 1 - 0.5) - 0.25) * 30 + 0.5, 0, 1)
    else:  # paper: a soft, repeatable grain
        mix = 0.10 + 0.10 * np.sin(x * 1.3 + 7 * np.sin(y * 0.41)) * np.sin(y * 1.1 + 5 * np.sin(x * 0.37))
    first, second = np.array(ground.first.rgb, np.float32), np.array(ground.second.rgb, np.float32)
    out = first + (second - first) * mix[..., None]
    if ground.border is not None:
        inside = (x >= 6) & (x < width - 6) & (y >= 6) & (y < height - 6)
        out = np.where(inside[..., None], out, np.array(ground.border.rgb, np.float32))
    return np.asarray(np.round(out), np.uint8)
