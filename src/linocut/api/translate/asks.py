"""Generate requests of the wire into the one ask that both routes share."""

from typing import Any, TypeVar

from linocut.api.body import Texts
from linocut.api.fields import read
from linocut.api.translate.refusals import refuse_unsupported
from linocut.captions import normalise
from linocut.errors import InvalidRequest
from linocut.generation.types import GenerateAsk
from linocut.sizes import parse_size
from linocut.wire import GenerateImageRequestV3, GenerateImageRequestV4
from linocut.wire.types import UNSET, Nothing

T = TypeVar("T")

V3_PATH = "/v1/ideogram-v3/generate"
V4_PATH = "/v1/ideogram-v4/generate"
_V3_ACTED_ON = frozenset(
    {"prompt", "seed", "num_images", "resolution", "aspect_ratio", "rendering_speed", "magic_prompt"}
    | {"custom_model_uri"}
)
_V4_ACTED_ON = frozenset({"text_prompt", "json_prompt", "seed", "resolution", "rendering_speed", "custom_model_uri"})


def ask_v3(values: dict[str, Any]) -> GenerateAsk:
    """``POST /v1/ideogram-v3/generate``. ``InvalidRequest``.

    With a custom model the model decides the style: a ``style_type`` then has no effect (DECISIONS 13).
    """
    acted_on = _V3_ACTED_ON | ({"style_type"} if _says_something(values.get("custom_model_uri")) else set())
    published = GenerateImageRequestV3.__struct_fields__
    refuse_unsupported(values, path=V3_PATH, acted_on=acted_on, published=published)
    request = read(GenerateImageRequestV3, _only(values, acted_on))
    return GenerateAsk(
        prompt=request.prompt,
        json_prompt=None,
        seed=_or_none(request.seed),
        num_images=request.num_images,
        resolution=_size(request.resolution),
        aspect_ratio=_or_none(request.aspect_ratio),
        rendering_speed=request.rendering_speed,
        magic_prompt=request.magic_prompt,
        custom_model_uri=_or_none(request.custom_model_uri) or None,
        api_version=3,
    )


def ask_v4(values: dict[str, Any]) -> GenerateAsk:
    """``POST /v1/ideogram-v4/generate``. ``InvalidRequest``."""
    acted_on = _V4_ACTED_ON
    if _says_something(values.get("json_prompt")):
        acted_on = acted_on | {"magic_prompt_system_prompt_config_id"}  # published: ignored with json_prompt
    published = GenerateImageRequestV4.__struct_fields__
    refuse_unsupported(values, path=V4_PATH, acted_on=acted_on, published=published)
    request = read(GenerateImageRequestV4, _only(values, acted_on))
    prompt = _or_none(request.text_prompt) or None  # an empty text beside a json_prompt asks for nothing
    if (prompt is None) == (request.json_prompt is UNSET):
        raise InvalidRequest("Send text_prompt or json_prompt, exactly one of them.", field="text_prompt")
    return GenerateAsk(
        prompt=prompt,
        json_prompt=None if isinstance(request.json_prompt, Nothing) else normalise(request.json_prompt),
        seed=_or_none(request.seed),
        num_images=1,
        resolution=_size(request.resolution),
        aspect_ratio=None,
        rendering_speed=request.rendering_speed,
        magic_prompt="AUTO",
        custom_model_uri=_or_none(request.custom_model_uri) or None,
        api_version=4,
    )


def _only(values: dict[str, Any], names: frozenset[str] | set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def _says_something(value: Any) -> bool:
    return any(value) if isinstance(value, Texts) else bool(value)


def _size(text: str | Nothing) -> tuple[int, int] | None:
    return None if isinstance(text, Nothing) else parse_size(text)


def _or_none(value: T | Nothing) -> T | None:
    return None if isinstance(value, Nothing) else value
