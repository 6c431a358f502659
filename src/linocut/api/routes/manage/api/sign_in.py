"""/manage/api/sign_in: a session for an account and its password."""

from starlette.responses import Response

from linocut.accounts import sessions
from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.signing_in import fits, signed_in
from linocut.errors import Unauthenticated
from linocut.wire import Session, SignInRequest


async def sign_in(call: Call, ask: SignInRequest) -> Response:
    """The same answer, after the same time, for an account that there is none of and for a wrong password."""
    db, address = call.db, call.actor.address or ""
    await db.run_read(lambda tx: sessions.check_tries(tx, ask.account, address))
    person, stored = await db.run_read(lambda tx: sessions.stored_password_of(tx, ask.account))
    if not await fits(call, stored, ask.password) or person is None:
        await db.run_write(lambda tx: sessions.failed(tx, ask.account, person, call.actor))
        raise Unauthenticated(sessions.WRONG)
    user_id = person.user_id
    session = await db.run_write(lambda tx: sessions.begin(tx, user_id, call.actor))
    return await signed_in(call, session, wants_token=ask.wants_token)


POST = Operation(
    "sign_in", "Sign in with a password", "manage", Works(sign_in), body=SignInRequest, answer=Session,
    refusals=(401, 429), key_needed=False, ours=True,
)  # fmt: skip
