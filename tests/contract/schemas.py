"""Compares JSON schemas: is everything that one document publishes there in the other, and nothing narrower?

A schema is brought to one form first (references followed, "X or null" folded into its types), because the two
documents spell the same thing differently.
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "minItems", "maxItems", "format", "contentMediaType",
)  # fmt: skip


@dataclass
class Form:
    """One schema in the common form. ``types`` empty: anything."""

    types: set[str] = field(default_factory=set)
    values: set[Any] = field(default_factory=set)
    properties: dict[str, "Form"] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    items: "Form | None" = None
    limits: Json = field(default_factory=dict)
    default: Any = None
    options: list["Form"] = field(default_factory=list)


def form(schema: Json, document: Json) -> Form:
    """The common form of a schema of ``document``."""
    schema = resolved(schema, document)
    options = [resolved(option, document) for option in schema.get("oneOf", schema.get("anyOf", []))]
    options = [option for option in options if option.get("properties") or option.get("type") or "enum" in option]
    real = [option for option in options if option.get("type") != "null"]
    if len(real) == 1:
        found = form({**real[0], **{k: v for k, v in schema.items() if k not in ("anyOf", "oneOf")}}, document)
    else:
        found = Form(options=[form(option, document) for option in real])
        _fill(found, schema, document)
    if len(real) < len(options):
        found.types.add("null")
    return found


def resolved(schema: Json, document: Json) -> Json:
    """The schema with its own reference followed; what stands beside a reference stays."""
    while "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    for part in schema.get("allOf", []):
        whole = resolved(part, document)
        schema = {
            **whole, **schema, "properties": {**whole.get("properties", {}), **schema.get("properties", {})},
            "required": [*whole.get("required", []), *schema.get("required", [])],
        }  # fmt: skip
    return schema


def _fill(found: Form, schema: Json, document: Json) -> None:
    types = schema.get("type", [])
    found.types |= {types} if isinstance(types, str) else set(types)
    found.values = set(schema.get("enum", []))
    found.properties = {name: form(one, document) for name, one in schema.get("properties", {}).items()}
    found.required = set(schema.get("required", []))
    found.items = form(schema["items"], document) if "items" in schema else None
    found.limits = {key: schema[key] for key in LIMITS if key in schema}
    found.default = schema.get("default")


def request_gaps(ours: Form, theirs: Form, at: str) -> list[str]:
    """Where a request that their schema allows might not pass ours, or a published limit is not published by us."""
    gaps = _common_gaps(ours, theirs, at)
    gaps += [f"{at}: {one} is required by us only" for one in ours.required - theirs.required]
    gaps += [f"{at}: {one} is required by them only" for one in theirs.required - ours.required]
    gaps += [f"{at}: no type {one}" for one in theirs.types - ours.types]
    gaps += [f"{at}: limits {ours.limits} and {theirs.limits}"] if ours.limits != theirs.limits else []
    if theirs.default is not None and ours.default != theirs.default:
        gaps.append(f"{at}: default {ours.default} and {theirs.default}")
    if theirs.items is not None:
        gaps += request_gaps(ours.items or Form(), theirs.items, f"{at}[]")
    for name in theirs.properties.keys() & ours.properties.keys():
        gaps += request_gaps(ours.properties[name], theirs.properties[name], f"{at}.{name}")
    return gaps


def answer_gaps(ours: Form, theirs: Form, at: str, beyond: set[str]) -> list[str]:
    """Where an answer of ours might not pass their schema, or tells less than it. ``beyond``: our own names."""
    gaps = _common_gaps(ours, theirs, at)
    gaps += [f"{at}: {one} is always sent by them only" for one in theirs.required - ours.required]
    gaps += [f"{at}: type {one} is ours only" for one in ours.types - theirs.types if theirs.types]
    gaps += [f"{at}: value {one} is ours only" for one in ours.values - theirs.values if theirs.values]
    gaps += [f"{at}: {one} is a name of ours" for one in ours.properties.keys() - theirs.properties.keys() - beyond]
    if ours.limits.get("format") != theirs.limits.get("format"):
        gaps.append(f"{at}: format {ours.limits} and {theirs.limits}")
    if theirs.items is not None:
        gaps += answer_gaps(ours.items or Form(), theirs.items, f"{at}[]", beyond)
    for name in theirs.properties.keys() & ours.properties.keys():
        gaps += answer_gaps(ours.properties[name], theirs.properties[name], f"{at}.{name}", beyond)
    return gaps


def _common_gaps(ours: Form, theirs: Form, at: str) -> list[str]:
    gaps = [f"{at}: no {name}" for name in theirs.properties.keys() - ours.properties.keys()]
    gaps += [f"{at}: no value {one}" for one in theirs.values - ours.values]
    for number, option in enumerate(theirs.options):
        tried = [request_gaps(mine, option, f"{at}|{number}") for mine in ours.options]
        gaps += min(tried, key=len, default=[f"{at}: no choice"])
    return gaps
