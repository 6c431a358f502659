"""What the report of a dataset stands on: measures of each picture, and the caption files that could not be read."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Pictures stored before have no measures: the first report takes them."""
    op.add_column("assets", sa.Column("measures", sa.JSON(), nullable=True))
    op.create_table(
        "unreadable_captions",
        sa.Column("dataset_id", sa.String(length=22), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("stem", sa.String(length=255), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.dataset_id"], name=op.f("fk_unreadable_captions_dataset_id_datasets")
        ),
        sa.PrimaryKeyConstraint("dataset_id", "file_name", name=op.f("pk_unreadable_captions")),
    )
