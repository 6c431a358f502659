"""What the parts and the incidents make of the whole."""

from datetime import UTC, datetime
from typing import Any

import pytest

from linocut.status.parts import IMPACTS, PART_STATUSES, PARTS, SENTENCES, Incident, PartIs, overall, with_incidents

AT = datetime(2026, 11, 28, tzinfo=UTC)
WELL = [PartIs(part, "operational") for part in PARTS]


def incident(**values: Any) -> Incident:
    plain = {"incident_id": "i", "name": "Slow images", "status": "identified", "impact": "minor",
             "parts": ("workers",), "created_at": AT, "updated_at": AT, "resolved_at": None, "updates": ()}  # fmt: skip
    return Incident(**{**plain, **values})


@pytest.mark.parametrize(("status", "impact"), list(zip(PART_STATUSES, IMPACTS, strict=True)))
def test_the_worst_part_is_the_whole(status: Any, impact: str) -> None:
    parts = [*WELL[:-1], PartIs("webhooks", status)]
    assert overall(parts, []) == impact
    assert overall(reversed(parts), []) == impact


def test_the_sentences_are_those_that_monitors_know() -> None:
    assert list(SENTENCES.values()) == [
        "All Systems Operational", "Minor Service Outage", "Partial System Outage", "Major Service Outage"
    ]  # fmt: skip


@pytest.mark.parametrize(("impact", "status"), list(zip(IMPACTS, PART_STATUSES, strict=True)))
def test_an_open_incident_makes_its_parts_no_better_than_it_says(impact: Any, status: str) -> None:
    told = {one.part: one for one in with_incidents(WELL, [incident(impact=impact)])}
    assert told["workers"].status == status
    assert all(one.status == "operational" for part, one in told.items() if part != "workers")
    assert overall(told.values(), [incident(impact=impact)]) == impact


def test_a_probe_that_finds_worse_is_believed_and_a_resolved_incident_is_not() -> None:
    down = [PartIs("workers", "major_outage", "No worker runs.")]
    assert with_incidents(down, [incident()]) == down
    assert with_incidents(WELL, [incident(status="resolved", impact="critical")]) == WELL
    assert overall(WELL, [incident(status="resolved", impact="critical")]) == "none"
    assert overall(WELL, [incident(parts=(), impact="major")]) == "major"
