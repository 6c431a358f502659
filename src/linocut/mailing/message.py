"""What a mail says. Pure."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Literal


@dataclass(frozen=True)
class Letter:
    """``to``: an address; ``organization``: its name, for an invite; ``link``: good once; ``message_id``: the same for
    each try, so that a mail that was sent twice is seen to be one."""

    purpose: Literal["invite", "sign-in", "test"]
    to: str
    link: str
    origin: str
    message_id: str
    organization: str = ""


def composed(letter: Letter, sender: str) -> EmailMessage:
    """The mail. ``ValueError`` for an address or a name with a line end or another control character in it: it would
    begin a header of its own."""
    name, address = parseaddr(sender)
    mail = EmailMessage(policy=SMTP)
    subject, body = _said(letter)
    for value in (letter.to, letter.organization, letter.message_id, letter.origin, letter.link, sender):
        if not value.isprintable():
            raise ValueError("a control character is in it")
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=letter.to)
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{letter.message_id}@{address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(body)
    return mail


def _said(letter: Letter) -> tuple[str, str]:
    """Subject and text."""
    if letter.purpose == "test":
        return "linocut can send mails", f"This is a test of the linocut server at {letter.origin}.\n"
    if letter.purpose == "invite":
        return f"You are invited to {letter.organization}", (
            f"You are invited to {letter.organization} on the linocut server at {letter.origin}.\n\n"
            f"Open this link to choose a password and to join. It is good once, for a week:\n\n{letter.link}\n\n"
            "If you do not know what this is about, leave it alone.\n"
        )
    return "Your link to sign in to linocut", (
        f"Somebody has asked for a new password for your account on the linocut server at {letter.origin}.\n\n"
        f"Open this link to choose one. It is good once, for an hour:\n\n{letter.link}\n\n"
        "If that was not you, leave it alone: your password stays as it is.\n"
    )
