"""/bases: which bases are served and by which workers, under which licence, and what each can do."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.translate.bases import bases_of
from linocut.jobs import roster
from linocut.wire import ListBasesResponse


def list_all(call: Call, tx: Connection) -> ListBasesResponse:
    """The bases that are served first, then those that are known by name."""
    return bases_of(call.shared.runtime, roster.everybody(tx))


GET = Operation(
    "list_bases", "List the bases: which are served and by whom, their licences, what each can do", "server",
    Reads(list_all, is_long=True), answer=ListBasesResponse, ours=True,
)  # fmt: skip
