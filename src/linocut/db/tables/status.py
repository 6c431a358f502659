"""Incidents: what an administrator tells on the public status page."""

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Text

from linocut.db.tables.common import BigId, Id, Moment, metadata

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", Id, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("status", String(16), nullable=False),  # that of the newest update
    Column("impact", String(16), nullable=False),  # none | minor | major | critical
    Column("components", JSON, nullable=False),  # which parts of the server it is about, by their names
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("resolved_at", Moment),
    Index(None, "resolved_at"),
)

incident_updates = Table(
    "incident_updates",  # what was told of an incident, one after another; never changed
    metadata,
    Column("update_id", BigId, primary_key=True, autoincrement=True),
    Column("incident_id", ForeignKey("incidents.incident_id"), nullable=False),
    Column("status", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "incident_id"),
)
