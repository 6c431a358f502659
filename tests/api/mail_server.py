"""A real mail server on this machine that keeps what comes, and refuses what a test says."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "linocut", "a mail password"


@dataclass
class MailServer:
    """``refusals``: what is answered to the next mails instead of taking them (to RCPT where ``at_rcpt``)."""

    port: int = 0
    came: list[EmailMessage] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    at_rcpt: bool = False
    asked: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event | None = None
    """Until it is set, no mail is taken."""

    async def handle_RCPT(  # noqa: N802  (the library's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_rcpt and self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.asked.set()
        if self.hold is not None and not await asyncio.to_thread(self.hold.wait, 30):
            return "451 held for too long"
        if self.refusals:
            return self.refusals.pop(0)
        self.encrypted.append(session.ssl is not None)
        self.to.append(list(envelope.rcpt_tos))
        self.came.append(message_from_bytes(bytes(envelope.content or b""), policy=default))  # type: ignore[arg-type]
        return "250 OK"


class _Free(Controller):
    """At a port that is free."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(certificate: Path | None = None) -> Iterator[MailServer]:
    """With a certificate it offers STARTTLS and then wants the account; without one it takes mails as they come."""
    server, more = MailServer(), {}
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        more = {"tls_context": context, "auth_required": True, "require_starttls": True, "authenticator": _knows}
    controller = _Free(server, hostname="127.0.0.1", port=0, **more)  # type: ignore[arg-type]
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


def _knows(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=good)
