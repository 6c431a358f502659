"""Unchecked fields into a struct of the wire, each refusal a sentence that names the field and its rule.

Every value may come as itself or as text ("5", "True", "[a,b]", '{"a":1}'): forms know only text, and some clients
write text into JSON too. A null asks for nothing, and so do the texts in ``NOTHING``: the field is absent.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from linocut.api.body import Texts
from linocut.api.multipart import Part
from linocut.errors import InvalidRequest

Model = TypeVar("Model", bound=msgspec.Struct)

NOTHING = ("", "null", "none")
"""Texts that ask for nothing where no free text is meant; some clients write a null into a form as "None"."""

_MOST_VALUES_NAMED = 16
_ABSENT = object()
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


@dataclass(frozen=True)
class Rule:
    """One field of a request: its type without "absent", what kind of value that is, and its rule in words."""

    name: str
    required: bool
    type: Any
    kind: str
    words: str
    item_kind: str
    has_pattern: bool


def read(model: type[Model], values: Mapping[str, Any]) -> Model:
    """``values`` as ``model``; names that the model does not know are ignored. ``InvalidRequest``."""
    found: dict[str, Any] = {}
    for rule in rules_of(model):
        value = _as_meant(values.get(rule.name), rule)
        if value is not _ABSENT:
            found[rule.name] = _checked(value, rule)
        elif rule.required:
            raise InvalidRequest(f"{rule.name} is required: it {rule.words}.", field=rule.name)
    return model(**found)


@lru_cache
def rules_of(model: type[msgspec.Struct]) -> tuple[Rule, ...]:
    """The rules of a struct's fields."""
    hints = get_type_hints(model, include_extras=True)
    return tuple(
        _rule(field.name, hints[field.name], required=field.required) for field in msgspec.structs.fields(model)
    )


def _rule(name: str, hint: Any, *, required: bool) -> Rule:
    kept = tuple(part for part in get_args(hint) if part not in (msgspec.UnsetType, type(None)))
    bare = Union[kept] if get_origin(hint) is not None and len(kept) < len(get_args(hint)) else hint  # noqa: UP007
    schema = msgspec.json.schema(bare)
    item_kind = _kind(schema.get("items", {}))
    return Rule(name, required, bare, _kind(schema), _words(schema), item_kind, "pattern" in schema)


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return "integer" if all(isinstance(value, int) for value in schema["enum"]) else "choice"
    return str(schema.get("type", "object"))


def _words(schema: dict[str, Any]) -> str:
    """The rule as the end of a sentence: "must be an integer from 1 to 8"."""
    if "x-rule" in schema:
        return str(schema["x-rule"])
    if values := schema.get("enum"):
        named = [str(value) for value in values]
        if len(named) <= _MOST_VALUES_NAMED:
            return f"must be one of {', '.join(named)}"
        return f"must be one of {len(named)} values that /docs lists, such as {named[0]}"
    match schema.get("type"):
        case "integer" | "number" as kind:
            return f"must be {'an integer' if kind == 'integer' else 'a number'}{_limits(schema)}"
        case "boolean":
            return "must be true or false"
        case "array":
            return f"must be a list, each of which {_words(schema.get('items', {}))}"
        case "object":
            return "must be a JSON object"
        case _ if "pattern" in schema:
            return f"must match {schema['pattern']}"
        case _ if "maxLength" in schema:
            return f"must be text of at most {schema['maxLength']} characters"
    return "must be text"


def _limits(schema: dict[str, Any]) -> str:
    words = ""
    if "minimum" in schema and "maximum" in schema:
        words += f" from {schema['minimum']} to {schema['maximum']}"
    if "exclusiveMinimum" in schema:
        words += f" above {schema['exclusiveMinimum']}"
    if "exclusiveMaximum" in schema:
        words += f" and below {schema['exclusiveMaximum']}"
    if "multipleOf" in schema:
        words += f", in steps of {schema['multipleOf']}"
    return words


def _as_meant(value: Any, rule: Rule) -> Any:
    """The value as the field's kind, as far as it can be read as such; ``_ABSENT`` when it asks for nothing."""
    if isinstance(value, Texts):
        texts = [_part_text(item, rule) for item in value]
        if rule.kind == "array":
            value = texts if len(texts) > 1 else texts[0]
        else:
            value = texts[-1]
    if value is None:
        return _ABSENT
    if rule.kind == "array":
        items = _listed(value) if isinstance(value, str) else value
        return [_from_text(item, rule.item_kind) for item in items] if isinstance(items, list) else items
    if isinstance(value, str) and rule.kind != "string" and value.strip().lower() in NOTHING:
        return _ABSENT
    return _from_text(value, rule.kind)


def _part_text(item: str | Part, rule: Rule) -> str:
    """A part's text; browsers send JSON parts with a file name."""
    if isinstance(item, str):
        return item
    try:
        if item.size == len(item.data):
            return item.data.decode()
    except UnicodeDecodeError:
        pass
    raise InvalidRequest(f"{rule.name} {rule.words}, not a file.", field=rule.name)


def _listed(text: str) -> list[Any]:
    """``a,b`` and ``[a,b]`` and ``["a","b"]`` as a list; nothing but spaces as an empty one."""
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        try:
            return list(msgspec.json.decode(bare))
        except (msgspec.DecodeError, RecursionError):
            bare = bare[1:-1]
    return [item.strip() for item in bare.split(",")] if bare.strip() else []


def _from_text(value: Any, kind: str) -> Any:
    if isinstance(value, float) and kind == "integer" and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        return value
    text = value.strip()
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text.partition(".")[0])
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    if kind == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), value)
    if kind == "object":
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return value
    return text if kind == "choice" else value


def _checked(value: Any, rule: Rule) -> Any:
    try:
        checked = msgspec.convert(value, rule.type)
    except msgspec.ValidationError:
        checked = _ABSENT
    # Two holes in the schema's own rules: a pattern's $ lets a line end through, and NaN passes every limit.
    through = isinstance(checked, str) and rule.has_pattern and checked.endswith("\n")
    if checked is _ABSENT or through or (isinstance(checked, float) and not math.isfinite(checked)):
        shown = f"; you sent {value!r}" if isinstance(value, int | float | str) and len(str(value)) <= 40 else ""
        raise InvalidRequest(f"{rule.name} {rule.words}{shown}.", field=rule.name)
    return checked
