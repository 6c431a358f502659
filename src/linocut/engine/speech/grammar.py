"""The grammar of a caption, as JSON Schema, and a pen that can write nothing else.

The schema is the published one (``contract/contract.json`` V4JsonPrompt) as ``captions.normalise`` reads it, keys in
training order, with limits of length: so whatever a model wants to say comes to an end, and is valid. llguidance turns
schema and vocabulary into the tokens that may come next.
"""

import json
from dataclasses import dataclass
from typing import Any

RATIOS = (
    "1:4", "1:3", "1:2", "9:16", "10:16", "2:3", "3:4", "4:5", "1:1", "5:4", "4:3", "3:2", "16:10", "16:9", "2:1",
    "3:1", "4:1",
)  # fmt: skip
MEDIA = ("photograph", "illustration", "3d_render", "painting", "graphic_design")
CLOSERS = ('"', "}", "]", ",", "0")
"""What brings a caption to its end soonest, in this order."""
FILLER = "."
"""Stands where a text must have a letter and may not end yet: nothing else of the grammar begins with it."""


@dataclass(frozen=True)
class Limits:
    """The most characters of the parts of a caption, and the most of its elements."""

    summary: int = 400
    style: int = 160
    background: int = 300
    element: int = 260
    lettering: int = 120
    elements: int = 16


def caption_schema(limits: Limits, *, with_ratio: bool) -> dict[str, Any]:
    """JSON Schema of a caption; ``with_ratio``: an aspect ratio stands before it."""
    palette = {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^#[0-9A-F]{6}$"}}
    many, few = {**palette, "maxItems": 16}, {**palette, "maxItems": 5}
    looks = {"aesthetics": _said(limits.style), "lighting": _said(limits.style)}
    photograph = {**looks, "photo": _said(limits.style), "medium": {"const": "photograph"}, "color_palette": many}
    other = {
        **looks, "medium": {"enum": list(MEDIA[1:])}, "art_style": _said(limits.style), "color_palette": many
    }  # fmt: skip
    side = {"type": "integer", "minimum": 0, "maximum": 1000}
    box = {"type": "array", "minItems": 4, "maxItems": 4, "items": side}
    rest = {"desc": _said(limits.element), "color_palette": few}
    thing = {"type": {"const": "obj"}, "bbox": box, **rest}
    lettering = {"type": {"const": "text"}, "bbox": box, "text": _said(limits.lettering, lines=True), **rest}
    elements = {
        "type": "array",
        "maxItems": limits.elements,
        "items": {"anyOf": [_object(thing, "color_palette"), _object(lettering, "color_palette")]},
    }
    parts = {"background": _said(limits.background), "elements": elements}
    whole = {
        "high_level_description": _said(limits.summary),
        "style_description": {"anyOf": [_object(photograph, "color_palette"), _object(other, "color_palette")]},
        "compositional_deconstruction": _object(parts),
    }
    found = _object({"aspect_ratio": {"enum": list(RATIOS)}, **whole} if with_ratio else whole)
    found["x-guidance"] = {"item_separator": ",", "key_separator": ":", "whitespace_flexible": False}
    return found


def _said(most: int, *, lines: bool = False) -> dict[str, Any]:
    """A text that begins with something to be seen; no control characters and no backslashes, and line breaks only in
    lettering."""
    later = r"[^\\\x00-\x1f\x7f]" if not lines else r"([^\\\x00-\x1f\x7f]|\n)"
    return {"type": "string", "pattern": rf"^[^\s\\\x00-\x1f\x7f]{later}{{0,{most - 1}}}$"}


def _object(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


class Pen:
    """Writes one caption, token by token: knows which tokens may come next, and how to end soon."""

    def __init__(self, tokens: Any, schema: dict[str, Any]) -> None:
        import llguidance  # late: most servers write by the grammar of prompting/, or ask an endpoint

        grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema))
        self._matcher = llguidance.LLMatcher(tokens, grammar)
        self._tokens = tokens
        self.written: list[int] = []

    @property
    def is_done(self) -> bool:
        """Whether the caption is whole."""
        return bool(self._matcher.is_stopped())

    def forced(self) -> list[int]:
        """What must come next whatever anybody wants to say: it is written, and given back."""
        found = list(self._matcher.compute_ff_tokens())
        self._write(found)
        return found

    def allowed(self) -> bytes:
        """The tokens that may come next: a bit each, the lowest of a byte first."""
        return bytes(self._matcher.compute_bitmask())

    def write(self, token: int) -> None:
        """One of those that may come next."""
        self._write([token])

    def close(self) -> None:
        """End the caption where it is, as soon as the grammar lets it."""
        closers = [self._token(text) for text in CLOSERS]
        filler = self._token(FILLER)
        while not self.is_done:
            if self.forced():
                continue
            allowed = self.allowed()
            order = [closers[0], filler, *closers[1:]]
            chosen = next((one for one in order if _is_in(one, allowed)), None)
            self.write(_first(allowed) if chosen is None else chosen)

    def _token(self, text: str) -> int:
        return int(self._tokens.tokenize_str(text)[0])

    def _write(self, tokens: list[int]) -> None:
        if tokens and not self._matcher.consume_tokens(tokens):
            raise ValueError(f"the grammar takes no {tokens} here: {self._matcher.get_error()}")
        self.written += tokens


def _is_in(token: int, allowed: bytes) -> bool:
    return bool(allowed[token >> 3] >> (token & 7) & 1)


def _first(allowed: bytes) -> int:
    return next(token for token in range(8 * len(allowed)) if _is_in(token, allowed))
