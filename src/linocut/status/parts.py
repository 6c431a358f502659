"""The parts of a server, what may be said of each, and what that makes of the whole. Pure.

Words and their order are Statuspage's, so that its monitors read them: https://metastatuspage.com/api/v2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Part = Literal["api", "workers", "database", "store", "webhooks"]
PartStatus = Literal["operational", "degraded_performance", "partial_outage", "major_outage"]
Impact = Literal["none", "minor", "major", "critical"]
IncidentStatus = Literal["investigating", "identified", "monitoring", "resolved"]

PARTS: dict[Part, tuple[str, str]] = {
    "api": ("API", "Answers requests."),
    "workers": ("Workers", "Draw images and train models."),
    "database": ("Database", "Keeps models, datasets and accounts."),
    "store": ("Object store", "Keeps pictures and weights."),
    "webhooks": ("Webhooks", "Tell what came of asynchronous generations."),
}
"""By id: the name, and what it is for."""
PART_STATUSES: tuple[PartStatus, ...] = ("operational", "degraded_performance", "partial_outage", "major_outage")
IMPACTS: tuple[Impact, ...] = ("none", "minor", "major", "critical")
INCIDENT_STATUSES: tuple[IncidentStatus, ...] = ("investigating", "identified", "monitoring", "resolved")
"""Each from the best to the worst, or in the order of a story."""

SENTENCES: dict[Impact, str] = {
    "none": "All Systems Operational",
    "minor": "Minor Service Outage",
    "major": "Partial System Outage",
    "critical": "Major Service Outage",
}


@dataclass(frozen=True)
class PartIs:
    """A part as it is found. ``why``: a sentence, "" where all is well; ``since``: when it began to be so."""

    part: Part
    status: PartStatus
    why: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Update:
    """What was told of an incident."""

    update_id: str
    status: IncidentStatus
    body: str
    created_at: datetime


@dataclass(frozen=True)
class Incident:
    """An incident with its updates, the newest first. ``parts``: which it is about."""

    incident_id: str
    name: str
    status: IncidentStatus
    impact: Impact
    parts: tuple[Part, ...]
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    updates: tuple[Update, ...]


def with_incidents(found: Sequence[PartIs], incidents: Iterable[Incident]) -> list[PartIs]:
    """The parts as they are told: no better than an open incident about them says."""
    told = {one.part: one for one in found}
    for incident in incidents:
        for part in incident.parts if incident.status != "resolved" else ():
            said = PART_STATUSES[IMPACTS.index(incident.impact)]
            if part in told and _worse(said, told[part].status):
                told[part] = replace(told[part], status=said, why=incident.name, since=incident.created_at)
    return list(told.values())


def overall(parts: Iterable[PartIs], incidents: Iterable[Incident]) -> Impact:
    """The worst of all parts and open incidents."""
    worst = [PART_STATUSES.index(one.status) for one in parts]
    worst += [IMPACTS.index(one.impact) for one in incidents if one.status != "resolved"]
    return IMPACTS[max(worst, default=0)]


def _worse(one: PartStatus, than: PartStatus) -> bool:
    return PART_STATUSES.index(one) > PART_STATUSES.index(than)
