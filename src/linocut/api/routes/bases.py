"""/bases: which base is served, under which licence, and what it can do."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.translate.bases import bases_of
from linocut.wire import ListBasesResponse


def list_all(call: Call, _tx: Connection) -> ListBasesResponse:
    """The base that is served first, then those that are known by name."""
    return bases_of(call.runtime)


GET = Operation(
    "list_bases", "List the bases: which is served, its licence, what it can do", "server",
    Reads(list_all, is_long=True), answer=ListBasesResponse, ours=True,
)  # fmt: skip
