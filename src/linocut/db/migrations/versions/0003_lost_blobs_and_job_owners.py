"""Why a model cannot draw although it is COMPLETED; and whose a job is, for the log."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Models are available until their weights are found missing; jobs of before stay without these ids."""
    op.add_column("models", sa.Column("unavailable_reason", sa.Text(), nullable=True))
    for name in ("user_id", "api_key_id", "model_id"):
        op.add_column("jobs", sa.Column(name, sa.String(length=22), nullable=True))
