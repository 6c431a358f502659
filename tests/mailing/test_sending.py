"""One mail to a real mail server: encrypted or not at all, and nobody slips a header in."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.mail_server import PASSWORD, USER, MailServer, mail_server
from tests.webhooks.receiver import make_certificates

from linocut.environment import settings_with
from linocut.errors import InvalidRequest
from linocut.mailing.message import Letter, composed
from linocut.mailing.sending import NotSent, send
from linocut.settings import Settings

LETTER = Letter("invite", "ada@example.org", "https://img.example.org/manage/sign_in#link=lilnk_x",
                "https://img.example.org", "m1", "Müller & Söhne")  # fmt: skip
SENDER = "Linocut <linocut@example.org>"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificates(tmp_path_factory.mktemp("certificates"), "localhost")


@pytest.fixture
def trusted(certificates: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates[0]))
    with mail_server(certificates[1]) as server:
        yield server


def settings(server: MailServer | int, **more: Any) -> Settings:
    port = server if isinstance(server, int) else server.port
    told = {"smtp_from": SENDER, "smtp_user": USER, "smtp_password": PASSWORD, "smtp_seconds": 5.0}
    return Settings(**{**told, "smtp_port": port, "smtp_host": "localhost", **more})


def failure(server: MailServer | int, **more: Any) -> NotSent:
    with pytest.raises(NotSent) as caught:
        send(composed(LETTER, SENDER), settings(server, **more))
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_a_mail_arrives_encrypted_with_its_link(trusted: MailServer) -> None:
    send(composed(LETTER, SENDER), settings(trusted))
    (mail,) = trusted.came
    assert (trusted.encrypted, trusted.to) == ([True], [["ada@example.org"]])
    assert mail["From"] == SENDER
    assert mail["Subject"] == "You are invited to Müller & Söhne"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<m1@example.org>"
    assert LETTER.link in mail.get_content()


def test_whoever_is_not_let_in_is_told_why(trusted: MailServer) -> None:
    assert "LINOCUT_SMTP_USER" in str(failure(trusted, smtp_password="wrong"))
    assert not failure(trusted, smtp_user="").is_final
    assert trusted.came == []


def test_nothing_is_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as server:
        assert "STARTTLS" in str(failure(server))
        assert server.came == []
        send(composed(LETTER, SENDER), settings(server, smtp_security="none", smtp_user=""))
        assert server.encrypted == [False], "on this machine, where its operator says so"


def test_a_certificate_of_nobody_known_is_refused(certificates: tuple[Path, Path], trusted: MailServer,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "certificate is not good" in str(failure(trusted))
    assert trusted.came == []


def test_a_server_that_is_away_or_silent_or_refuses() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert not failure(silent.getsockname()[1], smtp_seconds=0.2).is_final
    assert "cannot be spoken to" in str(failure(1))
    with mail_server() as server:
        plain = {"smtp_security": "none", "smtp_user": ""}
        for answer, final in (("451 later", False), ("550 no such mailbox", True)):
            server.at_rcpt, server.refusals = True, [answer]
            refused = failure(server, **plain)
            assert (refused.is_final, answer[:3] in str(refused)) == (final, True)
        server.at_rcpt, server.refusals = False, ["554 spam"]
        assert "answered 554" in str(failure(server, **plain))


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "ada@example.org\r\nBcc: eve@evil.example"}, {"to": "ada@example.org, eve@evil.example"},
        {"to": "ada@example.org\nX: y"}, {"organization": "home\r\nBcc: eve@evil.example"}, {"to": "no address"},
        {"to": ""}, {"organization": "home\x00"}, {"message_id": "m\r\nX: y"}, {"link": "https://x\r\n\r\nevil"},
    ],
    ids=str,
)  # fmt: skip
def test_nobody_slips_a_header_in(wrong: dict[str, str]) -> None:
    facts = {name: getattr(LETTER, name) for name in LETTER.__dataclass_fields__}
    with pytest.raises((ValueError, IndexError)):
        composed(Letter(**{**facts, **wrong}), SENDER)


@pytest.mark.parametrize(
    ("variable", "given", "says"),
    [
        ("LINOCUT_SMTP_HOST", {"smtp_host": "mail.example.org"}, "LINOCUT_SMTP_FROM"),
        ("LINOCUT_SMTP_HOST", {"smtp_host": "mail.example.org:25", "smtp_from": SENDER}, "no port"),
        ("LINOCUT_SMTP_HOST", {"smtp_host": "mail.example.org", "smtp_from": SENDER, "smtp_security": "none"}, "clear"),
        ("LINOCUT_SMTP_FROM", {"smtp_from": "linocut"}, "takes an address"),
        ("LINOCUT_SMTP_FROM", {"smtp_from": "a@example.org\r\nBcc: b@example.org"}, "takes an address"),
    ],
)
def test_a_wrong_setting_is_told(variable: str, given: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        settings_with(**given)
    del variable
