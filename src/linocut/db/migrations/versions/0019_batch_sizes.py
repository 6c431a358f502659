"""How many pictures a step of a run learns from."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Null of the runs that there are: their base's own, as it was then."""
    op.add_column("training_runs", sa.Column("batch_size", sa.Integer(), nullable=True))
