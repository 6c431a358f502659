"""/manage/api/use_link: a one-time link is used; whoever has it is signed in, with a password of their choice."""

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.accounts import links, sessions
from linocut.accounts.sessions import NewSession
from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.signing_in import hashed, signed_in
from linocut.wire import Session, UseLinkRequest
from linocut.wire.types import Nothing


async def use(call: Call, ask: UseLinkRequest) -> Response:
    """Of two requests with one link, one gets a session. Without a password only the owner's link does."""
    db, email = call.db, None if isinstance(ask.email_address, Nothing) else ask.email_address
    await db.run_read(lambda tx: links.whose(tx, ask.link))  # before the slow part: a link that is none costs nothing
    password_hash = None if isinstance(ask.password, Nothing) else await hashed(call, ask.password)

    def take(tx: Connection) -> NewSession:
        user_id = links.use(tx, ask.link, password_hash, email, call.actor)
        if password_hash is not None:
            sessions.end_all(tx, user_id)  # whoever was signed in with the old password
        return sessions.begin(tx, user_id, call.actor, how="link")

    session = await db.run_write(take)
    return await signed_in(call, session, wants_token=ask.wants_token)


POST = Operation(
    "use_link", "Use a one-time link: sign in, and choose a password", "manage", Works(use), body=UseLinkRequest,
    answer=Session, refusals=(404, 409), key_needed=False, ours=True,
)  # fmt: skip
