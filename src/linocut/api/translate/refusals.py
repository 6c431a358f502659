"""Nothing is accepted and ignored: a field that some image route knows and this one does not act on is refused,
unless what it says asks for nothing (DECISIONS 41)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

import msgspec

from linocut.api.body import Texts
from linocut.api.fields import NOTHING, as_object, nested
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
    ("/v1/ideogram-v3/generate", "text_prompt"): "send prompt",
    ("/v1/ideogram-v3/generate", "json_prompt"): "send prompt; a structured caption as its text is understood",
    ("/v1/ideogram-v3/generate", "magic_prompt_option"): "send magic_prompt",
    ("/v1/ideogram-v3/generate", "image_request"): "send its fields themselves",
    **{(path, "image"): "send the picture as image_file" for path in ("/upscale", "/remix", "/edit", "/reframe")},
}


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
        elif name not in KNOWN_FIELDS or _asks_for_nothing(name, value):
            continue
        elif mark is not None:
            raise InvalidRequest(f"{name} is not supported by this server yet; leave it out.", field=name)
        else:
            instead = _INSTEAD.get((path, name)) or _inside(name, model) or "leave it out"
            raise InvalidRequest(f"{path} has no field {name}: {instead}.", field=name)
    return kept


def _inside(name: str, model: type[msgspec.Struct]) -> str | None:
    """Where a field belongs that stands outside the object that has it."""
    for outer, rule in nested(model).items():
        if name in rule.type.__struct_fields__:
            return f"put it into {outer}"
    return None


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
