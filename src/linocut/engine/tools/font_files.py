"""The font files that a machine has: those of the system, of the ``fontpkg-*`` packages, and of a folder. Fetches none.

A font of variable weight counts as one face for each of ``WEIGHTS`` that it reaches.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from PIL import ImageFont

WEIGHTS = (300.0, 400.0, 700.0, 900.0)
ENDINGS = (".ttf", ".otf", ".ttc")
MOST_FACES = 600
"""Of more, those found last are left out, and it is said."""
BOLD_FROM = 600

_WEIGHTS_BY_NAME = {
    "thin": 100, "extralight": 200, "light": 300, "book": 400, "regular": 400, "medium": 500, "semibold": 600,
    "demibold": 600, "extrabold": 800, "bold": 700, "black": 900, "heavy": 900,
}  # fmt: skip


@dataclass(frozen=True)
class Face:
    """One face: ``weight`` 100 to 900. ``axes``: where a variable font is set to, empty for others."""

    family: str
    style: str
    weight: int
    is_italic: bool
    file: Path
    index: int
    axes: tuple[float, ...]

    def opened(self, size: int) -> ImageFont.FreeTypeFont:
        """The face at ``size`` pixels an em."""
        font = ImageFont.truetype(str(self.file), size, index=self.index)
        if self.axes:
            font.set_variation_by_axes(list(self.axes))
        return font


def faces_of(folder: Path | None) -> tuple[list[Face], bool]:
    """(the faces of ``folder``, of the packages and of the system, each once; whether there were more)."""
    found: list[Face] = []
    known: set[tuple[str, str]] = set()
    for file in _files(folder):
        for face in _faces(file):
            if (face.family, face.style) in known:
                continue
            if len(found) == MOST_FACES:
                return found, True
            known.add((face.family, face.style))
            found.append(face)
    return found, False


def _files(folder: Path | None) -> Iterator[Path]:
    places = [] if folder is None else [folder]
    for place in [*places, *_packages(), *_system()]:
        yield from (file for file in sorted(place.rglob("*")) if file.suffix.lower() in ENDINGS and file.is_file())


def _packages() -> Iterable[Path]:
    """Where the font packages keep their files. None of their code is run."""
    for package in sorted(entry_points(group="fontpkg.family"), key=lambda entry: entry.name):
        if package.dist is not None:
            yield Path(str(package.dist.locate_file(package.value)))


def _system() -> Iterable[Path]:
    """The folders in which fontconfig looks, and macOS."""
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    own = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    named = [Path(place) / "fonts" for place in [own, *shared.split(":")] if place]
    others = [Path.home() / ".fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    return [place for place in dict.fromkeys([*named, *others]) if place.is_dir()]


def _faces(file: Path) -> Iterator[Face]:
    """The faces in a file; none where it cannot be read as a font."""
    index = 0
    while True:
        try:
            font = ImageFont.truetype(str(file), 16, index=index)
        except OSError:
            return
        family, style = (name or "" for name in font.getname())
        if family:
            yield from _variations(font, Face(family, style or "Regular", 400, False, file, index, ()))
        index += 1
        if file.suffix.lower() != ".ttc":
            return


def _variations(font: ImageFont.FreeTypeFont, face: Face) -> Iterator[Face]:
    is_italic = any(word in face.style.lower() for word in ("italic", "oblique"))
    try:
        axes = font.get_variation_axes()
    except OSError:  # it has one weight
        yield Face(face.family, face.style, _weight(face.style), is_italic, face.file, face.index, ())
        return
    at = next((i for i, axis in enumerate(axes) if axis["name"] in (b"Weight", "Weight")), None)
    usual = [float(axis["default"] or 0) for axis in axes]
    if at is None:
        yield Face(face.family, face.style, _weight(face.style), is_italic, face.file, face.index, tuple(usual))
        return
    least, most = float(axes[at]["minimum"] or 0), float(axes[at]["maximum"] or 0)
    for weight in WEIGHTS:
        if least <= weight <= most:
            set_to = (*usual[:at], weight, *usual[at + 1 :])
            style = f"{_NAMES[weight]} Italic" if is_italic else _NAMES[weight]
            yield Face(face.family, style, int(weight), is_italic, face.file, face.index, set_to)


_NAMES = {300.0: "Light", 400.0: "Regular", 700.0: "Bold", 900.0: "Black"}


def _weight(style: str) -> int:
    words = style.lower().replace("-", "").replace(" ", "")
    return next((weight for name, weight in _WEIGHTS_BY_NAME.items() if name in words), 400)
