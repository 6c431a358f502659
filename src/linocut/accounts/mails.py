"""Mails that are to be sent: a queue in the database, so that none is lost in a crash.

The link in a mail is made when the mail is sent, in the transaction that takes it out of the queue; so no link's text
is ever kept. Who sends takes a mail by moving its next moment into the future (``claim``); somebody who dies with it
loses it at that moment, and it is sent again, with a new link. So it is sent at least once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from linocut.accounts import links
from linocut.accounts.audit import OPERATOR, Actor
from linocut.accounts.people import by_account
from linocut.db.tables import invites, mails, organizations, users
from linocut.errors import TooManyTries
from linocut.ids import new_id, now

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=2)
KEPT = timedelta(days=7)
"""How long it is told what came of a mail."""
MOST_OF_ACCOUNT, MOST_OF_ADDRESS = 3, 20
ASKED_WITHIN = timedelta(hours=1)
"""So many password links an hour, for one account and from one address."""
NOBODY = "There is no such account, or it has no e-mail address."
NOT_NEEDED = "It is not needed any more."

Status = Literal["QUEUED", "SENT", "FAILED"]


@dataclass(frozen=True)
class Mail:
    """A mail and how it stands. ``error``: why the last try failed; ``ended_at`` with it: given up."""

    mail_id: str
    purpose: Literal["invite", "sign-in"]
    address: str
    origin: str
    organization: str
    invite_id: str | None
    user_id: str | None
    created_at: datetime
    tries: int
    next_at: datetime
    ended_at: datetime | None
    error: str | None

    @property
    def status(self) -> Status:
        """As its sender's list shows it."""
        if self.ended_at is None:
            return "QUEUED"
        return "SENT" if self.error is None else "FAILED"


def wait_after(tries: int) -> timedelta:
    """How long is waited after so many failed tries: 10 s, 40 s, 160 s and so on, two hours at most."""
    return min(LONGEST_WAIT, FIRST_WAIT * float(4 ** min(tries - 1, 10)))


def invite(tx: Connection, invite_id: str, origin: str) -> str:
    """Queue the mail of an invite, in place of one that waits already; the mail's id."""
    row = tx.execute(select(invites).where(invites.c.invite_id == invite_id)).one()
    _end(tx, mails.c.invite_id == invite_id, NOT_NEEDED)
    return _add(tx, "invite", row.email, origin, organization_id=row.organization_id, invite_id=invite_id)


def password_link(tx: Connection, user_id: str, address: str, origin: str) -> str:
    """Queue a mail with a link to choose a password, on behalf of whoever runs the server; the mail's id."""
    return _add(tx, "sign-in", address, origin, user_id=user_id)


def asked_for_link(tx: Connection, account: str, origin: str, asked_from: str) -> None:
    """Queue a password link for whoever the account is; somebody who has not signed in asks.

    Nothing tells whether there is such an account: a mail is queued, or noted as sent to nobody. ``TooManyTries`` after
    so many from one address; more than three an hour for one account are left out.
    """
    since = now() - ASKED_WITHIN
    of_address = select(func.count()).where(mails.c.asked_from == asked_from, mails.c.created_at > since)
    if tx.execute(of_address).scalar_one() >= MOST_OF_ADDRESS:
        raise TooManyTries(
            "Too many password links were asked for from this address; wait an hour.",
            retry_after_seconds=ASKED_WITHIN.total_seconds(),
        )
    person = by_account(tx, account)
    if person is None or person.email is None:
        mail_id = _add(tx, "sign-in", "", origin, asked_from=asked_from)
        _end(tx, mails.c.mail_id == mail_id, NOBODY)
        return
    of_account = mails.c.user_id == person.user_id, mails.c.asked_from.is_not(None), mails.c.created_at > since
    many = tx.execute(select(func.count()).where(*of_account)).scalar_one() >= MOST_OF_ACCOUNT
    mail_id = _add(tx, "sign-in", person.email, origin, user_id=person.user_id, asked_from=asked_from)
    if many:
        _end(tx, mails.c.mail_id == mail_id, f"Over {MOST_OF_ACCOUNT} were asked for within an hour.")


def any_due(tx: Connection, at: datetime) -> bool:
    """Whether a mail is to be sent now: a read."""
    return tx.execute(select(mails.c.mail_id).where(*_due(at)).limit(1)).first() is not None


def due(tx: Connection, at: datetime, most: int) -> list[str]:
    """The ids of mails to be sent now, those that wait longest first: a read."""
    found = select(mails.c.mail_id).where(*_due(at)).order_by(mails.c.next_at, mails.c.mail_id)
    return list(tx.scalars(found.limit(most)))


def claim(tx: Connection, mail_id: str, at: datetime, until: datetime) -> tuple[Mail, str] | None:
    """Take one that is due, with the text of its link, made now. None when somebody was quicker, and when nobody needs
    it any more."""
    found = tx.execute(select(mails).where(mails.c.mail_id == mail_id, *_due(at))).first()
    if found is None:
        return None
    if not _is_needed(tx, found):
        _end(tx, mails.c.mail_id == mail_id, NOT_NEEDED)
        return None
    tx.execute(update(mails).where(mails.c.mail_id == mail_id).values(next_at=until))
    if found.purpose == "invite":
        text = links.make(tx, "invite", OPERATOR, invite_id=found.invite_id)
    else:
        by = Actor(None, None, found.asked_from) if found.asked_from else OPERATOR
        text = links.make(tx, "sign-in", by, user_id=found.user_id)
    return _mails(tx, mails.c.mail_id == mail_id)[0], text


def sent(tx: Connection, claimed: Mail) -> None:
    """A try has succeeded; nothing happens where the claim is lost."""
    tx.execute(_claimed(claimed).values(tries=claimed.tries + 1, ended_at=now(), error=None))


def failed(tx: Connection, claimed: Mail, error: str, most_tries: int) -> datetime | None:
    """A try has failed: when the next one is due, or None, it is given up. Nothing happens where the claim is lost."""
    tries, at = claimed.tries + 1, now()
    next_at = None if tries >= most_tries else at + wait_after(tries)
    told: dict[str, Any] = {"tries": tries, "error": error}
    tx.execute(_claimed(claimed).values(**told, **({"next_at": next_at} if next_at else {"ended_at": at})))
    return next_at


def listed(tx: Connection) -> list[Mail]:
    """Every mail that is remembered, the newest first."""
    return _mails(tx)


def of_invites(tx: Connection, organization_id: str) -> dict[str, Mail]:
    """The newest mail of each invite of an organisation, by the invite's id."""
    found = _mails(tx, mails.c.organization_id == organization_id)
    return {one.invite_id: one for one in reversed(found) if one.invite_id is not None}


def sweep(tx: Connection, at: datetime) -> int:
    """Forget mails that ended long ago; how many."""
    return tx.execute(delete(mails).where(mails.c.ended_at < at - KEPT)).rowcount


def _add(tx: Connection, purpose: str, address: str, origin: str, **whom: str | None) -> str:
    mail_id, at = new_id(), now()
    row = {"mail_id": mail_id, "purpose": purpose, "address": address, "origin": origin[:2048]}
    tx.execute(mails.insert().values(**row, **whom, created_at=at, next_at=at))
    return mail_id


def _end(tx: Connection, which: ColumnElement[bool], error: str) -> None:
    tx.execute(update(mails).where(which, mails.c.ended_at.is_(None)).values(ended_at=now(), error=error))


def _due(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return mails.c.ended_at.is_(None), mails.c.next_at <= at


def _claimed(claimed: Mail) -> Any:
    mine = mails.c.mail_id == claimed.mail_id, mails.c.next_at == claimed.next_at, mails.c.ended_at.is_(None)
    return update(mails).where(*mine)


def _is_needed(tx: Connection, mail: Row[Any]) -> bool:
    """Whether the invite still waits, in an organisation that stands, or the user stands and has that address."""
    if mail.purpose == "invite":
        waits = invites.c.invite_id == mail.invite_id, invites.c.status == "PENDING", invites.c.expires_at > now()
        stands = select(invites.c.invite_id).join(organizations).where(*waits, organizations.c.deleted_at.is_(None))
        return tx.execute(stands).first() is not None
    theirs = users.c.user_id == mail.user_id, users.c.deleted_at.is_(None), users.c.email == mail.address
    return tx.execute(select(users.c.user_id).where(*theirs)).first() is not None


def _mails(tx: Connection, *which: ColumnElement[bool]) -> list[Mail]:
    joined = mails.outerjoin(organizations, organizations.c.organization_id == mails.c.organization_id)
    found = select(mails, organizations.c.name.label("organization")).select_from(joined).where(*which)
    names = [name for name in Mail.__dataclass_fields__ if name != "organization"]
    return [
        Mail(**{name: getattr(row, name) for name in names}, organization=row.organization or "")
        for row in tx.execute(found.order_by(mails.c.created_at.desc(), mails.c.mail_id))
    ]
