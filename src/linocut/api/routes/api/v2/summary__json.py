"""/api/v2/summary.json: for monitors."""

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.translate import status
from linocut.wire.status import StatusSummary


async def get(call: Call) -> StatusSummary:
    """As it was found a few seconds ago at most."""
    return status.summary(await call.shared.watcher.board(), call.origin)


GET = Operation(
    "get_status_summary", "How the parts of the server are, and what goes on (Statuspage)", "server", Serves(get),
    answer=StatusSummary, key_needed=False, ours=True,
)  # fmt: skip
