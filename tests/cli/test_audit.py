"""``linocut audit`` as an operator types it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Typed


def test_the_log_is_listed_headed_and_verified(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    assert typing("audit", "list", *data) == (0, "Nothing was done yet.\n", "")
    _, made, _ = typing("keys", "create", "--json", *data)
    key = json.loads(made)
    typing("keys", "revoke", key["api_key_id"], *data)
    code, out, _ = typing("audit", "list", "--json", *data)
    newest, first = json.loads(out)
    assert (code, newest["action"], first["action"]) == (0, "key.revoked", "key.created")
    assert first["object_id"] == key["api_key_id"]
    assert key["api_key"] not in out
    assert "operator" in typing("audit", "list", *data)[1]
    _, head, _ = typing("audit", "head", *data)
    assert typing("audit", "verify", "--known", head.strip(), *data) == (0, "All 2 entries are sound.\n", "")
    with closing(sqlite3.connect(tmp_path / "linocut.db")) as raw, raw:
        raw.execute("UPDATE audit_log SET action = 'key.changed' WHERE number = 1")
    code, out, _ = typing("audit", "verify", *data)
    assert code == 1
    assert out.startswith("Entry 1 was changed")
    assert typing("audit", "verify", "--known", "nonsense", *data)[0] == 1
