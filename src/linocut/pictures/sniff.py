"""What a file is by its first bytes, never by its name. A file that is two things at once is what it starts as."""

import struct
from typing import Literal

Kind = Literal["jpeg", "png", "webp", "zip", ""]

HEAD_BYTES = 32
"""How much of a file's start is enough to tell."""

_FOREIGN = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF"),  # or a camera's raw file: many are TIFFs at heart
    (b"MM\0*", "a TIFF"),
    (b"II+\0", "a TIFF"),
    (b"MM\0+", "a TIFF"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"<svg", "an SVG"),
    (b"<?xml", "an SVG or another XML file"),
    (b"<!DOCTYPE svg", "an SVG"),
    (b"8BPS", "a Photoshop file"),
    (b"8BPB", "a Photoshop file"),
    (b"gimp xcf", "a GIMP file"),
    (b"\0\0\1\0", "an icon"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"v/1\x01", "an OpenEXR file"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"RIFF", "a video or a sound"),
)
_ARCHIVES = ("a RAR archive", "a 7z archive", "a gzip file")
_AVIF, _HEIF = {b"avif", b"avis"}, {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIF |= {b"mif1", b"mif2", b"msf1"}
_TEXT_SUFFIXES = (
    ".md",
    ".text",
    ".cap",
    ".captions",
    ".tags",
    ".csv",
    ".tsv",
    ".jsonl",
    ".yaml",
    ".yml",
    ".xml",
    ".rtf",
)


def kind_of(head: bytes) -> Kind:
    """``jpeg`` (phones' multi-picture files too), ``png``, ``webp``, ``zip``, or empty for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return "zip"
    return ""


def foreign_name(head: bytes) -> str:
    """A format that is not taken but that its owner knows by name ("a GIF"); empty when it is none of them."""
    if head[4:8] == b"ftyp":
        brands = {head[at : at + 4] for at in (8, *range(16, len(head) - 3, 4))}
        if brands & _AVIF:
            return "an AVIF"
        if brands & _HEIF:
            return "a HEIC"
        return "a camera's raw file" if head[8:12] == b"crx " else "a video"
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((name for magic, name in _FOREIGN if (bare if magic[:1] == b"<" else head).startswith(magic)), "")


def not_a_picture(head: bytes, suffix: str = "") -> str:
    """The sentence for a file that starts like none of the three formats. ``suffix``: of its name, in lower case."""
    if suffix in _TEXT_SUFFIXES and b"\0" not in head:
        return "This is text; a caption is a .txt, .caption or .json file with the name of its picture."
    name = foreign_name(head)
    if name in _ARCHIVES:
        return f"This is {name}; send its files in a ZIP."
    if name:
        return f"This is {name}; save it as JPEG, PNG or WebP and send it again."
    return "This is not a JPEG, PNG or WebP picture, whatever its name says; save it as one of them and send it again."


def webp_size(head: bytes) -> tuple[int, int] | None:
    """(width, height) that a WebP declares: its decoder makes room for the canvas before anybody can ask it."""
    if len(head) < 30:
        return None
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = struct.unpack_from("<I", head, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
