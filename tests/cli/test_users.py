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
