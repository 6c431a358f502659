"""Who has drawn with a model is looked up by the model."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index."""
    op.create_index(op.f("ix_ledger_model_id"), "ledger", ["model_id"])
