"""/api/v2/status.json: for monitors."""

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.translate import status
from linocut.wire.status import StatusAnswer


async def get(call: Call) -> StatusAnswer:
    """As it was found a few seconds ago at most."""
    return status.status_answer(await call.shared.watcher.board(), call.origin)


GET = Operation(
    "get_status", "How the server is, in one word (Statuspage)", "server", Serves(get), answer=StatusAnswer,
    key_needed=False, ours=True,
)  # fmt: skip
