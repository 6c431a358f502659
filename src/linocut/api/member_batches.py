"""What the routes share that change many members of an organisation at once: a result each, and one that fails stops
no other. Only owners make and unmake owners; the last one stays (``accounts/members.py``)."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from linocut.accounts import members
from linocut.accounts.audit import Actor
from linocut.accounts.members import Named, Result
from linocut.accounts.organizations import Role
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.organization import Place, place
from linocut.api.translate import people
from linocut.wire import OrganizationMemberOperationResponse
from linocut.wire.people import OrganizationQuery

Act = Callable[[Connection, Place, Sequence[Named], Actor], list[Result]]


def batch(name: str, summary: str, body: type[msgspec.Struct], act: Act) -> Operation:
    """The operation of one of them; ``body`` has the ``members``."""

    def write(call: Call, ask: Any, tx: Connection) -> OrganizationMemberOperationResponse:
        where = place(call, tx, "ADMIN")
        return people.results(act(tx, where, people.named(ask.members), call.actor))

    return Operation(
        name, summary, "manage", Writes(write), body=body, query=OrganizationQuery,
        answer=OrganizationMemberOperationResponse, refusals=(403, 404),
    )  # fmt: skip


def to_role(new: Role) -> Act:
    """They get this role."""
    return lambda tx, where, named, by: members.set_role(tx, where.organization_id, named, new, by, where.role)
