"""File names as clients send them, made fit to keep: a base name without path, control characters or endless length.

Names are only ever shown and compared. Nothing is stored under them (blobs go by content), so no name can point
anywhere.
"""

import unicodedata
from collections.abc import Container

from linocut.files import sha256_hex

MAX_STEM = 200
MAX_SUFFIX = 20
_DIRECTION_MARKS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}  # they make "gpj.exe" read as "exe.jpg"


def clean_name(name: str) -> str:
    """The base name: what follows the last ``/`` or ``\\``, NFC, printable, at most 220 characters, never empty.

    A longer stem is cut and ends in a hash of the whole, so that a picture and its caption still share theirs.
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    base = "".join(c for c in base if unicodedata.category(c) not in ("Cc", "Cs") and ord(c) not in _DIRECTION_MARKS)
    base = unicodedata.normalize("NFC", base).strip()
    if base in ("", ".", ".."):
        return "unnamed"
    stem, suffix = _split(base)
    if len(stem) > MAX_STEM:
        stem = f"{stem[: MAX_STEM - 9]}~{sha256_hex(stem.encode())[:8]}"
    return stem + suffix


def folder_of(name: str) -> str:
    """The folders before the base name, cleaned, with ``/`` between and at the start; empty for none."""
    *folders, _ = unicodedata.normalize("NFC", name.replace("\\", "/")).split("/")
    return "".join(f"/{folder.strip()}" for folder in folders if folder.strip() not in ("", ".", ".."))


def stem_of(name: str) -> str:
    """What pairs a caption with its picture: a clean name without its last suffix."""
    return _split(name)[0]


def suffix_of(name: str) -> str:
    """The suffix in lower case with its dot (``.txt``), or nothing."""
    return _split(name)[1].lower()


def free_name(name: str, taken: Container[str]) -> str:
    """``name``, or with the first free number: ``blob (2).png``."""
    stem, suffix = _split(name)
    number = 1
    while name in taken:
        number += 1
        name = f"{stem} ({number}){suffix}"
    return name


def _split(name: str) -> tuple[str, str]:
    dot = name.rfind(".")
    if dot <= 0 or len(name) - dot > MAX_SUFFIX:
        return name, ""
    return name[:dot], name[dot:]
