"""Signing in elsewhere, mails, and people who leave."""

import sqlalchemy as sa
from alembic import op

from linocut.db.moment import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Moment = UtcDateTime()


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=22), nullable=nullable)


def upgrade() -> None:
    """Nobody has signed in elsewhere yet, no mail was sent, nobody is leaving."""
    for table in ("users", "organizations"):
        op.add_column(table, sa.Column("purge_at", Moment, nullable=True))
        op.add_column(table, sa.Column("purged_at", Moment, nullable=True))
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        _id("user_id"),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_identities_user_id_users")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identities")),
    )
    op.create_index(op.f("ix_identities_user_id"), "identities", ["user_id"])
    op.create_table(
        "sign_in_attempts",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_attempts")),
    )
    op.create_index(op.f("ix_sign_in_attempts_address_created_at"), "sign_in_attempts", ["address", "created_at"])
    _mails()


def _mails() -> None:
    op.create_table(
        "mails",
        _id("mail_id"),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("origin", sa.String(length=2048), nullable=False),
        _id("organization_id", nullable=True),
        _id("invite_id", nullable=True),
        _id("user_id", nullable=True),
        sa.Column("asked_from", sa.String(length=64), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_mails")),
    )
    op.create_index(op.f("ix_mails_ended_at_next_at"), "mails", ["ended_at", "next_at"])
    op.create_index(op.f("ix_mails_invite_id"), "mails", ["invite_id"])
