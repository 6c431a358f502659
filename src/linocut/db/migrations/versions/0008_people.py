"""People who sign in: addresses, passwords, sessions, one-time links, invites; keys that end or may do less."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from linocut.db.moment import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = UtcDateTime()


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=22), nullable=nullable)


def upgrade() -> None:
    """Users and keys that stand go on as they are: without an address, without an end, with every right."""
    op.add_column("users", sa.Column("email", sa.String(length=254), nullable=True))
    op.add_column("users", sa.Column("full_name", sa.String(length=128), nullable=True))
    op.add_column("users", sa.Column("password_hash", sa.String(length=255), nullable=True))
    op.add_column("users", sa.Column("deleted_at", Moment, nullable=True))
    op.create_index(op.f("ix_users_email"), "users", ["email"], unique=True)
    changes: tuple[sa.Column[Any], ...] = (
        sa.Column("copyright_detection_enabled", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("deleted_at", Moment, nullable=True),
    )
    for column in changes:
        op.add_column("organizations", column)
    for column in (
        sa.Column("disabled_at", Moment, nullable=True),
        sa.Column("expires_at", Moment, nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=True),
        sa.Column("last_used_at", Moment, nullable=True),
        sa.Column("last_used_from", sa.String(length=64), nullable=True),
    ):
        op.add_column("api_keys", column)
    _sessions_and_links()
    _invites_and_failures()


def _sessions_and_links() -> None:
    op.create_table(
        "sessions",
        _id("session_id"),
        _id("user_id"),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_sessions_digest")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"])
    op.create_table(
        "one_time_links",
        _id("link_id"),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        _id("user_id", nullable=True),
        _id("invite_id", nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_one_time_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_one_time_links_digest")),
    )


def _invites_and_failures() -> None:
    op.create_table(
        "invites",
        _id("invite_id"),
        _id("organization_id"),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_invites_organization_id_organizations"),
        ),
        sa.PrimaryKeyConstraint("invite_id", name=op.f("pk_invites")),
    )
    op.create_index(op.f("ix_invites_organization_id_status"), "invites", ["organization_id", "status"])
    op.create_table(
        "sign_in_failures",
        sa.Column("failure_id", BigId, autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=254), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("failure_id", name=op.f("pk_sign_in_failures")),
    )
    op.create_index(op.f("ix_sign_in_failures_account_at"), "sign_in_failures", ["account", "at"])
    op.create_index(op.f("ix_sign_in_failures_address_at"), "sign_in_failures", ["address", "at"])
