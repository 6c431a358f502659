"""A session's answer: who has signed in, with the cookie that the browser keeps."""

import asyncio

import msgspec
from starlette.responses import Response

from linocut.accounts import passwords, people
from linocut.accounts.sessions import GOOD_FOR, NewSession
from linocut.api.auth import COOKIE
from linocut.api.body import JSON
from linocut.api.call import Call
from linocut.ids import wire_time
from linocut.wire import Session
from linocut.wire.types import UNSET


async def hashed(call: Call, password: str) -> str:
    """The hash of a password that keeps the rules. ``InvalidRequest``."""
    passwords.check(password)
    async with call.shared.hashing:
        return await asyncio.to_thread(passwords.hash_of, password)


async def fits(call: Call, stored: str | None, password: str) -> bool:
    """Whether it is the password of the hash."""
    async with call.shared.hashing:
        return await asyncio.to_thread(passwords.fits, stored, password)


async def signed_in(call: Call, session: NewSession, *, wants_token: bool) -> Response:
    """Who it is, and the session: as a cookie that no script can read, or as a token."""
    person = await call.db.run_read(lambda tx: people.get(tx, session.user_id))
    told = Session(
        user_id=person.user_id,
        display_handle=person.handle,
        email_address=person.email,
        expires_time=wire_time(session.expires_at),
        token=session.token if wants_token else UNSET,
    )
    answer = Response(msgspec.json.encode(told), media_type=JSON, headers={"Cache-Control": "no-store"})
    if not wants_token:
        answer.set_cookie(
            COOKIE, session.token, max_age=int(GOOD_FOR.total_seconds()), path="/", httponly=True, samesite="strict",
            secure=call.origin.startswith("https:"),
        )  # fmt: skip
    return answer
