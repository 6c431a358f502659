"""Generations that nobody waits for, their webhooks, and the keys that sign them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing of before is touched."""
    op.create_table(
        "generations",
        sa.Column("generation_id", sa.String(length=22), nullable=False),
        sa.Column("job_id", sa.String(length=22), nullable=False),
        sa.Column("user_id", sa.String(length=22), nullable=False),
        sa.Column("organization_id", sa.String(length=22), nullable=False),
        sa.Column("begun", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=False),
        sa.Column("webhook_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("webhook_next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("webhook_ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("webhook_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("generation_id", name=op.f("pk_generations")),
    )
    op.create_index(op.f("ix_generations_job_id"), "generations", ["job_id"])
    ended, due = "webhook_ended_at", "webhook_next_at"
    op.create_index(op.f(f"ix_generations_{ended}_{due}"), "generations", [ended, due])
    op.create_table(
        "webhook_keys",
        sa.Column("key_id", sa.String(length=22), nullable=False),
        sa.Column("seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_webhook_keys")),
    )
