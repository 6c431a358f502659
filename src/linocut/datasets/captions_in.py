"""Caption files: bytes in, clean text out, or a reason with a sentence."""

import codecs
import json
import unicodedata
from dataclasses import dataclass
from typing import Any

from linocut.captions import caption_text, normalise
from linocut.datasets.refusal import Reason, Refused
from linocut.errors import InvalidRequest

SUFFIXES = (".txt", ".json")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it starts with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_KEPT_CONTROLS = "\n\t"
_BYTES_A_CHARACTER = 12  # in JSON, \ud83d\ude00 is one


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption as it is stored: plain text, or the normalised JSON text of a structured one."""

    text: str
    is_json: bool


def read_caption(suffix: str, data: bytes, max_characters: int) -> Caption:
    """The caption in a ``.txt`` or ``.json`` file. ``Refused`` with INVALID_CAPTION or INVALID_CAPTION_JSON."""
    if suffix == ".json":
        return _read_json(data, max_characters)
    text = clean_text(_decode(data, max_characters, "INVALID_CAPTION"))
    if not text.strip():
        raise Refused(
            "INVALID_CAPTION", "The caption is empty; write what the picture shows, or leave the caption file out."
        )
    _check_length(text, max_characters, "INVALID_CAPTION")
    return Caption(text, is_json=False)


def caption_of(value: object, max_characters: int) -> Caption | None:
    """The caption that a program sends: text, a structured caption, or (null, nothing but spaces) none at all.

    ``InvalidRequest`` says what is wrong with it.
    """
    if value is None:
        return None
    try:
        if isinstance(value, str):
            text = clean_text(value)
            _check_length(text, max_characters, "INVALID_CAPTION")
            return Caption(text, is_json=False) if text.strip() else None
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


def _read_json(data: bytes, max_characters: int) -> Caption:
    text = _decode(data, max_characters, "INVALID_CAPTION_JSON")
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        at = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(
            "INVALID_CAPTION_JSON",
            f"The caption is not valid JSON{at}; send a structured caption, or plain text as a .txt file.",
        ) from error
    return _structured(value, max_characters)


def _structured(value: Any, max_characters: int) -> Caption:
    try:
        caption = normalise(_clean_strings(value), "caption")
    except InvalidRequest as error:
        raise Refused(
            "INVALID_CAPTION_JSON",
            f"{error.message} A .json caption is a structured caption; plain text goes in a .txt.",
        ) from error
    except RecursionError as error:
        raise Refused("INVALID_CAPTION_JSON", "The caption is nested too deeply for a structured caption.") from error
    normal = caption_text(caption)
    _check_length(normal, max_characters, "INVALID_CAPTION_JSON")
    return Caption(normal, is_json=True)


def _decode(data: bytes, max_characters: int, reason: Reason) -> str:
    """Text in UTF-8, in UTF-16 or 32 with its mark, or else in Windows' Western code page."""
    if len(data) > max_characters * _BYTES_A_CHARACTER:
        raise Refused(reason, _too_long(max_characters))
    mark, encoding = next(((mark, name) for mark, name in _BOMS if data.startswith(mark)), (b"", "utf-8"))
    body = data[len(mark) :]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        if mark:
            raise Refused(reason, _unreadable()) from error
        try:
            text = body.decode("cp1252")
        except UnicodeDecodeError as second:
            raise Refused(reason, _unreadable()) from second
    if "\0" in text:  # no text has one: a binary file, or UTF-16 without its mark
        raise Refused(reason, _unreadable())
    return text


def _check_length(text: str, max_characters: int, reason: Reason) -> None:
    if len(text) > max_characters:
        raise Refused(reason, _too_long(max_characters))


def _too_long(max_characters: int) -> str:
    return f"The caption is longer than {max_characters:,} characters; shorten it and send it again."


def _unreadable() -> str:
    return "The caption is not readable text; save it as UTF-8 and send it again."


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
