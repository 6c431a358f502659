"""Checkpoints of unfinished runs, in the store."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Runs under way copy theirs with the next checkpoint."""
    op.create_table(
        "run_files",
        sa.Column("run_id", sa.String(length=22), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", BigId, nullable=False),
        sa.Column("lease_token", BigId, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["training_runs.run_id"], name=op.f("fk_run_files_run_id_training_runs")),
        sa.PrimaryKeyConstraint("run_id", "path", name=op.f("pk_run_files")),
    )
