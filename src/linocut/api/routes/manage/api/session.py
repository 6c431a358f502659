"""/manage/api/session: who has signed in."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.signing_in import session_answer
from linocut.ids import now
from linocut.wire import Session


def get(call: Call, tx: Connection) -> Session:
    """The user of this session, and when it ends by itself."""
    return session_answer(tx, call.caller.user_id, call.caller.expires_at or now())


GET = Operation("get_session", "Who has signed in", "manage", Reads(get), answer=Session, ours=True)
