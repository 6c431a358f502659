"""What images were asked for with, so that they can be listed, searched and drawn again."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from linocut.db.moment import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Moment = UtcDateTime()
COLUMNS: dict[str, Any] = {
    "organization_id": sa.String(length=22),
    "user_id": sa.String(length=22),
    "operation": sa.String(length=32),
    "custom_model_uri": sa.String(length=128),
    "base": sa.String(length=64),
    "search": sa.Text(),
    "seed": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    "width": sa.Integer(),
    "height": sa.Integer(),
    "details": sa.JSON(),
}
INDEXES = (
    ["image_sha256"],
    ["created_at"],
    ["organization_id", "created_at", "image_id"],
    ["organization_id", "user_id", "created_at", "image_id"],
)

FILL = """
UPDATE images SET
  organization_id = (SELECT organization_id FROM jobs WHERE jobs.job_id = images.job_id),
  user_id = (SELECT user_id FROM jobs WHERE jobs.job_id = images.job_id),
  search = ''
WHERE job_id IN (SELECT job_id FROM jobs WHERE kind <> 'train')
"""


def upgrade() -> None:
    """Images that are there keep whose they are; what they were asked for with is not known any more."""
    for name, kind in COLUMNS.items():
        op.add_column("images", sa.Column(name, kind))
    for columns in INDEXES:
        op.create_index(op.f("_".join(["ix_images", *columns])), "images", columns)
    op.create_table(
        "drawings",
        sa.Column("job_id", sa.String(length=22), nullable=False),
        sa.Column("path", sa.String(length=128), nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("custom_model_uri", sa.String(length=128)),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_drawings")),
    )
    op.create_index(op.f("ix_drawings_created_at"), "drawings", ["created_at"])
    op.create_table(
        "drawing_inputs",
        sa.Column("job_id", sa.String(length=22), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("picture_sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["drawings.job_id"], name=op.f("fk_drawing_inputs_job_id_drawings")),
        sa.PrimaryKeyConstraint("job_id", "field", "position", name=op.f("pk_drawing_inputs")),
    )
    op.create_index(op.f("ix_drawing_inputs_picture_sha256"), "drawing_inputs", ["picture_sha256"])
    op.execute(FILL)
