"""The status board into Statuspage's shapes."""

from collections.abc import Mapping

from linocut.api.board import Board
from linocut.ids import wire_time
from linocut.status.parts import PARTS, SENTENCES, Incident, Part, PartIs, overall
from linocut.wire.status import (
    OverallStatus,
    PageFacts,
    StatusAnswer,
    StatusComponent,
    StatusIncident,
    StatusIncidentUpdate,
    StatusSummary,
)

PAGE_ID = "linocut"


def status_answer(board: Board, origin: str) -> StatusAnswer:
    """The whole in one word."""
    return StatusAnswer(page=_page(board, origin), status=_status(board))


def summary(board: Board, origin: str) -> StatusSummary:
    """The parts, and the incidents that go on."""
    parts = {part.part: _component(part, position, board) for position, part in enumerate(board.parts, start=1)}
    return StatusSummary(
        page=_page(board, origin),
        components=list(parts.values()),
        incidents=[_incident(one, parts, origin) for one in board.incidents],
        scheduled_maintenances=[],
        status=_status(board),
    )


def _page(board: Board, origin: str) -> PageFacts:
    url = f"{origin}/status"
    return PageFacts(id=PAGE_ID, name="linocut", url=url, time_zone="Etc/UTC", updated_at=wire_time(board.at))


def _status(board: Board) -> OverallStatus:
    worst = overall(board.parts, board.incidents)
    return OverallStatus(indicator=worst, description=SENTENCES[worst])


def _component(part: PartIs, position: int, board: Board) -> StatusComponent:
    name, does = PARTS[part.part]
    return StatusComponent(
        id=part.part,
        name=name,
        status=part.status,
        created_at=wire_time(board.began),
        updated_at=wire_time(part.since or board.began),
        position=position,
        description=f"{does} {part.why}".strip(),
        showcase=True,
        start_date=None,
        group_id=None,
        page_id=PAGE_ID,
        group=False,
        only_show_if_degraded=False,
    )


def _incident(one: Incident, parts: Mapping[Part, StatusComponent], origin: str) -> StatusIncident:
    watched = [update.created_at for update in one.updates if update.status == "monitoring"]
    return StatusIncident(
        id=one.incident_id,
        name=one.name,
        status=one.status,
        created_at=wire_time(one.created_at),
        updated_at=wire_time(one.updated_at),
        monitoring_at=wire_time(watched[-1]) if watched else None,
        resolved_at=None if one.resolved_at is None else wire_time(one.resolved_at),
        impact=one.impact,
        shortlink=f"{origin}/status",
        started_at=wire_time(one.created_at),
        page_id=PAGE_ID,
        incident_updates=[
            StatusIncidentUpdate(
                id=update.update_id,
                status=update.status,
                body=update.body,
                incident_id=one.incident_id,
                created_at=wire_time(update.created_at),
                updated_at=wire_time(update.created_at),
                display_at=wire_time(update.created_at),
                affected_components=[],
                deliver_notifications=False,
            )
            for update in one.updates
        ],
        components=[parts[part] for part in one.parts if part in parts],
    )
