"""/manage/api/sign_in: a session for an account and its password."""

from starlette.responses import Response

from linocut.accounts import sessions
from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.signing_in import signed_in, whose_password
from linocut.errors import Unauthenticated
from linocut.wire import Session, SignInRequest


async def sign_in(call: Call, ask: SignInRequest) -> Response:
    """The same answer, after the same time, for an account that there is none of and for a wrong password."""
    account = ask.account
    user_id = await whose_password(call, account, ask.password, lambda tx: sessions.stored_password_of(tx, account))
    if user_id is None:
        raise Unauthenticated(sessions.WRONG)
    session = await call.db.run_write(lambda tx: sessions.begin(tx, user_id, call.actor))
    return await signed_in(call, session, wants_token=ask.wants_token)


POST = Operation(
    "sign_in", "Sign in with a password", "manage", Works(sign_in), body=SignInRequest, answer=Session,
    refusals=(401, 429), key_needed=False, ours=True,
)  # fmt: skip
