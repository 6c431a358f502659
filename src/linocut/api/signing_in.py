"""A session's answer: who has signed in, with the cookie that the browser keeps; the ways to and from elsewhere."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from linocut.accounts import passwords, people, sessions
from linocut.accounts.administrators import is_administrator
from linocut.accounts.identities import NotLetIn
from linocut.accounts.sessions import GOOD_FOR, NewSession
from linocut.api.auth import COOKIE
from linocut.api.body import JSON
from linocut.api.call import Call
from linocut.api.openid import COOKIE as SIGNING_IN
from linocut.errors import Forbidden
from linocut.ids import wire_time
from linocut.observe import log
from linocut.wire import Session


async def hashed(call: Call, password: str) -> str:
    """The hash of a password that keeps the rules. ``InvalidRequest``."""
    passwords.check(password)
    async with call.shared.hashing:
        return await asyncio.to_thread(passwords.hash_of, password)


async def fits(call: Call, stored: str | None, password: str) -> bool:
    """Whether it is the password of the hash."""
    async with call.shared.hashing:
        return await asyncio.to_thread(passwords.fits, stored, password)


Finds = Callable[[Connection], tuple[str | None, str | None]]
"""Whose password it should be, and its hash; both None for nobody."""


async def whose_password(call: Call, account: str, password: str, finds: Finds) -> str | None:
    """The id of the user whose password it is, None where it is not theirs. ``TooManyTries``.

    The try is counted before the password is compared; the same is done, and takes as long, where there is no user.
    ``Forbidden`` for somebody who has signed in and has no password.
    """
    db, address = call.db, call.actor.address or ""

    def begin(tx: Connection) -> tuple[str | None, str | None, int]:
        user_id, stored = finds(tx)
        if stored is None and call.signed_in is not None:
            raise Forbidden("You have no password yet; leave current_password out.")
        return user_id, stored, sessions.try_password(tx, user_id or account, address)

    user_id, stored, number = await db.run_write(begin)
    if await fits(call, stored, password) and user_id is not None:
        await db.run_write(lambda tx: sessions.password_was_right(tx, number))
        return user_id
    await db.run_write(lambda tx: sessions.password_was_wrong(tx, user_id, call.actor))
    return None


async def signed_in(call: Call, session: NewSession, *, wants_token: bool) -> Response:
    """Who it is, and the session: as a cookie that no script can read, or as a token."""
    told = await call.db.run_read(lambda tx: session_answer(tx, session.user_id, session.expires_at))
    if wants_token:
        told = msgspec.structs.replace(told, token=session.token)
    answer = Response(msgspec.json.encode(told), media_type=JSON, headers={"Cache-Control": "no-store"})
    if not wants_token:
        _keep(call, answer, session)
    return answer


def session_answer(tx: Connection, user_id: str, expires_at: datetime) -> Session:
    """Who has signed in, and until when."""
    person = people.get(tx, user_id)
    return Session(
        user_id=person.user_id,
        display_handle=person.handle,
        email_address=person.email,
        expires_time=wire_time(expires_at),
        has_password=person.has_password,
        can_return=people.can_return(tx, person),
        is_administrator=is_administrator(tx, person.user_id),
    )


def redirect_uri(call: Call) -> str:
    """Where an issuer sends the browser back to: what it must know this server by."""
    return f"{call.origin}/manage/oidc_callback"


def to_the_console(call: Call, session: NewSession) -> Response:
    """Who came back from elsewhere is signed in. The address is relative: it leads nowhere but here."""
    answer = _leads_to("sign_in")
    answer.delete_cookie(SIGNING_IN, path="/", httponly=True, samesite="lax", secure=_is_https(call))
    _keep(call, answer, session)
    return answer


def back_to_page(call: Call, why: NotLetIn) -> Response:
    """Nobody was signed in: the page to sign in on says why, in a sentence of its own; the log has the reason."""
    del call
    log("sign-in").warning("nobody was signed in elsewhere", why=why.why, reason=str(why))
    return _leads_to(f"sign_in?said={why.why}")


def _leads_to(address: str) -> Response:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _keep(call: Call, answer: Response, session: NewSession) -> None:
    answer.set_cookie(
        COOKIE, session.token, max_age=int(GOOD_FOR.total_seconds()), path="/", httponly=True, samesite="strict",
        secure=_is_https(call),
    )  # fmt: skip


def _is_https(call: Call) -> bool:
    return call.origin.startswith("https:")
