"""``linocut mails``, and links by mail, as an operator types them."""

import json
from pathlib import Path

from tests.api.mail_server import mail_server
from tests.cli.shell import typed_here


def typing(data: Path, *words: str, **told: str) -> tuple[int, str, str]:
    """A verb on a data folder; ``told``: of the mail server, without the prefix."""
    ended = typed_here(*words, "--data", str(data), environment={f"LINOCUT_SMTP_{k}": v for k, v in told.items()})
    return ended.returncode, ended.stdout, ended.stderr


def test_a_link_by_mail_waits_for_the_server_and_is_listed(tmp_path: Path) -> None:
    assert typing(tmp_path, "mails", "list")[1] == "No mail was asked for in the last week.\n"
    create = ("users", "create", "ada", "--email", "ada@example.org", "--mail", "--json")
    code, _, said = typing(tmp_path, *create)
    assert (code, "LINOCUT_SMTP_HOST" in said) == (1, True)
    assert json.loads(typing(tmp_path, "users", "list", "--json")[1]) == [], "what failed made nobody"
    told = {"HOST": "127.0.0.1", "SECURITY": "none", "FROM": "l@example.org"}
    made = json.loads(typing(tmp_path, *create, **told)[1])
    assert "link" not in made
    (row,) = json.loads(typing(tmp_path, "mails", "list", "--json")[1])
    assert (row["mail_id"], row["address"], row["status"]) == (made["mail_id"], "ada@example.org", "QUEUED")
    assert "ada@example.org" in typing(tmp_path, "mails", "list")[1]
    assert "is on its way" in typing(tmp_path, "users", "link", "ada", "--mail", **told)[1]
    assert typing(tmp_path, "users", "link", "--mail", **told)[0] == 2
    typing(tmp_path, "users", "create", "bob")
    assert "has no e-mail address" in typing(tmp_path, "users", "link", "bob", "--mail", **told)[2]


def test_the_settings_are_tried_with_one_mail(tmp_path: Path) -> None:
    ask = ("mails", "test", "you@example.org")
    assert "LINOCUT_SMTP_HOST" in typing(tmp_path, *ask)[2]
    with mail_server() as server:
        told = {"HOST": "127.0.0.1", "PORT": str(server.port), "SECURITY": "none", "FROM": "l@example.org"}
        assert typing(tmp_path, *ask, **told)[:2] == (0, "The mail server has taken a mail to you@example.org.\n")
        assert server.came[0]["Subject"] == "linocut can send mails"
        server.refusals.append("451 later")
        code, _, said = typing(tmp_path, *ask, **told)
        assert (code, "answered 451" in said) == (1, True)
        assert typing(tmp_path, "mails", "test", "no address", **told)[0] == 1
