"""Caption files: bytes in, clean text out, or a reason with a sentence."""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from linocut.captions import caption_text, normalise
from linocut.datasets.sentences import counted
from linocut.datasets.text_bytes import Text, Unreadable, read_text
from linocut.errors import InvalidRequest
from linocut.json_names import NameTwice, once
from linocut.pictures.refusal import Reason, Refused

SUFFIXES = (".txt", ".caption", ".json")

_KEPT_CONTROLS = "\n\t"
_BYTES_A_CHARACTER = 12  # in JSON, \ud83d\ude00 is one
_FENCE = re.compile(r"\A\s*```\w*\s*\n(.*?)\n?```\s*\Z", re.DOTALL)
"""Models that write captions put JSON between such lines."""
_JSON_STARTS = re.compile(r"""\s*(?:\{\s*["'][^"'\n]{1,64}["']\s*:|\[\s*\{)""")
_ITS_KEYS = re.compile(r"""["']?(?:high_level_description|compositional_deconstruction|style_description)["']?\s*:""")


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption as it is stored: plain text, or the normalised JSON text of a structured one.

    ``note``: what its owner should know of it, a sentence; empty for nothing.
    """

    text: str
    is_json: bool
    note: str = ""


def read_caption(suffix: str, data: bytes, max_characters: int) -> Caption:
    """The caption in a file of one of ``SUFFIXES``. Text that is clearly a JSON object is a structured caption,
    whatever the suffix. ``Refused`` with INVALID_CAPTION or INVALID_CAPTION_JSON."""
    is_json = suffix == ".json"
    found = _decode(data, max_characters, "INVALID_CAPTION_JSON" if is_json else "INVALID_CAPTION")
    return _noted(_read(found.text, max_characters, is_json=is_json), found)


def _read(text: str, max_characters: int, *, is_json: bool) -> Caption:
    bare = text.removeprefix("\ufeff")
    if (fenced := _FENCE.match(bare)) and (is_json or _is_structured(fenced[1])):
        bare = fenced[1]
    if is_json or _is_structured(bare):
        return _structured(_parsed(bare), max_characters)
    text = clean_text(text)
    if not text.strip():
        raise Refused(
            "INVALID_CAPTION", "The caption is empty; write what the picture shows, or leave the caption file out."
        )
    _check_length(text, max_characters, "INVALID_CAPTION")
    return Caption(text, is_json=False)


def _noted(caption: Caption, found: Text) -> Caption:
    if not found.bad_bytes:
        return caption
    bad = counted(found.bad_bytes, "byte") + (" of it is" if found.bad_bytes == 1 else " of it are")
    note = f"{bad} no UTF-8 and read as \ufffd; save it as UTF-8 and send it again."
    return Caption(caption.text, caption.is_json, note)


def caption_of(value: object, max_characters: int) -> Caption | None:
    """The caption that a program sends: text, a structured caption, or (null, nothing but spaces) none at all.

    ``InvalidRequest`` says what is wrong with it.
    """
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return _read(value, max_characters, is_json=False) if clean_text(value).strip() else None
        if isinstance(value, dict):
            return _structured(value, max_characters)
    except Refused as refused:
        raise InvalidRequest(refused.message, field="caption") from refused
    raise InvalidRequest("caption must be text, a structured caption (a JSON object), or null.", field="caption")


def clean_text(text: str) -> str:
    """NFC, lines ended by a line feed, no control characters but it and the tab; spaces stay as they are."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", text)


def _is_structured(text: str) -> bool:
    """Whether a text is clearly meant as a JSON object, a sound one or a broken one; a sentence in braces is not."""
    return bool(_JSON_STARTS.match(text) or _ITS_KEYS.search(text)) or _is_object(text)


def _is_object(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=_no_constant)
    except NameTwice as twice:
        raise Refused(
            "INVALID_CAPTION_JSON",
            f"The caption has the name {twice.name!r} twice in one object; leave one of the two out.",
        ) from twice
    except (ValueError, RecursionError) as error:
        at = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(
            "INVALID_CAPTION_JSON",
            f"The caption is not valid JSON{at}; send a structured caption, or plain text as a .txt file.",
        ) from error


def _structured(value: Any, max_characters: int) -> Caption:
    try:
        caption = normalise(_clean_strings(value), "caption")
    except InvalidRequest as error:
        raise Refused(
            "INVALID_CAPTION_JSON",
            f"{error.message} JSON is taken for a structured caption; write plain text without it.",
        ) from error
    except RecursionError as error:
        raise Refused("INVALID_CAPTION_JSON", "The caption is nested too deeply for a structured caption.") from error
    normal = caption_text(caption)
    _check_length(normal, max_characters, "INVALID_CAPTION_JSON")
    return Caption(normal, is_json=True)


def _decode(data: bytes, max_characters: int, reason: Reason) -> Text:
    if len(data) > max_characters * _BYTES_A_CHARACTER:
        raise Refused(reason, _too_long(max_characters))
    try:
        return read_text(data)
    except Unreadable as error:
        raise Refused(
            reason,
            "The caption is not readable text, or in a code page that cannot be told; save it as UTF-8 and send it "
            "again.",
        ) from error


def _check_length(text: str, max_characters: int, reason: Reason) -> None:
    if len(text) > max_characters:
        raise Refused(reason, _too_long(max_characters))


def _too_long(max_characters: int) -> str:
    return f"The caption is longer than {max_characters:,} characters; shorten it and send it again."


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _clean_strings(value: Any) -> Any:
    """The same value with every string in it cleaned (an escape can smuggle what no file may hold)."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean_strings(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean_strings(item) for key, item in value.items()}
    return value
