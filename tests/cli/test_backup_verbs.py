"""``linocut backup`` and ``restore`` as an operator types them."""

import json
from pathlib import Path

from tests.cli.conftest import Typed


def test_a_backup_into_a_folder_that_is_not_there_is_a_sentence(typing: Typed, tmp_path: Path) -> None:
    file = tmp_path / "none" / "monday.tar"
    code, _, said = typing("backup", file, "--data", tmp_path / "data")
    assert (code, said) == (1, f"linocut: There is no folder {file.parent}; make it, or name a file in another one.\n")


def test_a_backup_is_taken_checked_and_restored_once(typing: Typed, tmp_path: Path) -> None:
    data, there, file = ("--data", tmp_path / "data"), ("--data", tmp_path / "there"), tmp_path / "monday.tar"
    key = json.loads(typing("keys", "create", "--json", *data)[1])
    code, out, _ = typing("backup", file, *data)
    assert (code, "It holds secrets" in out, file.stat().st_mode & 0o077) == (0, True, 0)
    code, _, err = typing("backup", file, *data)
    assert (code, "is there already" in err) == (1, True)
    code, out, _ = typing("restore", file, "--check", "--json")
    assert (code, json.loads(out)["lost"]) == (0, [])
    code, out, _ = typing("restore", file, *there)
    assert (code, "Start the server" in out) == (0, True)
    assert key["api_key_id"] in typing("keys", "list", *there)[1]
    code, _, err = typing("restore", file, *there)
    assert (code, "not empty" in err) == (1, True)
    code, _, err = typing("restore", tmp_path / "sunday.tar", *there)
    assert (code, "sunday.tar" in err) == (1, True)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".partial")]
