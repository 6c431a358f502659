"""``linocut users`` as an operator types it."""

import json
import os
import re
from pathlib import Path

import pytest
from tests.cli.conftest import Typed, typed_here
from tests.faults.server import Server

THIS_PROCESS = 0
NO_PROCESS = 4_000_000_000
"""A number that no process has."""


def test_a_user_is_made_listed_and_let_in_again(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    assert typing("users", "list", *data)[1] == "There are no users yet.\n"
    code, out, _ = typing("users", "create", "ada", "--email", "Ada@Example.org", "--role", "ADMIN", *data)
    assert code == 0
    assert re.search(r"http://127\.0\.0\.1:\d+/manage/sign_in#link=lilnk_[\w-]{43}\n$", out)
    (row,) = json.loads(typing("users", "list", "--json", *data)[1])
    assert (row["handle"], row["email"], row["has_password"]) == ("ada", "ada@example.org", False)
    assert row["organizations"] == {"home": "ADMIN"}
    assert "ADMIN of home" in typing("users", "list", *data)[1]
    assert "#link=lilnk_" in typing("users", "link", "ada@example.org", *data)[1]
    assert "#link=lilnk_" in typing("users", "link", *data)[1]
    for words, code in ((("link", "nobody"), 4), (("create", "ada"), 1), (("create", "bob", "--email", "no"), 1),
                        (("create", "bob", "--role", "KING"), 2)):  # fmt: skip
        assert typing("users", *words, *data)[0] == code
    assert len(json.loads(typing("users", "list", "--json", *data)[1])) == 1, "what failed made nobody"


def test_what_a_verb_makes_is_said_and_stands_in_the_audit_log(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    assert "ada is ADMIN of home (made now). " in typing("users", "create", "ada", "--role", "ADMIN", *data)[1]
    assert "bob is MEMBER of home. " in typing("users", "create", "bob", *data)[1]
    assert "user cy, organisation hme (made now))" in typing("keys", "create", "--user", "cy", "--org", "hme", *data)[1]
    assert "organisation hme)" in typing("keys", "create", "--user", "cy", "--org", "hme", *data)[1]
    done = [(one["action"], one["details"]) for one in json.loads(typing("audit", "list", "--json", *data)[1])]
    added = [details["role"] for action, details in done if action == "member.added"]
    made = [details["name"] for action, details in done if action == "organization.created"]
    assert (added, made) == (["MEMBER", "MEMBER", "ADMIN"], ["hme", "home"])
    assert [details["handle"] for action, details in done if action == "user.created"] == ["cy", "bob", "ada"]


def test_an_operator_changes_an_address_and_the_audit_log_has_it(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    for name in ("ada", "bob"):
        typing("users", "create", name, "--email", f"{name}@example.org", *data)
    code, out, _ = typing("users", "change", "ada@example.org", "--email", "Boss@Example.org", *data)
    assert (code, out) == (0, "ada signs in with boss@example.org from now on.\n")
    assert "Another user has the address" in typing("users", "change", "ada", "--email", "bob@example.org", *data)[2]
    assert typing("users", "change", "nobody", "--email", "x@example.org", *data)[0] == 4
    newest = json.loads(typing("audit", "list", "--json", *data)[1])[0]
    assert (newest["action"], newest["details"]) == ("user.changed", {"email": "boss@example.org"})


def test_rotate_says_when_both_keys_end(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    made = json.loads(typing("keys", "create", "--days", "1", "--json", *data)[1])
    told = json.loads(typing("keys", "rotate", made["api_key_id"], "--hours", "720", "--json", *data)[1])
    ends = {key["api_key_id"]: key["expires"] for key in json.loads(typing("keys", "list", "--json", *data)[1])}
    assert (told["expires"], told["replaced_expires"]) == (ends[told["api_key_id"]], ends[made["api_key_id"]])
    assert told["replaced_expires"] >= told["expires"], "not 720 hours: it has a day"
    out = typing("keys", "rotate", told["api_key_id"], "--hours", "0", *data)[1]
    assert re.search(rf", good until 20[^;]*; {told['api_key_id']} goes on until 20", out)
    assert "was replaced by" in typing("keys", "rotate", made["api_key_id"], *data)[2]


def test_who_is_removed_comes_back_with_what_went_along_and_not_where_no_time_is_left(
    typing: Typed, tmp_path: Path
) -> None:
    data = ("--data", tmp_path)
    typing("users", "create", "ada", "--org", "letters", *data)
    out = typing("users", "delete", "ada", *data)[1]
    assert "With them go the organisations in which they are alone: letters." in out
    assert "Until then `linocut users restore` brings them back." in out
    out = typing("users", "restore", "ada", *data)[1]
    assert out == "ada is back, and signs in again. Back with them: letters.\n"
    out = typing("users", "delete", "ada", "--days", "0", *data)[1]
    assert ("alone: letters." in out, "They cannot be brought back." in out) == (True, True)
    said = typing("users", "create", "ada", *data)[2]
    assert "ada is being removed for good, within an hour; the name is free then. Or take another name." in said


@pytest.mark.parametrize("verb", ["rotate", "disable", "revoke"])
def test_a_key_that_is_none_is_answered_with_where_the_ids_are(typing: Typed, tmp_path: Path, verb: str) -> None:
    code, _, said = typing("keys", verb, "nope", "--data", tmp_path)
    assert (code, "There is no key nope; `linocut keys list` shows the ids." in said) == (4, True)


@pytest.mark.parametrize(
    ("process", "settings", "address", "is_guess"),
    [
        (THIS_PROCESS, {}, "http://127.0.0.1:9100", False),
        (THIS_PROCESS, {"PUBLIC_URL": "https://img.example.org/"}, "https://img.example.org", False),
        (NO_PROCESS, {}, "http://127.0.0.1:9100", True),
        (None, {"PORT": "9200", "HOST": "0.0.0.0"}, "http://127.0.0.1:9200", True),
        (None, {"HOST": "::1"}, "http://[::1]:8731", True),
    ],
)
def test_a_link_has_the_address_of_the_server_or_says_that_it_is_a_guess(
    typing: Typed, tmp_path: Path, process: int | None, settings: dict[str, str], address: str, is_guess: bool
) -> None:
    if process is not None:
        number = os.getpid() if process == THIS_PROCESS else process
        (tmp_path / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:9100", "pid": number}))
    words = (("create", "ada"), ("link", "ada"), ("link",))
    for word in words:
        out = typing("users", *word, "--data", tmp_path, **settings)[1]
        assert f"\n{address}/manage/sign_in#link=" in out
        assert ("the address in the link is a guess; LINOCUT_PUBLIC_URL sets it" in out) == is_guess
    told = json.loads(typing("users", "link", "--data", tmp_path, "--json", **settings)[1])
    assert (told["link"].partition("/manage")[0], told["address_is_guessed"]) == (address, is_guess)


def test_a_running_server_is_found(server: Server) -> None:
    ended = typed_here("users", "link", "--data", str(server.data), "--json", environment={})
    told = json.loads(ended.stdout)
    assert told["link"].startswith(f"{server.url}/manage/sign_in#link=")
    assert not told["address_is_guessed"]
