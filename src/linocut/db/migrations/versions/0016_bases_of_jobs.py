"""Jobs name their base, turns are taken base by base, and workers tell of themselves."""

import json

import sqlalchemy as sa
from alembic import op

from linocut.db.moment import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

Moment = UtcDateTime()
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

FILL = """
INSERT INTO turns (organization_id, base, waiting, since, last_served)
SELECT organization_id, base, MAX(CASE WHEN status = 'QUEUED' THEN 1 ELSE 0 END) = 1, MIN(created_at),
       COALESCE(MAX(started_at), '1970-01-01 00:00:00.000000')
FROM jobs WHERE kind <> 'train' GROUP BY organization_id, base
"""


def upgrade() -> None:
    """What waits or runs keeps its place, and is of the base that its order names."""
    op.add_column("jobs", sa.Column("base", sa.String(length=64), nullable=False, server_default=sa.text("''")))
    op.add_column("jobs", sa.Column("adapter", sa.String(length=64), nullable=True))
    _name_bases(op.get_bind())
    op.drop_index(op.f("ix_jobs_status_kind_created_at"), "jobs")
    op.drop_index(op.f("ix_jobs_organization_id_status_created_at_job_id"), "jobs")
    op.create_index(op.f("ix_jobs_status_base_kind_created_at"), "jobs", ["status", "base", "kind", "created_at"])
    columns = ["organization_id", "status", "base", "created_at", "job_id"]
    op.create_index(op.f("ix_jobs_organization_id_status_base_created_at_job_id"), "jobs", columns)
    _turns()
    op.create_table(
        "workers",
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("base", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("device", sa.String(length=128), nullable=False),
        sa.Column("memory_bytes", BigId, nullable=True),
        sa.Column("adapters", sa.JSON(), nullable=False),
        sa.Column("asked_to_drain", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("turned_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_workers")),
    )
    op.create_index(op.f("ix_workers_base_state"), "workers", ["base", "state"])


def _name_bases(connection: sa.Connection) -> None:
    jobs = sa.table("jobs", *(sa.column(name) for name in ("job_id", "status", "order", "base", "adapter")))
    waiting = sa.select(jobs.c.job_id, jobs.c.order).where(jobs.c.status.in_(("QUEUED", "RUNNING")))
    for job_id, order in connection.execute(waiting).all():
        said = json.loads(order)
        named = {"base": said.get("base") or "", "adapter": (said.get("adapter") or {}).get("sha256")}
        connection.execute(sa.update(jobs).where(jobs.c.job_id == job_id).values(**named))


def _turns() -> None:
    op.drop_table("turns")
    op.create_table(
        "turns",
        sa.Column("organization_id", sa.String(length=22), nullable=False),
        sa.Column("base", sa.String(length=64), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("last_served", Moment, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "base", name=op.f("pk_turns")),
    )
    columns = ["base", "waiting", "last_served", "since"]
    op.create_index(op.f("ix_turns_base_waiting_last_served_since"), "turns", columns)
    op.execute(FILL)
