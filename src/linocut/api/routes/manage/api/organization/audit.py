"""/manage/api/organization/audit: what was done to keys, members, shares and sign-ins of an organisation."""

from sqlalchemy import Connection

from linocut.accounts import audit, members, people
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.ids import wire_time
from linocut.wire.audit import AuditEntry, AuditQuery, AuditResponse
from linocut.wire.types import Nothing

MOST_ENTRIES = 100


def get(call: Call, tx: Connection) -> AuditResponse:
    """For admins."""
    query = call.query(AuditQuery)
    members.require(tx, query.organization_id, call.caller.user_id, "ADMIN")
    found = audit.entries(
        tx,
        organization_id=query.organization_id,
        before=None if isinstance(query.before, Nothing) else query.before,
        most=MOST_ENTRIES,
    )
    names = people.handles_of(tx, {one.actor.user_id for one in found if one.actor.user_id is not None})
    return AuditResponse(entries=[_entry(one, names) for one in found])


def _entry(one: audit.Entry, names: dict[str, str]) -> AuditEntry:
    return AuditEntry(
        number=one.number,
        time=wire_time(one.at),
        user_id=one.actor.user_id,
        display_handle=names.get(one.actor.user_id or ""),
        address=one.actor.address,
        action=one.action,
        object_id=one.object_id,
        details=one.details,
    )


GET = Operation(
    "get_organization_audit", "What was done to an organisation's keys, members and shares", "manage", Reads(get),
    query=AuditQuery, answer=AuditResponse, refusals=(403, 404), ours=True,
)  # fmt: skip
