"""``linocut users`` as an operator types it."""

import json
import re
from pathlib import Path

from tests.cli.conftest import Typed


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
