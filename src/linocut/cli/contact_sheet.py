"""One picture of many: rows with a label each, for a person to compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_TILE, _GAP, _LABEL = 160, 8, 26


@dataclass(frozen=True)
class Row:
    """A label and the pictures beside each other under it."""

    label: str
    pictures: Sequence[Path]


def contact_sheet(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as one PNG; a picture that is not square is fitted into its tile, never squashed."""
    columns = max(len(row.pictures) for row in rows)
    width = _GAP + columns * (_TILE + _GAP)
    sheet = Image.new("RGB", (width, _GAP + len(rows) * (_LABEL + _TILE + _GAP)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        top = _GAP + number * (_LABEL + _TILE + _GAP)
        pen.text((_GAP, top), row.label, fill="black", font=ImageFont.load_default(18))
        for column, picture in enumerate(row.pictures):
            with Image.open(picture) as opened:
                tile = opened.convert("RGB")
            tile.thumbnail((_TILE, _TILE), Image.Resampling.LANCZOS)
            sheet.paste(tile, (_GAP + column * (_TILE + _GAP), top + _LABEL))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
