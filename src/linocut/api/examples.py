"""An example of every request and every answer, made from the schemas: what /docs shows and the tests send.

A schema's own example wins, then a value that goes with the field's name, then the first that the schema allows.
"""

from typing import Any

Json = dict[str, Any]

_ID = "Vz9dPqv2TkyG1Zc3m0aXbQ"
_NEVER_SENT = {"avatar_url", "profile_pic", "upscaled_resolution", "photo", "tags", "request_id"}
"""Fields of published answers that this server has no use for (or that go with another one's absence)."""
_BY_NAME: Json = {
    "aesthetics": "bold, plain",
    "art_style": "flat vector art",
    "aspect_ratio": "1x1",
    "asset_type": "UPLOAD",
    "background": "a red wall",
    "base": "ideogram4@0123456789abcdef",
    "bbox": [200, 250, 800, 750],
    "bucket": "128x128",
    "caption": "a tea poster with a teapot and the word TEA",
    "code": "caption_missing",
    "desc": "a white teapot",
    "docs": "http://127.0.0.1:8731/docs",
    "ema": 0.99,
    "error": None,
    "eta_seconds": 42,
    "failure_reason": "INVALID_IMAGE",
    "file_name": "poster.png",
    "file_size_bytes": 48213,
    "finding_counts": {"caption_missing": 1},
    "height": 128,
    "high_level_description": "a poster with a teapot and the word TEA",
    "image_count": 20,
    "learning_rate": 0.0001,
    "lighting": "flat, even light",
    "lora_rank": 64,
    "loss": 0.31,
    "max_training_images": 100,
    "medium": "graphic_design",
    "message": "What is wrong with it, and what to do about it.",
    "min_training_images": 15,
    "model_name": "Tea posters",
    "name": "Tea posters",
    "native_resolution": "128x128",
    "num_chips": None,
    "openapi": "http://127.0.0.1:8731/openapi.json",
    "prompt": "a poster with a teapot and the word TEA",
    "resolution": "1024x1024",
    "scaled_height": 128,
    "scaled_width": 128,
    "scores": {"100": 0.28, "200": 0.25},
    "seed": 7,
    "status": "COMPLETED",
    "step": 200,
    "stopped_at_step": None,
    "style_type": "GENERAL",
    "text_prompt": "a poster with a teapot and the word TEA",
    "total_steps": 200,
    "training_status": "CREATING",
    "training_steps": 200,
    "url": "http://127.0.0.1:8731/api/images/ephemeral/Vz9dPqv2TkyG1Zc3m0aXbQ.png?exp=1795000000&sig=3f0c",
    "version": "0.1.0",
    "width": 128,
}


def request_of(schema: Json, components: Json) -> Json:
    """The smallest body that the schema of a request allows: its required fields, or else its first one."""
    schema = _resolved(schema, components)
    names = schema.get("required") or list(schema["properties"])[:1]
    return {name: _asked(name, _resolved(schema["properties"][name], components), components) for name in names}


def _asked(name: str, schema: Json, components: Json) -> Any:
    return request_of(schema, components) if "properties" in schema else _value(name, schema, components)


def answer_of(schema: Json, components: Json) -> Any:
    """An answer with all that it may tell."""
    return _value("", schema, components)


def _value(name: str, schema: Json, components: Json) -> Any:
    schema = _resolved(schema, components)
    choices = schema.get("anyOf", [])
    kinds = {_resolved(choice, components).get("type") for choice in choices} | {schema.get("type")}
    if "properties" in schema:
        fields = ((n, one) for n, one in schema["properties"].items() if "x-not-supported-yet" not in one)
        return {field: _value(field, one, components) for field, one in fields if field not in _NEVER_SENT}
    if "examples" in schema:
        return schema["examples"][0]
    if name in _BY_NAME and _fits(_BY_NAME[name], schema, kinds):
        return _BY_NAME[name]
    if choices:
        return _value(name, next(choice for choice in choices if choice.get("type") != "null"), components)
    if schema.get("default") is not None:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "array":
            return [_value(name.removesuffix("s"), schema["items"], components)]
        case "object":
            return {}
        case "integer":
            return schema.get("minimum", 1)
        case "number":
            return 0.5
        case "boolean":
            return True
    return _ID if name.endswith("_id") else "text"


_KINDS = {str: "string", int: "integer", float: "number", dict: "object", list: "array", type(None): "null"}


def _fits(value: Any, schema: Json, kinds: set[str | None]) -> bool:
    """Whether a value that goes with the name is one that this schema allows; two schemas may use one name."""
    if "enum" in schema:
        return value in schema["enum"]
    kind = _KINDS[type(value)]
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _resolved(schema: Json, components: Json) -> Json:
    while "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = components[schema["$ref"].rpartition("/")[2]] | rest
    return schema
