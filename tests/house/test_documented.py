"""Every setting, every error code and every family is where a reader looks for it."""

import re
import tomllib
from pathlib import Path

from linocut.catalogue import FAMILIES
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
    assert named <= {f"LINOCUT_{name.upper()}" for name in Settings.model_fields} | {"LINOCUT_API_KEY", "LINOCUT_URL"}


def _codes(root: type[LinocutError]) -> set[str]:
    return {root.code}.union(*(_codes(child) for child in root.__subclasses__()))


def test_every_error_code_is_documented() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    assert [code for code in sorted(_codes(LinocutError) - {"error"}) if f"`{code}`" not in page] == []


def test_the_catalogue_and_the_engine_know_the_same_families() -> None:
    """A family is one file of the engine, and the catalogue names it."""
    folder = ROOT / "src" / "linocut" / "engine" / "families"
    assert {p.stem for p in folder.glob("*.py")} - {"__init__", "family"} == set(FAMILIES)


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
