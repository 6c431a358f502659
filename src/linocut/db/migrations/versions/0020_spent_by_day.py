"""What an organisation and each of its keys was charged on each day, beside the ledger: spend limits read these."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

FILL = """
INSERT INTO spent_by_day (subject_id, day, amount)
SELECT {subject}, hour / 24, SUM(-amount) FROM ledger
WHERE kind = 'charge' AND amount <> 0 AND {subject} IS NOT NULL GROUP BY {subject}, hour / 24
"""


def upgrade() -> None:
    """A table, filled from the ledger: what was charged today and this month counts on."""
    op.create_table(
        "spent_by_day",
        sa.Column("subject_id", sa.String(length=22), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("amount", BigId, nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "day", name=op.f("pk_spent_by_day")),
    )
    for subject in ("organization_id", "api_key_id"):
        op.execute(FILL.format(subject=subject))
