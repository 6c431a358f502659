"""Memberships and keys are looked up by user, keys by organisation, invites by address, beside any number of others."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four indexes."""
    op.create_index(op.f("ix_members_user_id"), "members", ["user_id"])
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"])
    op.create_index(op.f("ix_api_keys_organization_id"), "api_keys", ["organization_id"])
    op.create_index(op.f("ix_invites_email"), "invites", ["email"])
