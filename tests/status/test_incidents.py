"""Incidents in the database: told of, never untold."""

import pytest

from linocut.accounts.audit import entries
from linocut.db.database import Database
from linocut.errors import Conflict, InvalidRequest, NotFound
from linocut.status import incidents


def test_an_incident_is_opened_told_of_and_resolved(db: Database) -> None:
    with db.transaction() as tx:
        made = incidents.add(tx, " Slow ", "We look.", impact="major", parts=["workers"], status="investigating")
        assert (made.name, made.status, made.resolved_at) == ("Slow", "investigating", None)
        incidents.tell(tx, made.incident_id, "identified", "A disk is full.")
        incidents.tell(tx, made.incident_id, "monitoring", "There is room again.")
        assert [one.incident_id for one in incidents.unresolved(tx)] == [made.incident_id]
        over = incidents.tell(tx, made.incident_id, "resolved", "It is over.")
    assert [one.body for one in over.updates] == ["It is over.", "There is room again.", "A disk is full.", "We look."]
    assert over.resolved_at is not None
    assert over.created_at <= over.updated_at
    with db.read() as tx:
        assert incidents.unresolved(tx) == []
        assert incidents.latest(tx, 5) == [over]
        told = [entry for entry in entries(tx) if entry.object_id == made.incident_id]
    assert [one.details["status"] for one in told[::-1]] == [
        "investigating", "identified", "monitoring", "resolved",
    ]  # fmt: skip
    assert {one.action for one in told} == {"incident.changed"}
    with pytest.raises(Conflict, match="is resolved; open another one"), db.transaction() as tx:
        incidents.tell(tx, made.incident_id, "identified", "again")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": " "}, "name must be text of 1 to 200"),
        ({"name": "a" * 201}, "name must be text of 1 to 200"),
        ({"body": ""}, "body must be text of 1 to 4000"),
        ({"body": "a\x00b"}, "body must be text"),
        ({"impact": "huge"}, "impact must be one of none, minor, major, critical"),
        ({"status": "over"}, "status must be one of investigating"),
        ({"parts": ["engine"]}, "no part 'engine'; the parts are api, workers, database, store, webhooks"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(db: Database, values: dict[str, str], sentence: str) -> None:
    plain = {"name": "Slow", "body": "We look.", "impact": "minor", "parts": [], "status": "investigating"}
    with pytest.raises(InvalidRequest, match=sentence), db.transaction() as tx:
        incidents.add(tx, **{**plain, **values})  # type: ignore[arg-type]
    with db.read() as tx:
        assert incidents.latest(tx, 5) == []


def test_an_incident_that_there_is_not(db: Database) -> None:
    with pytest.raises(NotFound, match="no incident of that id"), db.transaction() as tx:
        incidents.tell(tx, "none", "resolved", "over")
