"""``linocut audit`` as an operator types it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Typed


@pytest.mark.parametrize("damage", [
    "seal = 'abc'", "seal = 7", "details = '{'", r"""details = '"\ud800"'""", "details = '1e999'", "at = 'never'",
    "action = x'00ff'",
])  # fmt: skip
def test_the_entry_that_somebody_has_overwritten_is_named(typing: Typed, tmp_path: Path, damage: str) -> None:
    data = ("--data", tmp_path)
    for name in ("one", "two", "three"):
        typing("orgs", "create", name, *data)
    with closing(sqlite3.connect(tmp_path / "linocut.db")) as raw, raw:
        raw.execute(f"UPDATE audit_log SET {damage} WHERE number = 2")
    code, out, _ = typing("audit", "verify", *data)
    assert (code, out.splitlines()[0]) == (1, "Entry 2 was changed, or one before it was removed or moved.")
    assert "Entry 1 " not in out
    assert typing("orgs", "create", "four", *data)[0] == 0, "the database is not held to be damaged"


def test_a_log_that_was_emptied_is_no_sound_one(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    typing("orgs", "create", "one", *data)
    with closing(sqlite3.connect(tmp_path / "linocut.db")) as raw, raw:
        raw.execute("DELETE FROM audit_log")
        raw.execute("DELETE FROM audit_head")
    code, out, _ = typing("audit", "verify", *data)
    assert (code, "The log is empty, but entries were written" in out) == (1, True)


def test_the_log_is_listed_headed_and_verified(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    assert typing("audit", "list", *data) == (0, "Nothing was done yet.\n", "")
    _, made, _ = typing("keys", "create", "--json", *data)
    key = json.loads(made)
    typing("keys", "revoke", key["api_key_id"], *data)
    code, out, _ = typing("audit", "list", "--json", *data)
    newest, first, *made = json.loads(out)
    assert (code, newest["action"], first["action"]) == (0, "key.revoked", "key.created")
    assert first["object_id"] == key["api_key_id"]
    assert [one["action"] for one in made] == ["member.added", "organization.created", "user.created"]
    assert key["api_key"] not in out
    assert "operator" in typing("audit", "list", *data)[1]
    _, head, _ = typing("audit", "head", *data)
    assert typing("audit", "verify", "--known", head.strip(), *data) == (0, "All 5 entries are sound.\n", "")
    with closing(sqlite3.connect(tmp_path / "linocut.db")) as raw, raw:
        raw.execute("UPDATE audit_log SET action = 'key.changed' WHERE number = 1")
    code, out, _ = typing("audit", "verify", *data)
    assert code == 1
    assert out.startswith("Entry 1 was changed")
    assert typing("audit", "verify", "--known", "nonsense", *data)[0] == 1
