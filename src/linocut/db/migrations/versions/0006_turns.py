"""Whose turn it is among organisations, in a table: leasing costs the same however many jobs wait."""

import sqlalchemy as sa
from alembic import op

from linocut.db.moment import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Moment = UtcDateTime()

FILL = """
INSERT INTO turns (organization_id, waiting, since, last_served)
SELECT organization_id, MAX(CASE WHEN status = 'QUEUED' THEN 1 ELSE 0 END) = 1, MIN(created_at),
       COALESCE(MAX(started_at), '1970-01-01 00:00:00.000000')
FROM jobs WHERE kind <> 'train' GROUP BY organization_id
"""


def upgrade() -> None:
    """Filled from the jobs that stand, so that what waits keeps its place."""
    op.create_table(
        "turns",
        sa.Column("organization_id", sa.String(length=22), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("last_served", Moment, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_turns")),
    )
    op.create_index(op.f("ix_turns_waiting_last_served_since"), "turns", ["waiting", "last_served", "since"])
    op.drop_index(op.f("ix_jobs_organization_id_kind_started_at"), "jobs")
    op.drop_index(op.f("ix_jobs_organization_id_status"), "jobs")
    columns = ["organization_id", "status", "created_at", "job_id"]
    op.create_index(op.f("ix_jobs_organization_id_status_created_at_job_id"), "jobs", columns)
    op.execute(FILL)
