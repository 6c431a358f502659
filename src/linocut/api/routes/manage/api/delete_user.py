"""/manage/api/delete_user: somebody removes themselves, after a while to think."""

from sqlalchemy import Connection

from linocut.accounts import people
from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.signing_in import whose_password
from linocut.errors import Forbidden, InvalidRequest
from linocut.ids import wire_time
from linocut.leaving import departures
from linocut.wire import DeleteUserRequest, LeavingUser
from linocut.wire.types import Nothing


async def delete(call: Call, ask: DeleteUserRequest) -> LeavingUser:
    """Whoever knows the password, where there is one, and writes their handle. Keys and sessions end at once."""
    mine = call.caller.user_id
    person = await call.db.run_read(lambda tx: people.get(tx, mine))
    if ask.display_handle != person.handle:
        raise InvalidRequest("display_handle: write your own, so that nobody is removed by mistake.",
                             field="display_handle")  # fmt: skip
    if person.has_password:
        password = "" if isinstance(ask.current_password, Nothing) else ask.current_password
        if await whose_password(call, mine, password, lambda tx: (mine, people.password_hash_of(tx, mine))) is None:
            raise Forbidden("current_password is wrong.")
    elif not isinstance(ask.current_password, Nothing):
        raise Forbidden("You have no password yet; leave current_password out.")

    def remove(tx: Connection) -> departures.Leaving:
        return departures.remove_user(tx, mine, call.runtime.settings.deletion_days, call.actor)

    left = await call.db.run_write(remove)
    return LeavingUser(display_handle=left.name, purge_time=wire_time(left.purge_at))


POST = Operation(
    "delete_user", "Remove yourself; you can come back for a while", "manage", Works(delete), body=DeleteUserRequest,
    answer=LeavingUser, refusals=(403, 409, 429), ours=True, is_remembered=False,
)  # fmt: skip
