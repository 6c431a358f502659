"""Nothing is accepted and ignored: a field that some image route knows and this one does not act on is refused,
unless what it says asks for nothing (DECISIONS 41). A name that no route knows is left out; that is told of a file, and
of a name that is much like a field of this route."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any, cast

import msgspec

from linocut.api.body import Texts
from linocut.api.fields import NOTHING, as_object, file_fields, nested, rules_of
from linocut.api.multipart import Part
from linocut.errors import InvalidRequest

KNOWN_FIELDS = frozenset(
    {
        "aspect_ratio", "character_reference_images", "character_reference_images_mask", "color_palette",
        "custom_model_uri", "detail", "enable_copyright_detection", "image", "image_file", "image_request",
        "image_urls", "image_weight", "images", "json_prompt", "magic_prompt", "magic_prompt_option",
        "magic_prompt_system_prompt_config_id", "magic_prompt_version", "mask", "model", "negative_prompt",
        "num_images", "prompt", "rendering_speed", "resemblance", "resolution", "seed", "style_codes", "style_preset",
        "style_reference_images", "style_type", "text_prompt", "transparent_background", "upscale_factor",
    }
)  # fmt: skip
"""Every field of every image route of the contract (a test holds the two together)."""

PUBLISHED_DEFAULTS: dict[str, Any] = {
    "detail": 50,
    "image_weight": 50,
    "num_images": 1,
    "rendering_speed": "DEFAULT",
    "resemblance": 50,
    "style_type": "GENERAL",
    "transparent_background": False,
    "upscale_factor": "X1",
}
"""A field that says only what holds without it. ``model`` is left out: V_2 is no default of a V3 or V4 route."""

HAVE_AUTO = frozenset({"aspect_ratio", "magic_prompt", "magic_prompt_option", "model", "style_type"})
"""The fields whose published choices have AUTO: it leaves the choice to the server, as if the field were absent."""

_INSTEAD = {
    ("/v1/ideogram-v4/generate", "prompt"): "send text_prompt or json_prompt",
    ("/v1/ideogram-v4/generate", "aspect_ratio"): "send resolution, or name the ratio in text_prompt",
    ("/v1/ideogram-v4/generate", "num_images"): "it draws one image a call",
    ("/v1/ideogram-v4/generate", "magic_prompt"): "it always runs with text_prompt and never with json_prompt",
    ("/v1/ideogram-v3/generate", "json_prompt"): "send prompt; a structured caption as its text is understood",
    ("/v1/ideogram-v3/generate", "image_request"): "send its fields themselves",
    ("/v1/ideogram-v4/magic-prompt", "resolution"): "send aspect_ratio",
    ("/v1/ideogram-v4/magic-prompt", "json_prompt"): "send it as text_prompt, which may be JSON",
    **{(path, "image"): "send the picture as image_file" for path in ("/upscale", "/remix", "/edit", "/reframe")},
}

_SYNONYMS = (
    frozenset({"image", "image_file", "images"}),
    frozenset({"prompt", "text_prompt"}),
    frozenset({"magic_prompt", "magic_prompt_option"}),
)
"""Names of one thing, each of other routes."""

_ROOT = re.compile(r"[^\[.]+(?=[\[.])")
"""Of a name such as "color_palette[name]" or "color_palette.name"."""
_ALIKE, _FILES_ALIKE = 0.85, 0.55
"""How much alike (``difflib``) a misspelled name is, and a file's, which may be a part of the field's name."""
_MOST_UNKNOWN = 32
"""So many unknown names of a body are looked at: to compare names takes time."""


def acted_on(values: Mapping[str, Any], path: str, model: type[msgspec.Struct]) -> dict[str, Any]:
    """The values that have an effect. ``InvalidRequest`` for the first one that asks for what this route does not do.

    ``model``: the request of the route at ``path``; what it marks as ``not_yet`` is not acted on.
    """
    marks = _marks(model)
    kept: dict[str, Any] = {}
    for name, value in values.items():
        mark = marks.get(name)
        inner = as_object(value, nested(model)[name]) if name in nested(model) else None
        if inner is not None:
            kept[name] = acted_on(inner, path, cast(type[msgspec.Struct], nested(model)[name].type))
        elif name in model.__struct_fields__ and (mark is None or _says_something(values.get(mark["unless"]))):
            kept[name] = value
        elif (known := _known(name, model)) is None or _asks_for_nothing(known, value):
            continue
        elif mark is not None:
            raise InvalidRequest(f"{name} is not supported by this server yet; leave it out.", field=name)
        elif known in model.__struct_fields__:
            words = next(rule.words for rule in rules_of(model) if rule.name == known)
            raise InvalidRequest(f"{name[:64]}: {known} {words}.", field=known)
        else:
            instead = _INSTEAD.get((path, known)) or _instead(known, values, model)
            raise InvalidRequest(f"{path} has no field {name[:64]}: {instead or 'leave it out'}.", field=known)
    return kept


def left_out(values: Mapping[str, Any], path: str, model: type[msgspec.Struct]) -> tuple[str, ...]:
    """What is to be said of names that nobody knows: of files, and of names that are much like a field which was not
    sent. A sentence each."""
    notes = []
    for name in _unknown(values, model):
        meant = None if _asks_for_nothing(name, values[name]) else _instead(name, values, model)
        if meant is not None:
            notes.append(f"{name[:64]} was left out: {path} has no such field; {meant}.")
        elif _has_file(values[name]):
            files = ", ".join(sorted(file_fields(model)))
            takes = f"the files it takes are {files}" if files else "it takes no file"
            notes.append(f"{name[:64]} was left out: {path} has no such field, and {takes}.")
    return tuple(notes)


def _known(name: str, model: type[msgspec.Struct]) -> str | None:
    """The field that a name is of, or is inside of; None where nobody knows it."""
    root = _ROOT.match(name)
    known = name if root is None else root[0]
    return known if known in KNOWN_FIELDS or known in model.__struct_fields__ else None


def _unknown(values: Mapping[str, Any], model: type[msgspec.Struct]) -> Iterable[str]:
    """The first of the names that nobody knows."""
    return islice((name for name in values if _known(name, model) is None), _MOST_UNKNOWN)


def _has_file(value: Any) -> bool:
    return isinstance(value, Texts) and any(isinstance(one, Part) and one.size > 0 for one in value)


def _instead(name: str, values: Mapping[str, Any], model: type[msgspec.Struct]) -> str | None:
    """How to send what stands outside the object that has it, has another route's name, or is misspelled."""
    for outer, rule in nested(model).items():
        if name in rule.type.__struct_fields__:
            return f"put it into {outer}"
        if meant := _meant(name, as_object(values.get(outer), rule) or {}, rule.type):
            return f"put it into {outer} as {meant}"
    meant = _meant(name, values, model)
    return f"send it as {meant}" if meant else None


def _meant(name: str, values: Mapping[str, Any], model: type[msgspec.Struct]) -> str | None:
    """The field that is most likely meant, of those that are not sent yet or take several files."""
    free = [rule for rule in rules_of(model) if rule.name not in values or (rule.is_file and rule.kind == "array")]
    if synonym := next((rule.name for rule in free if any({name, rule.name} <= group for group in _SYNONYMS)), None):
        return synonym
    is_unknown_file = name not in KNOWN_FIELDS and _has_file(values.get(name))
    names = [rule.name for rule in free if rule.is_file or not is_unknown_file]
    return next(iter(get_close_matches(name, names, 1, _FILES_ALIKE if is_unknown_file else _ALIKE)), None)


@lru_cache
def _marks(model: type[msgspec.Struct]) -> dict[str, Any]:
    """What the fields that are not acted on say of themselves (``not_yet``), by name."""
    schema = msgspec.json.schema(model)["$defs"][model.__name__]["properties"]
    return {name: field["x-not-supported-yet"] for name, field in schema.items() if "x-not-supported-yet" in field}


def _says_something(value: Any) -> bool:
    return any(value) if isinstance(value, Texts) else bool(value)


def _asks_for_nothing(name: str, value: Any) -> bool:
    if isinstance(value, Texts):
        return all(isinstance(text, str) and _text_asks_for_nothing(name, text) for text in value)
    if isinstance(value, str):
        return _text_asks_for_nothing(name, value)
    return value in (None, [], {}) or value is False or (name in PUBLISHED_DEFAULTS and _same(name, value))


def _same(name: str, value: Any) -> bool:
    return isinstance(value, bool) is isinstance(PUBLISHED_DEFAULTS[name], bool) and value == PUBLISHED_DEFAULTS[name]


def _text_asks_for_nothing(name: str, text: str) -> bool:
    bare = text.strip()
    default = PUBLISHED_DEFAULTS.get(name)
    nothing = (*NOTHING, "[]", "{}", "false")
    if bare == "AUTO" and name in HAVE_AUTO:
        return True
    return bare.lower() in nothing or (default is not None and bare == str(default))
