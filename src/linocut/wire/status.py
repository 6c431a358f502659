"""The status page's JSON, in Statuspage's shapes (https://metastatuspage.com/api/v2): what monitors poll."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.types import Time

_Id = Annotated[str, Meta(examples=["workers"])]
_Page = Annotated[str, Meta(examples=["linocut"])]
_Incident = Annotated[str, Meta(examples=["Vz9dPqv2TkyG1Zc3m0aXbQ"])]
_Text = Annotated[str, Meta(examples=["Images take long."])]
Indicator = Literal["none", "minor", "major", "critical"]
ComponentStatus = Literal["operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"]
IncidentState = Literal["investigating", "identified", "monitoring", "resolved"]


class PageFacts(msgspec.Struct, kw_only=True, frozen=True):
    """Whose status it is."""

    id: Annotated[str, Meta(examples=["linocut"])]
    name: Annotated[str, Meta(examples=["linocut"])]
    url: Annotated[str, Meta(extra_json_schema={"format": "uri"}, examples=["http://127.0.0.1:8731/status"])]
    time_zone: Annotated[str, Meta(examples=["Etc/UTC"])]
    updated_at: Time


class OverallStatus(msgspec.Struct, kw_only=True, frozen=True):
    """The worst of all components and open incidents."""

    indicator: Indicator
    description: Annotated[str, Meta(examples=["All Systems Operational"])]


class StatusComponent(msgspec.Struct, kw_only=True, frozen=True):
    """A part of the server. ``description`` says what it does, and why it is not well; ``updated_at``: since when it is
    as it is."""

    id: _Id
    name: Annotated[str, Meta(examples=["Workers"])]
    status: ComponentStatus
    created_at: Time
    updated_at: Time
    position: int
    description: Annotated[str, Meta(examples=["Draw images and train models."])] | None
    showcase: bool
    start_date: Annotated[str, Meta(examples=["2000-01-23"])] | None
    group_id: _Id | None
    page_id: _Page
    group: bool
    only_show_if_degraded: bool


class AffectedComponent(msgspec.Struct, kw_only=True, frozen=True):
    """A component that an update was about."""

    code: _Id
    name: Annotated[str, Meta(examples=["Workers"])]
    old_status: ComponentStatus
    new_status: ComponentStatus


class StatusIncidentUpdate(msgspec.Struct, kw_only=True, frozen=True):
    """What was told of an incident."""

    id: Annotated[str, Meta(examples=["17"])]
    status: IncidentState
    body: _Text
    incident_id: _Incident
    created_at: Time
    updated_at: Time
    display_at: Time
    affected_components: list[AffectedComponent]
    deliver_notifications: bool


class StatusIncident(msgspec.Struct, kw_only=True, frozen=True):
    """An incident that goes on, with its updates, the newest first."""

    id: _Incident
    name: _Text
    status: IncidentState
    created_at: Time
    updated_at: Time
    monitoring_at: Time | None
    resolved_at: Time | None
    impact: Indicator
    shortlink: Annotated[str, Meta(extra_json_schema={"format": "uri"}, examples=["http://127.0.0.1:8731/status"])]
    started_at: Time
    page_id: _Page
    incident_updates: list[StatusIncidentUpdate]
    components: list[StatusComponent]


class ScheduledMaintenance(msgspec.Struct, kw_only=True, frozen=True):
    """There is none here: the list is always empty."""

    id: _Incident
    name: _Text


class StatusAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /api/v2/status.json``."""

    page: PageFacts
    status: OverallStatus


class StatusSummary(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /api/v2/summary.json``: components, and the incidents that go on."""

    page: PageFacts
    components: list[StatusComponent]
    incidents: list[StatusIncident]
    scheduled_maintenances: list[ScheduledMaintenance]
    status: OverallStatus
