"""What of a folder is sent: pictures, captions and ZIPs of it and of all folders in it. What is not sent is named."""

import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from linocut.errors import InvalidRequest

PICTURES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jfi", ".pjpeg", ".pjp", ".png", ".webp"})
CAPTIONS = frozenset({".txt", ".json", ".caption"})
UPLOADED = PICTURES | CAPTIONS | {".zip"}

LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "icon\r", "$recycle.bin"})
"""What operating systems leave in folders, in lower case. It goes unmentioned, as hidden files do."""

_OTHER_PICTURES = """
    .heic .heif .hif .avif .gif .apng .tif .tiff .bmp .dib .jxl .jp2 .j2k .svg .ico .tga .exr .hdr .psd
    .xcf .raw .dng .cr2 .cr3 .crw .nef .nrw .arw .sr2 .raf .orf .rw2 .pef .srw .x3f .3fr .iiq .ppm .pgm .pdf .ai .eps"""
_FILMS = ".mp4 .mov .m4v .avi .webm .mkv .mpg .mpeg"
_ARCHIVES = ".rar .7z .tar .gz .tgz .bz2 .xz .zst"
_TABLES = ".csv .tsv .jsonl .parquet .xlsx .ods .yaml .yml"
_UNSENT = "its picture is not sent; send both together."
_STRAY = "the pictures of its name lie in other folders and have captions of their own; put it beside its picture."


@dataclass(frozen=True)
class Part:
    """One file to be sent. ``name`` carries its folders, as seen from the place that was named: ``cups/red.png``.
    ``place``: which of the places that were named, from 0."""

    path: Path
    name: str
    place: int = 0

    @property
    def sent_as(self) -> str:
        """The name in a request. It keeps folders of equal names apart that lie in different places."""
        return f"{self.place}/{self.name}"

    @property
    def suffix(self) -> str:
        """In lower case, with its dot."""
        return self.path.suffix.lower()

    @property
    def is_caption(self) -> bool:
        """Whether it is the caption of a picture."""
        return self.suffix in CAPTIONS

    @property
    def pair(self) -> str:
        """What a picture and its caption share, whichever way the caption is named: ``red`` of ``Red.png.txt``."""
        stem = Path(self.name).stem
        if self.is_caption and Path(stem).suffix.lower() in PICTURES:
            stem = Path(stem).stem
        return stem.casefold()


@dataclass
class Gathered:
    """``folders``: the files to send, those of each folder together. ``left_out``: (name, why and what to do)."""

    folders: list[list[Part]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def parts(self) -> Iterator[Part]:
        """All files to send."""
        for folder in self.folders:
            yield from folder

    def count(self) -> int | None:
        """How many pictures they are, those inside ZIPs too; None when a ZIP does not tell."""
        pictures = 0
        for part in self.parts():
            if part.suffix != ".zip":
                pictures += part.suffix in PICTURES
                continue
            try:
                with zipfile.ZipFile(part.path) as archive:
                    names = [name for name in archive.namelist() if not _is_litter(*name.split("/"))]
            except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
                return None
            pictures += sum(os.path.splitext(name)[1].lower() in PICTURES for name in names)
        return pictures

    def sentences(self) -> list[str]:
        """What was left out, one sentence a reason, with all its names."""
        by_reason: dict[str, list[str]] = {}
        for name, why in self.left_out:
            by_reason.setdefault(why, []).append(name)
        return [f"left out: {', '.join(names)}: {why}" for why, names in by_reason.items()]


def gather(places: Sequence[Path]) -> Gathered:
    """The files named, and those of the folders named and of all folders in them.

    ``InvalidRequest`` for a file named that cannot be sent, and when there is nothing to send.
    """
    found = Gathered()
    named: dict[Path, list[Part]] = {}
    for number, place in enumerate(places):
        if place.is_dir():
            _walk(place, number, found)
            continue
        if not place.exists():
            raise InvalidRequest(f"{place} is neither a file nor a folder; give one that holds your pictures.")
        if why := _unfit(place):
            raise InvalidRequest(f"{place}: {why}")
        beside = named.setdefault(place.parent, [])
        beside.append(Part(place, place.name, beside[0].place if beside else number))
    found.folders = [*named.values(), *found.folders]
    _leave_strays_out(found)
    if not found.folders:
        held = " ".join(["", *found.sentences()])
        raise InvalidRequest(
            f"{', '.join(map(str, places))} holds no JPEG, PNG, WebP or ZIP file and no caption.{held}"
        )
    return found


def _walk(root: Path, place: int, found: Gathered) -> None:
    def refused(error: OSError) -> None:
        found.left_out.append(
            (_name(Path(str(error.filename)), root), "this folder cannot be read; change its rights.")
        )

    for folder, folders, files in os.walk(root, onerror=refused):
        folders[:] = sorted(name for name in folders if not _is_litter(name))
        for name in [name for name in folders if os.path.islink(os.path.join(folder, name))]:
            folders.remove(name)
            why = "this is a link to a folder; name that folder itself."
            found.left_out.append((_name(Path(folder, name), root), why))
        parts, unsent = [], set()  # pairs of pictures that are not sent
        for name in sorted(name for name in files if not _is_litter(name)):
            part = Part(Path(folder, name), _name(Path(folder, name), root), place)
            if why := _unfit(part.path):
                found.left_out.append((part.name, why))
                if part.suffix in PICTURES or part.suffix in _OTHER_PICTURES.split():
                    unsent.add(part.pair)
            else:
                parts.append(part)
        parts = _without(parts, unsent - _pictures_in(parts), _UNSENT, found)
        if parts:
            found.folders.append(parts)


def _leave_strays_out(found: Gathered) -> None:
    """Leave out each caption without its picture, where every picture of its name has a caption beside it. A ZIP may
    hold its picture."""
    if any(part.suffix == ".zip" for part in found.parts()):
        return
    there, bare = set(), set()
    for folder in found.folders:
        pictures = _pictures_in(folder)
        there |= pictures
        bare |= pictures - {part.pair for part in folder if part.is_caption}
    kept = [_without(folder, there - bare - _pictures_in(folder), _STRAY, found) for folder in found.folders]
    found.folders = [folder for folder in kept if folder]


def _pictures_in(folder: list[Part]) -> set[str]:
    return {part.pair for part in folder if part.suffix in PICTURES}


def _without(folder: list[Part], pairs: set[str], why: str, found: Gathered) -> list[Part]:
    """The folder's files but for the captions of these pairs, which are left out."""
    found.left_out += [(part.name, why) for part in folder if part.is_caption and part.pair in pairs]
    return [part for part in folder if not (part.is_caption and part.pair in pairs)]


def _unfit(path: Path) -> str:
    """Why a file cannot be sent, and what to do; "" when it can."""
    suffix = path.suffix.lower()
    if suffix not in UPLOADED:
        return _way_out(suffix)
    if not path.exists():
        return "this link leads nowhere; put the file itself here."
    if not path.is_file():
        return "this is not a file that holds anything."
    return "" if os.access(path, os.R_OK) else "this file cannot be read; change its rights."


def _way_out(suffix: str) -> str:
    kind = suffix.removeprefix(".").upper()
    if suffix in _OTHER_PICTURES.split():
        return f"{kind} is not taken; save it as JPEG or PNG."
    if suffix in _FILMS.split():
        return f"{kind} is a film; save single pictures of it as JPEG or PNG."
    if suffix in _ARCHIVES.split():
        return f"{kind} is not taken; unpack it, or pack it as ZIP."
    if suffix in _TABLES.split():
        return f"captions are not read from {kind}; write each into a .txt file that is named like its picture."
    if not suffix:
        return "it has no suffix; if it is a picture, end its name in .jpg, .png or .webp."
    return f"{kind} is not a JPEG, PNG, WebP, caption (.txt, .json, .caption) or ZIP file."


def _is_litter(*names: str) -> bool:
    return any(name.startswith(".") or name.lower() in LITTER for name in names)


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
