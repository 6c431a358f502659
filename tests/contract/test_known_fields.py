"""The table of fields that some image route knows is the contract's own (DECISIONS 41)."""

from typing import Any

import pytest
from tests.api.test_refusals import ask_v3, ask_v4
from tests.contract.documents import CONTRACT, THEIRS
from tests.contract.schemas import resolved

from linocut.api.body import Texts
from linocut.api.translate.refusals import HAVE_AUTO, KNOWN_FIELDS, PUBLISHED_DEFAULTS


def _image_fields() -> dict[str, set[Any]]:
    """Every field of every image route, with its published defaults; those inside ``image_request`` too."""
    found: dict[str, set[Any]] = {}
    for operation in THEIRS.values():
        if operation["tags"] != ["generate"]:
            continue
        for content in operation["requestBody"]["content"].values():
            _collect(content["schema"], found)
    return found


def _collect(schema: dict[str, Any], found: dict[str, set[Any]]) -> None:
    for name, declared in resolved(schema, CONTRACT).get("properties", {}).items():
        field = resolved(declared, CONTRACT)
        found.setdefault(name, set()).update({field["default"]} if "default" in field else ())
        if name == "image_request":
            _collect(field, found)


def test_the_table_names_every_field_of_every_image_route() -> None:
    assert set(_image_fields()) == KNOWN_FIELDS


def test_the_defaults_that_ask_for_nothing_are_the_published_ones() -> None:
    published = {name: defaults for name, defaults in _image_fields().items() if defaults}
    assert published.pop("model") == {"V_2"}  # asks for another model: refused on V3 and V4
    assert {name: {default} for name, default in PUBLISHED_DEFAULTS.items()} == published


def _fields(route: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """The schemas of every field of one image route, or of all."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, operation in THEIRS.items():
        if operation["tags"] == ["generate"] and route in (None, name):
            for content in operation["requestBody"]["content"].values():
                for field, schema in resolved(content["schema"], CONTRACT).get("properties", {}).items():
                    found.setdefault(field, []).append(resolved(schema, CONTRACT))
    return found


def test_the_fields_with_an_automatic_choice_are_the_published_ones() -> None:
    published = {name for name, schemas in _fields().items() if any("AUTO" in s.get("enum", ()) for s in schemas)}
    assert published | {"aspect_ratio"} == HAVE_AUTO  # the magic prompt's, which draws nothing itself


def _without_effect(schemas: list[dict[str, Any]]) -> list[Any]:
    """The values of a field that ask for nothing, by its schemas: its default, AUTO, null, nothing in a list."""
    values: list[Any] = [None]
    for schema in schemas:
        types = schema.get("type")
        values += [schema["default"]] if "default" in schema else []
        values += ["AUTO"] if "AUTO" in schema.get("enum", ()) else []
        values += [[]] if types == "array" else []
        values += [""] if types == "string" and "enum" not in schema else []
        values += [False] if "boolean" in (types if isinstance(types, list) else [types]) else []
    return values


@pytest.mark.parametrize("route", ["POST /v1/ideogram-v3/generate", "POST /v1/ideogram-v4/generate", None])
@pytest.mark.parametrize("as_form", [False, True])
def test_every_value_without_an_effect_passes_on_both_versions(route: str | None, as_form: bool) -> None:
    for name, schemas in _fields(route).items():
        if name in ("prompt", "text_prompt", "model"):
            continue  # asked for; V_2 is another model
        for value in _without_effect(schemas):
            if as_form and (value is None or value == []):
                continue
            sent = Texts([str(value)]) if as_form else value
            assert ask_v3({"prompt": "p", name: sent}).num_images == 1, (name, value)
            assert ask_v4({"text_prompt": "p", name: sent}).num_images == 1, (name, value)
