"""The table of fields that some image route knows is the contract's own (DECISIONS 41)."""

from typing import Any

from tests.contract.documents import CONTRACT, THEIRS
from tests.contract.schemas import resolved

from linocut.api.translate.refusals import KNOWN_FIELDS, PUBLISHED_DEFAULTS


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
