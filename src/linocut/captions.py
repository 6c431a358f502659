"""Structured captions (Ideogram 4's JSON prompts): checked against the published schema, re-emitted in training order.

Facts: contract/contract.json ``V4JsonPrompt``; the order of keys and the compact form are those the open weights
were trained on (ideogram-oss/ideogram4, prompting guide).
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from linocut.errors import InvalidRequest

_HEX = re.compile(r"^#[0-9a-fA-F]{6}$")
_STYLE_PHOTO = ("aesthetics", "lighting", "photo", "medium", "color_palette")
_STYLE_OTHER = ("aesthetics", "lighting", "medium", "art_style", "color_palette")
_ELEMENT_KEYS = {
    "obj": ("type", "bbox", "desc", "color_palette"),
    "text": ("type", "bbox", "text", "desc", "color_palette"),
}
_KEYS = ("high_level_description", "style_description", "compositional_deconstruction", "tags")
_MOST_NAMED = 8
"""Keys that a note names."""
_LONGEST_KEY = 60


@dataclass(frozen=True)
class Worded:
    """A request's text as the base reads it.

    ``caption``: the exact text for the base. ``prompt``: what an answer calls the rewritten prompt; the same, unless
    the client sent a structured caption, which stays as it was sent. ``notes``: one sentence for each thing that was
    not taken as it was said. ``is_cut``: the base reads less of a plain text than was sent.
    """

    caption: str
    prompt: str
    notes: tuple[str, ...] = ()
    is_cut: bool = False


def cut_of(text: str, caption: str) -> str:
    """How much of a plain ``text`` its ``caption`` (JSON, made of it) says: "after 23 of 61 words", "after 60 of 412
    characters" where words are too long to end at one. Empty where it says all of it."""
    whole = " ".join(text.split())
    said = str(json.loads(caption).get("high_level_description", ""))
    if said == whole or not whole.startswith(said):
        return ""
    if not said or whole[len(said)] == " ":
        return f"after {len(said.split())} of {len(whole.split())} words"
    return f"after {len(said)} of {len(whole)} characters"


def has_lettering(caption: str) -> bool:
    """Whether a caption (its exact text) has words to be written."""
    return '"type":"text"' in caption


def caption_text(caption: dict[str, Any]) -> str:
    """The exact text that a text encoder sees: compact JSON, non-ASCII kept, keys in the order given."""
    return json.dumps(caption, ensure_ascii=False, separators=(",", ":"))


def normalise(caption: object, field: str = "json_prompt") -> dict[str, Any]:
    """A caption in training order: nulls, ``tags`` and unknown keys dropped, hex colours upper-cased.

    ``InvalidRequest`` names the path that breaks the published schema, under ``field``.
    """
    whole = _object(caption, field)
    normal: dict[str, Any] = {"high_level_description": _text(whole, "high_level_description", field, required=True)}
    if (style := whole.get("style_description")) is not None:
        normal["style_description"] = _style(style, f"{field}.style_description")
    path = f"{field}.compositional_deconstruction"
    parts = _object(whole.get("compositional_deconstruction"), path)
    elements = parts.get("elements")
    if not isinstance(elements, list):
        raise InvalidRequest(f"{path}.elements must be a list (it may be empty).", field=field)
    normal["compositional_deconstruction"] = {
        "background": _text(parts, "background", path, required=True),
        "elements": [_element(item, f"{path}.elements[{i}]") for i, item in enumerate(elements)],
    }
    return normal


def structured(text: str) -> dict[str, Any]:
    """The structured caption that ``text`` is, as it was sent; empty for any other text."""
    if text.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError, InvalidRequest):
            caption = json.loads(text)
            normalise(caption)
            return dict(caption)
    return {}


def remarks(caption: dict[str, Any], field: str = "json_prompt") -> tuple[str, ...]:
    """What is to be said of a caption that ``normalise`` takes: keys that it drops (nulls and ``tags`` are dropped
    without a word), and boxes without an area. A sentence each, ``field`` first."""
    notes = []
    if unread := list(_unread(caption)):
        are = "is no key of the schema and was" if len(unread) == 1 else "are no keys of the schema and were"
        notes.append(f"{field}: {_listed(unread)} {are} left out.")
        if any(path.startswith("elements") and path.endswith(".text") for path in unread):
            notes[0] += ' Lettering is an element of type "text".'
    elements = caption["compositional_deconstruction"]["elements"]
    if flat := [f"elements[{i}].bbox" for i, element in enumerate(elements) if _is_flat(element.get("bbox"))]:
        has = "has" if len(flat) == 1 else "have"
        notes.append(
            f"{field}: {_listed(flat)} {has} no area, so little or nothing is drawn there. A box needs y_min < y_max "
            "and x_min < x_max."
        )
    return tuple(notes)


def _unread(caption: dict[str, Any]) -> Iterator[str]:
    """The paths of the keys that ``normalise`` drops and that say something."""
    parts = caption["compositional_deconstruction"]
    yield from _others(caption, "", _KEYS)
    yield from _others(caption.get("style_description") or {}, "style_description.", (*_STYLE_PHOTO, *_STYLE_OTHER))
    yield from _others(parts, "compositional_deconstruction.", ("background", "elements"))
    for i, element in enumerate(parts["elements"]):
        yield from _others(element, f"elements[{i}].", _ELEMENT_KEYS[element["type"]])


def _others(owner: dict[str, Any], path: str, known: Iterable[str]) -> Iterator[str]:
    return (f"{path}{key[:_LONGEST_KEY]}" for key, value in owner.items() if key not in known and value is not None)


def _is_flat(bbox: list[int] | None) -> bool:
    return bbox is not None and (bbox[0] == bbox[2] or bbox[1] == bbox[3])


def _listed(paths: list[str]) -> str:
    few = [*paths[:_MOST_NAMED], f"{len(paths) - _MOST_NAMED} more"] if len(paths) > _MOST_NAMED else paths
    return few[0] if len(few) == 1 else f"{', '.join(few[:-1])} and {few[-1]}"


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{path} must be a JSON object.", field=path)
    return value


def _text(owner: dict[str, Any], key: str, path: str, *, required: bool = False) -> str:
    value = owner.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        raise InvalidRequest(f"{path}.{key} must be a string{' and is required' if value is None else ''}.", field=path)
    return value


def _style(value: object, path: str) -> dict[str, Any]:
    style = _object(value, path)
    order = _STYLE_PHOTO if style.get("photo") is not None else _STYLE_OTHER
    normal: dict[str, Any] = {}
    for key in (*order, "art_style"):
        if style.get(key) is None or key in normal:
            continue
        normal[key] = _palette(style[key], f"{path}.{key}") if key == "color_palette" else _text(style, key, path)
    return normal


def _palette(value: object, path: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(c, str) and _HEX.match(c) for c in value):
        raise InvalidRequest(f"{path} must be a list of colours like #FFD700.", field=path)
    return [c.upper() for c in value]


def _element(value: object, path: str) -> dict[str, Any]:
    element = _object(value, path)
    kind = element.get("type")
    if kind not in _ELEMENT_KEYS:
        raise InvalidRequest(f"{path}.type must be obj or text.", field=path)
    normal: dict[str, Any] = {"type": kind}
    if (bbox := element.get("bbox")) is not None:
        whole = isinstance(bbox, list) and len(bbox) == 4
        if not whole or not all(type(n) is int and 0 <= n <= 1000 for n in bbox):
            raise InvalidRequest(f"{path}.bbox must be four integers 0..1000: y_min, x_min, y_max, x_max.", field=path)
        normal["bbox"] = [
            min(bbox[0], bbox[2]),
            min(bbox[1], bbox[3]),
            max(bbox[0], bbox[2]),
            max(bbox[1], bbox[3]),
        ]
    if kind == "text":
        normal["text"] = _text(element, "text", path, required=True)
    normal["desc"] = _text(element, "desc", path, required=True)
    if element.get("color_palette") is not None:
        normal["color_palette"] = _palette(element["color_palette"], f"{path}.color_palette")
    return normal
