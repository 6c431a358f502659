"""/manage/api/password: another password, or the first one."""

from sqlalchemy import Connection

from linocut.accounts import people, sessions
from linocut.accounts.audit import Actor
from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.signing_in import hashed, whose_password
from linocut.errors import Conflict, Forbidden, InvalidRequest
from linocut.wire import ChangePasswordRequest
from linocut.wire.types import Nothing

HAS_ONE = "You have a password already; send it as current_password."


async def change(call: Call, ask: ChangePasswordRequest) -> None:
    """Whoever knows the old one may, and whoever has come by the owner's link and has none yet. Every other session of
    the user ends."""
    mine = call.caller.user_id
    current = None if isinstance(ask.current_password, Nothing) else ask.current_password
    email = None if isinstance(ask.email_address, Nothing) else ask.email_address
    if current is None:
        await call.db.run_read(lambda tx: _may_have_a_first_one(tx, mine))
    elif email is not None:
        raise InvalidRequest("email_address goes with a first password only; leave it out.", field="email_address")
    elif await whose_password(call, mine, current, lambda tx: (mine, people.password_hash_of(tx, mine))) is None:
        raise Forbidden("current_password is wrong.")
    new = await hashed(call, ask.new_password)

    def set_it(tx: Connection) -> None:
        if current is None:
            _may_have_a_first_one(tx, mine)
        if email is not None:
            _name(tx, mine, email, call.actor)
        people.set_password_hash(tx, mine, new, by=call.actor)
        sessions.end_all(tx, mine, but=call.caller.api_key_id)

    await call.db.run_write(set_it)


def _may_have_a_first_one(tx: Connection, user_id: str) -> None:
    """Not who has a password, and not who signs in elsewhere: a session alone must not make a second way in."""
    person = people.get(tx, user_id)
    if person.has_password:
        raise InvalidRequest(f"current_password is required. {HAS_ONE}", field="current_password")
    if people.can_return(tx, person):
        raise Forbidden("You sign in elsewhere and have no password here; whoever runs the server can make you a link.")


def _name(tx: Connection, user_id: str, email: str, by: Actor) -> None:
    """The address of somebody who has none yet."""
    if people.get(tx, user_id).email is not None:
        raise Conflict("You have an e-mail address already; leave email_address out.")
    people.set_email(tx, user_id, email, by=by)


POST = Operation(
    "change_password", "Change your password, or set the first one", "manage", Works(change),
    body=ChangePasswordRequest, refusals=(400, 403, 409, 429), ours=True, is_remembered=False,
)  # fmt: skip
