"""Checkpoints that are kept after their run."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Runs that have ended left none."""
    op.add_column("models", sa.Column("promoted_from", sa.String(length=22), nullable=True))
    op.add_column("models", sa.Column("promoted_step", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_models_promoted_from"), "models", ["promoted_from"])
    op.add_column("training_runs", sa.Column("kept_steps", sa.JSON(), nullable=True))
    op.create_table(
        "checkpoints",
        sa.Column("run_id", sa.String(length=22), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("adapter_sha256", sa.String(length=64), nullable=False),
        sa.Column("adapter_bytes", BigId, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["training_runs.run_id"], name=op.f("fk_checkpoints_run_id_training_runs")),
        sa.PrimaryKeyConstraint("run_id", "step", name=op.f("pk_checkpoints")),
    )
