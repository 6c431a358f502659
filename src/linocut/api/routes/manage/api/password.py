"""/manage/api/password: another password."""

from sqlalchemy import Connection

from linocut.accounts import people, sessions
from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.signing_in import fits, hashed
from linocut.errors import Forbidden
from linocut.wire import ChangePasswordRequest


async def change(call: Call, ask: ChangePasswordRequest) -> None:
    """Whoever knows the old one may. Every other session of the user ends."""
    mine, address = call.caller.user_id, call.actor.address or ""
    await call.db.run_read(lambda tx: sessions.check_tries(tx, mine, address))
    stored = await call.db.run_read(lambda tx: people.password_hash_of(tx, mine))
    if not await fits(call, stored, ask.current_password):
        await call.db.run_write(lambda tx: sessions.failed(tx, mine, people.get(tx, mine), call.actor))
        raise Forbidden("current_password is wrong.")
    new = await hashed(call, ask.new_password)

    def set_it(tx: Connection) -> None:
        people.set_password_hash(tx, mine, new, by=call.actor)
        sessions.end_all(tx, mine, but=call.caller.api_key_id)

    await call.db.run_write(set_it)


POST = Operation(
    "change_password", "Change your password", "manage", Works(change), body=ChangePasswordRequest,
    refusals=(403, 429), ours=True, is_remembered=False,
)  # fmt: skip
