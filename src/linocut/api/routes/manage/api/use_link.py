"""/manage/api/use_link: a one-time link is used; whoever has it chooses a password and is signed in."""

from starlette.responses import Response

from linocut.accounts import links, sessions
from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.signing_in import hashed, signed_in
from linocut.wire import Session, UseLinkRequest
from linocut.wire.types import Nothing


async def use(call: Call, ask: UseLinkRequest) -> Response:
    """Of two requests with one link, one gets a session."""
    db, email = call.db, None if isinstance(ask.email_address, Nothing) else ask.email_address
    await db.run_read(lambda tx: links.whose(tx, ask.link))  # before the slow part: a link that is none costs nothing
    password_hash = await hashed(call, ask.password)
    user_id = await db.run_write(lambda tx: links.use(tx, ask.link, password_hash, email, call.actor))
    session = await db.run_write(lambda tx: sessions.begin(tx, user_id, call.actor))
    return await signed_in(call, session, wants_token=ask.wants_token)


POST = Operation(
    "use_link", "Use a one-time link: choose a password, and sign in", "manage", Works(use), body=UseLinkRequest,
    answer=Session, refusals=(404, 409), key_needed=False, ours=True,
)  # fmt: skip
