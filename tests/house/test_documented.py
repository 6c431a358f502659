"""Every setting, every error code and every family is where a reader looks for it."""

from pathlib import Path

from linocut.catalogue import FAMILIES
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
    assert named <= {f"LINOCUT_{name.upper()}" for name in Settings.model_fields} | {"LINOCUT_API_KEY", "LINOCUT_URL"}


def _codes(root: type[LinocutError]) -> set[str]:
    return {root.code}.union(*(_codes(child) for child in root.__subclasses__()))


def test_every_error_code_is_documented() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    assert [code for code in sorted(_codes(LinocutError) - {"error"}) if f"`{code}`" not in page] == []


def test_every_family_in_the_catalogue_has_its_file() -> None:
    folder = ROOT / "src" / "linocut" / "engine" / "families"
    assert set(CODE) == set(FAMILIES)
    assert {p.stem for p in folder.glob("*.py")} == {*FAMILIES, "__init__", "family", "items"}
