"""The rules of a request that need neither the database nor its pictures: they are checked before one is stored."""

import unicodedata
from dataclasses import dataclass

from linocut import ids
from linocut.captions import caption_text, normalise
from linocut.errors import InvalidRequest
from linocut.generation.looks import check_look
from linocut.generation.options import settled
from linocut.generation.sizes import size_of
from linocut.generation.types import GenerateAsk, Means, Rules
from linocut.safety.service import judge_prompt

LONGEST_PROMPT = 10_000
_SILENT = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me", "Pi", "Pf"))
"""Categories of characters that say nothing alone: spaces, what has no width, what stands on a letter, quotes."""
_QUOTES_AND_DOTS = "\"'.\u2026\u201a\u201e"


@dataclass(frozen=True)
class Sent:
    """How many pictures of a look came, where they are not taken in yet."""

    style_references: int = 0
    characters: int = 0
    masks: int = 0


def check(ask: GenerateAsk, means: Means, sent: Sent | None = None) -> None:
    """``sent``: the pictures of its look that are still to come; without it they are those of ``ask.look``.

    ``InvalidRequest`` names the field, the limit and the way out; ``Unsafe``.
    """
    if means.settings.purpose == "training":
        raise InvalidRequest(
            "This server has room to train alone, not to draw (LINOCUT_PURPOSE=training); ask a server that draws, or "
            "its operator."
        )
    look = ask.look
    if sent is None:
        characters, masks = look.character_reference is not None, look.character_mask is not None
        sent = Sent(len(look.style_references), int(characters), int(masks))
    _check_prompt(ask, ask.rules)
    _check_numbers(ask, ask.rules)
    check_look(look, sent.style_references, sent.characters, sent.masks)
    operation = None if ask.over is None else ask.over.operation
    if operation != "inpaint":
        size_of(ask.rules, ask.resolution, ask.aspect_ratio, ask.prompt)
    settled(ask, means, has_character=sent.characters > 0)
    text = caption_text(normalise(ask.json_prompt)) if ask.prompt is None else ask.prompt
    judge_prompt(text, means.settings.safety_rules)


def check_text(text: str, field: str) -> None:
    """``InvalidRequest`` for a text that is too long, or empty: nothing but spaces, quotes, dots, and what has no
    width."""
    if all(sign in _QUOTES_AND_DOTS or unicodedata.category(sign) in _SILENT for sign in text):
        raise InvalidRequest(f"{field} must not be empty: say what to draw.", field=field)
    check_length(text, field)


def check_length(text: str, field: str) -> None:
    """``InvalidRequest`` for a text that is too long."""
    if len(text) > LONGEST_PROMPT:
        raise InvalidRequest(f"{field} has {len(text)} characters; the most is {LONGEST_PROMPT}.", field=field)


def _check_prompt(ask: GenerateAsk, rules: Rules) -> None:
    field = rules.prompt_field
    if (ask.prompt is None) == (ask.json_prompt is None):
        either = f"Send {field} or json_prompt, exactly one of them."
        raise InvalidRequest(either if rules.takes_json_prompt else f"{field} is required.", field=field)
    if ask.prompt is not None and not (ask.over is not None and ask.over.operation == "reframe"):
        check_text(ask.prompt, field)
    if ask.negative_prompt is not None:
        check_length(ask.negative_prompt, "negative_prompt")


def _check_numbers(ask: GenerateAsk, rules: Rules) -> None:
    most = rules.most_images
    if not 1 <= ask.num_images <= most:
        rule = "must be 1" if most == 1 else f"must be 1 to {most}"
        raise InvalidRequest(f"num_images {rule}.", field="num_images")
    if ask.seed is not None and not 0 <= ask.seed <= ids.MAX_SEED:
        raise InvalidRequest(f"seed must be 0 to {ids.MAX_SEED}.", field="seed")
    if ask.rendering_speed not in rules.speeds:
        raise InvalidRequest(
            f"rendering_speed {ask.rendering_speed} is not available with {rules.name}; "
            f"it must be one of {', '.join(rules.speeds)}.",
            field="rendering_speed",
        )
    if ask.magic_prompt not in ("AUTO", "ON", "OFF"):
        raise InvalidRequest("magic_prompt must be AUTO, ON or OFF.", field="magic_prompt")
