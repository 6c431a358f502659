"""Unchecked fields into a struct of the wire, each refusal a sentence that names the field and its rule.

Every value may come as itself or as text ("5", "True", "[a,b]", '{"a":1}'): forms know only text, and some clients
write text into JSON too. A null asks for nothing, and so do the texts in ``NOTHING``: the field is absent.
"""

import codecs
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from linocut.api.body import Texts
from linocut.api.json_text import decoded, reason_of, such_as
from linocut.api.multipart import Part
from linocut.errors import InvalidRequest

Model = TypeVar("Model", bound=msgspec.Struct)

NOTHING = ("", "null", "none")
"""Texts that ask for nothing where no free text is meant; some clients write a null into a form as "None"."""

_MOST_VALUES_NAMED = 16
LONGEST_LINKS = 20 * 1024
"""Of a text that stands where files may."""
_PACKED = ("data:", "iVBORw0KGgo", "/9j/", "UklGR")
"""How a picture begins that was made text: a data URL; PNG, JPEG and WebP in base64."""
_PATTERNS = {"^[0-9a-fA-F]{8}$": "must be 8 hexadecimal digits"}
"""Patterns in words."""
_LINK = ", or as the link to an image that this server drew"
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
    is_file: bool
    takes_link: bool
    is_nullable: bool


def read(model: type[Model], values: Mapping[str, Any]) -> Model:
    """``values`` as ``model``. Names that it does not know are ignored, unless it forbids them. ``InvalidRequest``.

    A field of files is a list of ``Part``.
    """
    found: dict[str, Any] = {}
    rules = rules_of(model)
    if model.__struct_config__.forbid_unknown_fields:
        _refuse_unknown(model, values)
    for rule in rules:
        value = (_files if rule.is_file else _as_meant)(values.get(rule.name), rule)
        if value is _ABSENT and rule.is_nullable and rule.name in values:
            value = None
        if value is not _ABSENT:
            found[rule.name] = value if rule.is_file or value is None else _checked(value, rule)
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


@lru_cache
def nested(model: type[msgspec.Struct]) -> dict[str, Rule]:
    """The fields of a struct that are structs themselves."""
    return {rule.name: rule for rule in rules_of(model) if _is_struct(rule.type)}


def as_object(value: Any, rule: Rule) -> dict[str, Any] | None:
    """What was sent for a nested field; None where it is no object."""
    meant = _as_meant(value, rule)
    return meant if isinstance(meant, dict) else None


@lru_cache
def file_fields(model: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of a struct that are files: those with a ``contentMediaType``, where they are acted on."""
    return frozenset(rule.name for rule in rules_of(model) if rule.is_file)


@lru_cache
def object_fields(model: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of a struct that are JSON objects."""
    return frozenset(rule.name for rule in rules_of(model) if rule.kind == "object")


def _refuse_unknown(model: type[msgspec.Struct], values: Mapping[str, Any]) -> None:
    known = [rule.name for rule in rules_of(model)]
    for name in values:
        if name not in known:
            within = next((one for one, rule in nested(model).items() if name in rule.type.__struct_fields__), None)
            way_out = f"it belongs in {within}, as {within}.{name}" if within else "leave it out"
            raise InvalidRequest(
                f"This request has no field {name[:64]!r}, so it would have no effect; {way_out}. "
                f"The fields are {', '.join(known)}.",
                field=name,
            )


def _rule(name: str, hint: Any, *, required: bool) -> Rule:
    bare = _without_absence(hint)
    is_nullable = required and _takes_null(hint)
    schema = msgspec.json.schema(bare)
    item = schema.get("items", {})
    media_type = {**schema, **item}.get("contentMediaType") if "x-not-supported-yet" not in schema else None
    takes_link = str(media_type).startswith("image/")
    words = _words(schema) if media_type is None else f"must be sent as a file part of that name{_LINK * takes_link}"
    if _is_struct(bare):
        words = "must be a JSON object"
    words += such_as(name) if words == "must be a JSON object" else ""
    kind, item_kind, has_pattern = _kind(schema), _kind(item), "pattern" in schema
    return Rule(name, required, bare, kind, words, item_kind, has_pattern, bool(media_type), takes_link, is_nullable)


def _without_absence(hint: Any) -> Any:
    """The type without "absent" and null, whether its rules stand around these or beside them."""
    if get_origin(hint) is Annotated:
        inner, *rules = get_args(hint)
        return Annotated[(_without_absence(inner), *rules)]
    kept = tuple(part for part in get_args(hint) if part not in (msgspec.UnsetType, type(None)))
    return Union[kept] if get_origin(hint) is not None and len(kept) < len(get_args(hint)) else hint  # noqa: UP007


def _takes_null(hint: Any) -> bool:
    try:
        msgspec.convert(None, hint)
    except msgspec.ValidationError:
        return False
    return True


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return "any"
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
            return f"must be a list{_count(schema)}, and each of its entries {_words(schema.get('items', {}))}"
        case "object":
            return "must be a JSON object"
        case _ if "$ref" in schema:
            return "must be a JSON object"
        case _ if "pattern" in schema:
            return _PATTERNS.get(schema["pattern"], f"must match {schema['pattern']}")
        case _ if "maxLength" in schema:
            return f"must be text of at most {schema['maxLength']} characters"
    return "must be text"


def _count(schema: dict[str, Any]) -> str:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least and most:
        return f" of {least} to {most}"
    return f" of at most {most}" if most else f" of at least {least}" if least else ""


def _limits(schema: dict[str, Any]) -> str:
    words, least, most = "", schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        words += f" from {least} to {most}"
    elif least is not None:
        words += f" of at least {least}"
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
        elif any(text != texts[0] for text in texts):
            raise InvalidRequest(f"{rule.name} is one value, and {len(texts)} were sent; send one.", field=rule.name)
        else:
            value = texts[0]
    if value is None:
        return _ABSENT
    if rule.kind == "array":
        items = _listed(value) if isinstance(value, str) else value
        return [_from_text(item, rule.item_kind) for item in items] if isinstance(items, list) else items
    if isinstance(value, str) and rule.kind not in ("string", "any") and value.strip().lower() in NOTHING:
        return _ABSENT
    return _from_text(value, rule.kind)


def _files(value: Any, rule: Rule) -> Any:
    """The parts of a field of files: a list, or the one part where the field is one file."""
    items = value if isinstance(value, list) else [] if value is _ABSENT or value is None else [value]
    parts = [item for item in items if isinstance(item, Part)]
    if rule.takes_link:
        parts = [one for item in items for one in _or_links(item, rule)]
    if len(parts) > 1 and rule.kind != "array":
        raise InvalidRequest(f"{rule.name} is one file, and {len(parts)} were sent; send one.", field=rule.name)
    if parts:
        return parts if rule.kind == "array" else parts[0]
    if value in (None, [], *NOTHING) or (isinstance(value, Texts) and not any(value)):
        return _ABSENT
    raise InvalidRequest(f"{rule.name} {rule.words}.", field=rule.name)


def _or_links(item: Any, rule: Rule) -> list[Part]:
    """A file, or the links in a text that stands where a file may; whose they are is looked at later."""
    text = item
    if isinstance(item, Part):
        text = _text_in(item)
        if text is None:
            return [item]
        if text.startswith(_PACKED):
            raise InvalidRequest(
                f"{rule.name} holds a picture as base64 text; send its own bytes, as a file.", field=rule.name
            )
        if not text.startswith(("http://", "https://", "[")):
            raise InvalidRequest(
                f'{rule.name} holds the text "{text[:64]}", not a picture; send the file itself (curl: '
                f"-F {rule.name}=@{text[:64]}) or a link of this server.",
                field=rule.name,
            )
    texts = _listed(text) if isinstance(text, str) and text.strip().lower() not in NOTHING else []
    links = [one.strip().encode() for one in texts if isinstance(one, str) and one.strip().startswith("http")]
    if len(links) != len(texts) or not isinstance(text, str | None):
        raise InvalidRequest(f"{rule.name} {rule.words}.", field=rule.name)
    return [Part(rule.name, None, bytearray(link), size=len(link)) for link in links]


def _text_in(part: Part) -> str | None:
    """The text of a part that came without a file name where files may stand: links, a picture as base64, or one line,
    such as a path whose @ was forgotten for curl. None where the part is a file, as far as can be told here."""
    if part.file_name or part.path is None:
        return None
    with part.path.open("rb") as file:
        start = file.read(LONGEST_LINKS)
    try:  # a letter may be cut in two at the end
        text = codecs.getincrementaldecoder("utf-8")().decode(start).strip()
    except UnicodeDecodeError:
        return None
    if text.startswith(_PACKED):
        return text
    is_line = text.isprintable() and not text.startswith("<")  # SVG has words of its own
    return text if part.size <= LONGEST_LINKS and (is_line or text.startswith(("http", "["))) else None


def _part_text(item: str | Part, rule: Rule) -> str:
    """A part's text; browsers send JSON parts with a file name."""
    if isinstance(item, str):
        return item
    try:
        if item.size == len(item.data):
            return item.text()
    except UnicodeDecodeError:
        pass
    raise InvalidRequest(f"{rule.name} {rule.words}, not a file.", field=rule.name)


def _listed(text: str) -> list[Any]:
    """``a,b`` and ``[a,b]`` and ``["a","b"]`` as a list; nothing but spaces as an empty one."""
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        try:
            return list(decoded(bare))
        except (ValueError, RecursionError):
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
            return decoded(text)
        except (ValueError, RecursionError):
            return value
    return text if kind == "choice" else value


def _refuse_unknown_in_each(value: Any, rule: Rule) -> None:
    """In a list of objects whose struct forbids it, as in one of them."""
    item = _item_type(rule)
    if _is_struct(item) and item.__struct_config__.forbid_unknown_fields and isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                _refuse_unknown(item, one)


def _item_type(rule: Rule) -> Any:
    """What a list's entries are; None where the field is no list."""
    bare = get_args(rule.type)[0] if get_origin(rule.type) is Annotated else rule.type
    return get_args(bare)[0] if get_origin(bare) is list else None


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _holds_nul(value: Any) -> bool:
    """Whether a text in it has the character U+0000."""
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(one) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(_holds_nul(one) for one in value)


def _checked(value: Any, rule: Rule) -> Any:
    if _holds_nul(value):  # PostgreSQL keeps none, and no text needs one
        raise InvalidRequest(
            f"{rule.name} holds the character U+0000, which no text may; leave it out.", field=rule.name
        )
    if _is_struct(rule.type) and isinstance(value, dict):
        return read(rule.type, value)
    _refuse_unknown_in_each(value, rule)
    try:
        checked = msgspec.convert(value, rule.type)
    except msgspec.ValidationError:
        checked = _ABSENT
    # Two holes in the schema's own rules: a pattern's $ lets a line end through, and NaN passes every limit.
    through = isinstance(checked, str) and rule.has_pattern and checked.endswith("\n")
    if checked is _ABSENT or through or (isinstance(checked, float) and not math.isfinite(checked)):
        raise InvalidRequest(f"{rule.name} {rule.words}{_shown(value, rule)}.", field=rule.name)
    return checked


def _shown(value: Any, rule: Rule) -> str:
    """What was sent, where it is short; of a list the first entry that is wrong; why a text is no object."""
    item = _item_type(rule)
    if isinstance(value, list) and item is not None:
        for place, one in enumerate(value):
            try:
                msgspec.convert(one, item)
            except msgspec.ValidationError:
                return (
                    f"; {rule.name}[{place}] is {one!r}" if len(str(one)) <= 40 else f"; {rule.name}[{place}] is wrong"
                )
    if isinstance(value, str) and rule.kind == "object" and value.lstrip().startswith("{"):
        try:
            decoded(value)
        except (ValueError, RecursionError) as broken:
            return f"; what you sent is not valid JSON{reason_of(broken)}"
    return f"; you sent {value!r}" if isinstance(value, int | float | str) and len(str(value)) <= 40 else ""
