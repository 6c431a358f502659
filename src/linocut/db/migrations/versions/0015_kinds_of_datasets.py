"""What a run's dataset is of, and what is to be said of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody was asked before."""
    op.add_column("training_runs", sa.Column("dataset_kind", sa.String(length=16), nullable=True))
    op.add_column("training_runs", sa.Column("notes", sa.JSON(), nullable=True))
