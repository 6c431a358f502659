"""``linocut orgs``, and leaving and coming back, as an operator types it."""

import json
import zipfile
from pathlib import Path

import pytest
from tests.cli.conftest import Typed


def test_an_organisation_from_its_making_to_its_coming_back(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    assert typing("orgs", "list", *data)[1] == "There are no organisations yet.\n"
    made = json.loads(typing("orgs", "create", "Tea & Co.", "--json", *data)[1])
    assert typing("orgs", "create", "Tea & Co.", *data)[0] == 1
    assert typing("orgs", "create", " ", *data)[0] == 1
    typing("users", "create", "ada", "--email", "ada@example.org", "--org", "Tea & Co.", "--role", "OWNER", *data)
    (member,) = json.loads(typing("orgs", "members", made["organization_id"], "--json", *data)[1])
    assert (member["handle"], member["role"], member["email"]) == ("ada", "OWNER", "ada@example.org")
    assert "OWNER   ada" in typing("orgs", "members", "Tea & Co.", *data)[1]
    assert typing("orgs", "rename", "Tea & Co.", "Coffee", *data)[1] == "Tea & Co. is called Coffee now.\n"
    typing("orgs", "create", "Taken", *data)
    assert "called Taken already" in typing("orgs", "rename", "Coffee", "Taken", *data)[2]
    told = json.loads(typing("orgs", "delete", "Coffee", "--days", "3", "--json", *data)[1])
    assert told["organization_id"] == made["organization_id"]
    assert "removed for good at" in typing("orgs", "list", *data)[1]
    for words in (("members", "Coffee"), ("delete", "Coffee"), ("rename", "Coffee", "Tea"), ("export", "Coffee")):
        code, _, said = typing("orgs", *words, *data)
        assert (words, code, "is being removed" in said) == (words, 1, True)
    assert typing("keys", "create", "--org", "Coffee", *data)[0] == 1
    assert typing("orgs", "restore", "Coffee", *data)[1] == "Coffee is back.\n"
    assert typing("orgs", "restore", "Coffee", *data)[0] == 4
    rows = json.loads(typing("orgs", "list", "--json", *data)[1])
    assert {row["name"]: (row["members"], row["removed_at"]) for row in rows} == {
        "Coffee": (1, None),
        "Taken": (0, None),
    }
    for verb in ("members", "delete", "restore", "export"):
        assert typing("orgs", verb, "nobody's", *data)[0] == 4


def test_an_export_is_whole_or_not_there(typing: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, file = ("--data", tmp_path / "data"), tmp_path / "tea.zip"
    typing("users", "create", "ada", "--org", "tea", *data)
    told = json.loads(typing("orgs", "export", "tea", "--out", file, "--json", *data)[1])
    assert told["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    names = zipfile.ZipFile(file).namelist()
    assert {"README.txt", "members.json", "audit.jsonl", "manifest.json"} <= set(names)
    code, _, said = typing("orgs", "export", "tea", "--out", file, *data)
    assert (code, "is there already" in said) == (1, True)
    code, _, said = typing("orgs", "export", "tea", "--out", tmp_path / "none" / "tea.zip", *data)
    assert (code, said) == (1, f"linocut: There is no folder {tmp_path / 'none'}; make it, or name another one with "
                               "--out.\n")  # fmt: skip

    def breaks(*_: object) -> object:
        yield b"PK"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("linocut.cli.orgs.export", breaks)
    assert typing("orgs", "export", "tea", "--out", tmp_path / "other.zip", *data)[0] == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data", "tea.zip"]


def test_what_is_removed_without_a_way_back_is_told_so(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    typing("orgs", "create", "tea", *data)
    out = typing("orgs", "delete", "tea", "--days", "0", *data)[1]
    assert ("cannot be brought back." in out, "restore" in out) == (True, False)
    for verb in ("restore", "members"):
        code, _, said = typing("orgs", verb, "tea", *data)
        assert (code, "could be brought back is over" in said, "orgs restore" in said) == (1, True, False)


def test_who_is_being_removed_is_no_member_in_the_list(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    for who, role in (("ada", "OWNER"), ("bob", "MEMBER")):
        typing("users", "create", who, "--org", "tea", "--role", role, *data)
    typing("users", "delete", "bob", *data)
    (row,) = json.loads(typing("orgs", "list", "--json", *data)[1])
    assert row["members"] == len(json.loads(typing("orgs", "members", "tea", "--json", *data)[1])) == 1


def test_a_user_leaves_and_comes_back(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    typing("users", "create", "ada", "--org", "tea", "--role", "OWNER", *data)
    typing("users", "create", "bob", "--org", "tea", *data)
    code, _, said = typing("users", "delete", "ada", *data)
    assert (code, "last owner of tea" in said) == (1, True)
    told = json.loads(typing("users", "delete", "bob", "--json", *data)[1])
    assert told["handle"] == "bob"
    assert typing("users", "delete", "bob", *data)[0] == 4
    assert typing("users", "link", "bob", *data)[0] == 4
    rows = json.loads(typing("users", "list", "--json", *data)[1])
    assert [(row["handle"], row["removed_at"] is None) for row in rows] == [("ada", True), ("bob", False)]
    assert "removed for good at" in typing("users", "list", *data)[1]
    assert typing("users", "restore", "bob", *data)[1].startswith("bob is back")
    assert typing("users", "restore", "bob", *data)[0] == 4
    assert "#link=" in typing("users", "link", "bob", *data)[1]


def test_keys_end_may_do_less_and_are_rotated(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    made = json.loads(typing("keys", "create", "--days", "7", "--scopes", "read,generate", "--json", *data)[1])
    (row,) = json.loads(typing("keys", "list", "--json", *data)[1])
    assert (row["status"], row["scopes"], row["expires"] is None) == ("active", ["read", "generate"], False)
    assert "scopes" in typing("keys", "create", "--scopes", "all", *data)[2]
    new = json.loads(typing("keys", "rotate", made["api_key_id"], "--hours", "0", "--json", *data)[1])
    assert (new["replaces"], new["api_key"] != made["api_key"]) == (made["api_key_id"], True)
    assert typing("keys", "disable", new["api_key_id"], *data)[0] == 0
    rows = {row["api_key_id"]: row["status"] for row in json.loads(typing("keys", "list", "--json", *data)[1])}
    assert rows == {made["api_key_id"]: "expired", new["api_key_id"]: "disabled"}
    assert typing("keys", "rotate", new["api_key_id"], *data)[0] == 1
    for verb in ("disable", "rotate"):
        assert typing("keys", verb, "nobody's", *data)[0] == 4
