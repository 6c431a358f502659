"""The story of a model, one row an event: what ``GET /models/{id}/events`` sends and resumes."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from linocut import ids
from linocut.custom_models.types import EventKind, ModelEvent
from linocut.db.tables import jobs, model_events, training_runs

_AFTER = (
    select(model_events.c.event_id, model_events.c.kind, model_events.c.data, model_events.c.created_at)
    .where(model_events.c.model_id == bindparam("model_id"), model_events.c.event_id > bindparam("after"))
    .order_by(model_events.c.event_id)
    .limit(bindparam("most"))
)

_UNDER_WAY = (
    select(jobs.c.job_id)
    .join(training_runs, training_runs.c.job_id == jobs.c.job_id)
    .where(training_runs.c.model_id == bindparam("model_id"), jobs.c.status.in_(["QUEUED", "RUNNING"]))
    .limit(1)
)


def add_event(tx: Connection, model_id: str, kind: EventKind, data: dict[str, Any]) -> None:
    """Append an event; it becomes visible with the change it tells of, since both are one transaction."""
    tx.execute(insert(model_events).values(model_id=model_id, kind=kind, data=data, created_at=ids.now()))


def events_after(tx: Connection, model_id: str, after_id: int, limit: int = 200) -> list[ModelEvent]:
    """The events of a model with an id above ``after_id`` (0: all of them), oldest first, at most ``limit``.

    The caller has made sure that the model may be seen (``service.get_visible`` and ``is_owned``).
    """
    rows = tx.execute(_AFTER, {"model_id": model_id, "after": after_id, "most": limit})
    return [ModelEvent(row.event_id, row.kind, row.data, row.created_at) for row in rows]


def more_may_come(tx: Connection, model_id: str) -> bool:
    """Whether a run of the model is still under way: the last previews come once the model is COMPLETED."""
    return tx.execute(_UNDER_WAY, {"model_id": model_id}).first() is not None
