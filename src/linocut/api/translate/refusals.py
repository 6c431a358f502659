"""Nothing is accepted and ignored: a field that some image route knows and this one does not act on is refused,
unless what it says asks for nothing (DECISIONS 41)."""

from collections.abc import Collection, Mapping
from typing import Any

from linocut.api.body import Texts
from linocut.api.fields import NOTHING
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
}


def refuse_unsupported(
    values: Mapping[str, Any], *, path: str, acted_on: Collection[str], published: Collection[str]
) -> None:
    """``InvalidRequest`` for the first field that asks for something this route does not do.

    ``acted_on``: the fields that have an effect; ``published``: those that the contract has on this route.
    """
    for name, value in values.items():
        if name in acted_on or name not in KNOWN_FIELDS or _asks_for_nothing(name, value):
            continue
        if name in published:
            raise InvalidRequest(f"{name} is not supported by this server yet; leave it out.", field=name)
        instead = _INSTEAD.get((path, name), "leave it out")
        raise InvalidRequest(f"{path} has no field {name}: {instead}.", field=name)


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
