"""Incidents: opened, told of, resolved. What was told once stays."""

from collections.abc import Sequence
from typing import get_args

from sqlalchemy import Connection, Row, func, insert, select, update

from linocut.accounts.audit import OPERATOR, Actor, record
from linocut.db.tables import incident_updates, incidents
from linocut.errors import Conflict, InvalidRequest, NotFound
from linocut.ids import new_id, now
from linocut.status.parts import IMPACTS, INCIDENT_STATUSES, Impact, Incident, IncidentStatus, Part, Update

LONGEST_NAME, LONGEST_BODY = 200, 4000


def add(
    tx: Connection,
    name: str,
    body: str,
    *,
    impact: Impact,
    parts: Sequence[Part],
    status: IncidentStatus,
    by: Actor = OPERATOR,
) -> Incident:
    """A new incident. ``InvalidRequest`` for a text that is empty or too long, and for words that are none."""
    _check(name, "name", LONGEST_NAME)
    unknown = [one for one in parts if one not in get_args(Part)]
    if unknown:
        raise InvalidRequest(f"There is no part {unknown[0]!r}; the parts are {', '.join(get_args(Part))}.")
    if impact not in IMPACTS:
        raise InvalidRequest(f"impact must be one of {', '.join(IMPACTS)}.", field="impact")
    incident_id, at = new_id(), now()
    values = {"incident_id": incident_id, "name": name.strip(), "impact": impact, "components": list(parts)}
    tx.execute(insert(incidents).values(**values, status=status, created_at=at, updated_at=at))
    return tell(tx, incident_id, status, body, by)


def tell(tx: Connection, incident_id: str, status: IncidentStatus, body: str, by: Actor = OPERATOR) -> Incident:
    """One update more. ``NotFound``; ``Conflict`` for one that is resolved: a new one is opened for what comes back."""
    _check(body, "body", LONGEST_BODY)
    if status not in INCIDENT_STATUSES:
        raise InvalidRequest(f"status must be one of {', '.join(INCIDENT_STATUSES)}.", field="status")
    there = one(tx, incident_id)
    if there.status == "resolved" and there.updates:
        raise Conflict("This incident is resolved; open another one for what has come back.")
    at = max(now(), there.updated_at)
    row = {"incident_id": incident_id, "status": status, "body": body.strip(), "created_at": at}
    tx.execute(insert(incident_updates).values(**row))
    ended = {"resolved_at": at} if status == "resolved" else {}
    changed = update(incidents).where(incidents.c.incident_id == incident_id)
    tx.execute(changed.values(status=status, updated_at=at, **ended))
    record(tx, by, "incident.changed", incident_id, name=there.name, impact=there.impact, status=status)
    return one(tx, incident_id)


def one(tx: Connection, incident_id: str) -> Incident:
    """An incident. ``NotFound``."""
    row = tx.execute(select(incidents).where(incidents.c.incident_id == incident_id)).first()
    if row is None:
        raise NotFound("There is no incident of that id; `linocut incidents list` shows them.")
    return _incident(tx, row)


def unresolved(tx: Connection) -> list[Incident]:
    """Those that go on, the newest first."""
    return _some(tx, most=100, only_open=True)


def latest(tx: Connection, most: int) -> list[Incident]:
    """The newest of all."""
    return _some(tx, most=most, only_open=False)


def _some(tx: Connection, *, most: int, only_open: bool) -> list[Incident]:
    query = select(incidents).order_by(incidents.c.created_at.desc(), incidents.c.incident_id).limit(most)
    if only_open:
        query = query.where(incidents.c.resolved_at.is_(None))
    return [_incident(tx, row) for row in tx.execute(query).all()]


def _incident(tx: Connection, row: Row[tuple[object, ...]]) -> Incident:
    mine = incident_updates.c.incident_id == row.incident_id
    told = tx.execute(select(incident_updates).where(mine).order_by(incident_updates.c.update_id.desc())).all()
    return Incident(
        incident_id=row.incident_id,
        name=row.name,
        status=row.status,
        impact=row.impact,
        parts=tuple(row.components),
        created_at=row.created_at,
        updated_at=row.updated_at,
        resolved_at=row.resolved_at,
        updates=tuple(Update(str(each.update_id), each.status, each.body, each.created_at) for each in told),
    )


def count(tx: Connection) -> int:
    """How many there are."""
    return int(tx.execute(select(func.count()).select_from(incidents)).scalar_one())


def _check(text: str, field: str, longest: int) -> None:
    if not 1 <= len(text.strip()) <= longest or "\x00" in text:
        raise InvalidRequest(f"{field} must be text of 1 to {longest} characters.", field=field)
