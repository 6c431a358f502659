"""/manage/api/sign_out: the session ends."""

from sqlalchemy import Connection

from linocut.accounts import sessions
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes


def sign_out(call: Call, _ask: None, tx: Connection) -> None:
    """At once, in every process."""
    sessions.end(tx, call.caller.api_key_id, call.actor)


POST = Operation("sign_out", "End your session", "manage", Writes(sign_out), ours=True, is_remembered=False)
