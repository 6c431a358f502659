"""/manage/api/session: who has signed in."""

from sqlalchemy import Connection

from linocut.accounts import people
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.ids import now, wire_time
from linocut.wire import Session


def get(call: Call, tx: Connection) -> Session:
    """The user of this session, and when it ends by itself."""
    person = people.get(tx, call.caller.user_id)
    return Session(
        user_id=person.user_id,
        display_handle=person.handle,
        email_address=person.email,
        expires_time=wire_time(call.caller.expires_at or now()),
    )


GET = Operation("get_session", "Who has signed in", "manage", Reads(get), answer=Session, ours=True)
