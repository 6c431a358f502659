"""Every setting, every error code and every family is where a reader looks for it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import typer

from linocut.bases import FAMILIES, FAMILY_NAMES, Base, Licence, Sampling, TrainingDefaults
from linocut.bases.known import catalogue, pipelines
from linocut.cli.main import command_line
from linocut.engine.families.family import FAMILIES as CODE
from linocut.errors import LinocutError
from linocut.settings import Settings

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert [name for name in Settings.model_fields if f"`LINOCUT_{name.upper()}`" not in page] == []
    assert all(field.description for field in Settings.model_fields.values())


def test_no_setting_is_documented_that_is_not_there() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    named = {word.strip("`,.") for word in page.split() if word.startswith("`LINOCUT_")}
    assert named <= {f"LINOCUT_{name.upper()}" for name in Settings.model_fields} | {
        "LINOCUT_API_KEY",
        "LINOCUT_API_KEY_FILE",
        "LINOCUT_URL",
        "LINOCUT_",
    }


def _codes(root: type[LinocutError]) -> set[str]:
    return {root.code}.union(*(_codes(child) for child in root.__subclasses__()))


def test_every_error_code_is_documented() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    assert [code for code in sorted(_codes(LinocutError) - {"error"}) if f"`{code}`" not in page] == []


def test_every_fact_of_a_base_is_documented_and_the_example_is_one() -> None:
    page = (ROOT / "docs" / "bases.md").read_text()
    for facts in (Base, Sampling, TrainingDefaults, Licence):
        assert [name for name in facts.__struct_fields__ if f"`{name}`" not in page] in (
            [],
            ["identity"],
            ["identity", "known_as"],
        )
    example = json.loads(page.partition("```json\n")[2].partition("```")[0])
    assert msgspec.convert({**example, "identity": "x"}, Base, strict=True).family in FAMILIES
    assert all(f"`{family}`" in page for family in FAMILIES)
    assert all(pipeline in page for pipeline in pipelines())
    assert [name for name in catalogue() if f"`{name}`" not in page] == []


def _verbs(group: Any, above: str = "") -> set[str]:
    found = set()
    for name, command in group.commands.items():
        found |= _verbs(command, f"{above}{name} ") if hasattr(command, "commands") else {f"{above}{name}"}
    return found


def test_every_verb_is_documented() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    table = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `")]
    told = set()
    for row in table:
        group = ""
        for verb in re.findall(r"`([a-z][a-z -]*)`", row):
            group = verb.rpartition(" ")[0] or group
            told.add(f"{group} {verb.rpartition(' ')[2]}".strip())
    assert _verbs(typer.main.get_group(command_line())) == told


def test_the_catalogue_and_the_engine_know_the_same_families() -> None:
    """A family is one file of the engine, and the catalogue names it."""
    folder = ROOT / "src" / "linocut" / "engine" / "families"
    assert set(CODE) == set(FAMILIES)
    assert {p.stem for p in folder.glob("*.py")} == {*FAMILIES, "__init__", "family", "items"}


def test_every_family_has_a_name_for_sentences() -> None:
    assert set(FAMILY_NAMES) == set(FAMILIES)


def test_every_room_has_its_floor() -> None:
    """import-linter holds only what pyproject.toml draws: a new room must be drawn there, and no other."""
    drawn = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    on_floors = [room.strip() for layer in drawn for room in re.split(r"[|:]", layer)]
    there = {
        f"linocut.{p.stem}"
        for p in (ROOT / "src" / "linocut").iterdir()
        if (p.suffix == ".py" or (p / "__init__.py").exists()) and not p.name.startswith("__")
    }
    assert sorted(on_floors) == sorted(there)
