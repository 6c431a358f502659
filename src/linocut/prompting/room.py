"""How much of a text fits into a base's tokens beside the rest of its caption. Pure; never says too little for the
embedded base, whose small language is counted; for others a token is taken to be a byte of the text, or two of JSON."""

import json
import re
from typing import Any

from linocut.captions import caption_text
from linocut.prompting.lexicon import COLOURS, FACES, OBJECTS, SHAPES

LEAST = 240
"""Bytes of a description that are tried with any base: one that has no room for them says so itself."""
_FRAME = 60
"""Tokens of a chat template around a caption, and some to spare."""
_MINI_FRAME = 40
"""The same of the embedded base: its ruler of 22, the frame of the caption, its style."""
_LONG_WORD = 30
"""Bytes from which a word may be cut inside: languages without spaces."""
_PIECE = re.compile(r" ?[a-z]+|[0-9]+|.", re.DOTALL)
_KNOWN = frozenset(
    word
    for phrase in (*COLOURS, *SHAPES, *OBJECTS, *FACES, "a an the and with of in on at to word letter plain")
    for word in re.findall("[a-z]+", phrase)
)


def fitted(caption: dict[str, Any], max_text_tokens: int, *, is_small: bool) -> dict[str, Any]:
    """The caption, its ``high_level_description`` shortened to what the base has room for. ``is_small``: the base
    speaks the embedded base's language."""
    text = str(caption.get("high_level_description", ""))
    rest = {**caption, "high_level_description": ""}
    if is_small:
        most = max_text_tokens - _MINI_FRAME - _small_cost(rest)
        return {**caption, "high_level_description": _shortened(text, most, is_small=True)}
    most = max(LEAST, max_text_tokens - _FRAME - len(caption_text(rest).encode()) // 2)
    return {**caption, "high_level_description": _shortened(text, most, is_small=False)}


def _shortened(text: str, most: int, *, is_small: bool) -> str:
    """The text's beginning, whole words of it, of at most so many tokens. Its spaces are single ones afterwards."""
    words = text.split()
    left = most
    for index, word in enumerate(words):
        escaped = json.dumps(word, ensure_ascii=False)[1:-1]
        cost = _word_cost(escaped) if is_small else len(escaped.encode()) + 1
        if cost > left:
            kept = " ".join(words[:index])
            # An escaped byte may be six: \u0000.
            room = max(0, left - 1) // (1 if escaped == word else 6)
            inside = word.encode()[:room].decode(errors="ignore") if cost > _LONG_WORD else ""
            return f"{kept} {inside}".strip()
        left -= cost
    return " ".join(words)


def _small_cost(rest: dict[str, Any]) -> int:
    """An upper bound for the tokens of all but the description, in the embedded base's tokenizer."""
    style = rest.get("style_description", {})
    parts = rest["compositional_deconstruction"]
    cost = _text_cost(parts["background"]) + 4 * len(style.get("color_palette", []))
    cost += sum(_text_cost(value) + 1 for value in style.values() if isinstance(value, str))
    for element in parts["elements"]:
        cost += 4 + (9 if "bbox" in element else 0) + len(element.get("text", "").encode())
        cost += _text_cost(element["desc"]) + 4 * len(element.get("color_palette", []))
    return cost


def _text_cost(text: str) -> int:
    """Tokens of a value; one word alone may be read letter by letter."""
    words = text.split(" ")
    return len(text.encode()) if len(words) == 1 else sum(map(_word_cost, words))


def _word_cost(word: str) -> int:
    """Tokens of a word and the space before it: one for a known one, and else its bytes."""
    cost = 0
    for piece in _PIECE.findall(" " + word):
        known = piece.strip() in _KNOWN or (piece.isdigit() and len(piece) < 4)
        cost += 1 if known else len(piece.encode())
    return cost
