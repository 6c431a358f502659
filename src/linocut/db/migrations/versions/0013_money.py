"""The ledger, reservations, credit, limits, and requests of the last minute."""

import sqlalchemy as sa
from alembic import op

from linocut.db.moment import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = UtcDateTime()


def upgrade() -> None:
    """Nothing was charged before; jobs that are queued now have no price and stay without one."""
    _ledger()
    _reservations()
    _credit()
    _limits()


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("entry_id", BigId, autoincrement=True, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("hour", BigId, nullable=False),
        _id("organization_id"),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("amount", BigId, nullable=False),
        sa.Column("balance", BigId, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        *(_id(name, nullable=True) for name in ("job_id", "grant_id", "user_id", "api_key_id", "model_id")),
        sa.Column("tool", sa.String(length=16), nullable=True),
        sa.Column("model_version", sa.String(length=16), nullable=True),
        sa.Column("quantity", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unit_price", BigId, server_default="0", nullable=False),
        sa.Column("device_us", BigId, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger")),
        sa.UniqueConstraint("job_id", name=op.f("uq_ledger_job_id")),
    )
    for column in ("entry_id", "hour"):
        op.create_index(op.f(f"ix_ledger_organization_id_{column}"), "ledger", ["organization_id", column])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON ledger "
            "FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ledger_no_{verb.lower()} BEFORE {verb} ON ledger "
            "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        )


def _reservations() -> None:
    op.create_table(
        "reservations",
        *(_id(name) for name in ("job_id", "organization_id", "user_id")),
        *(_id(name, nullable=True) for name in ("api_key_id", "model_id")),
        sa.Column("is_stage", sa.Boolean(), nullable=False),
        sa.Column("amount", BigId, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit_price", BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("tool", sa.String(length=16), nullable=False),
        sa.Column("model_version", sa.String(length=16), nullable=True),
        sa.Column("device_us", BigId, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_reservations")),
    )
    columns = ["organization_id", "is_stage"]
    op.create_index(op.f("ix_reservations_organization_id_is_stage"), "reservations", columns)


def _credit() -> None:
    op.create_table(
        "credit_grants",
        _id("grant_id"),
        _id("organization_id"),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("amount", BigId, nullable=False),
        sa.Column("left", BigId, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_credit_grants")),
    )
    op.create_index(op.f("ix_credit_grants_organization_id"), "credit_grants", ["organization_id"])
    op.create_table(
        "subscriptions",
        _id("organization_id"),
        sa.Column("minimum_balance", BigId, nullable=False),
        sa.Column("top_up_balance", BigId, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_subscriptions")),
    )
    op.create_table(
        "spend_commits",
        _id("commit_id"),
        _id("organization_id"),
        sa.Column("amount", BigId, nullable=False),
        sa.Column("starts_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=False),
        sa.Column("is_postpaid", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("commit_id", name=op.f("pk_spend_commits")),
    )
    op.create_index(op.f("ix_spend_commits_organization_id"), "spend_commits", ["organization_id"])


def _limits() -> None:
    op.create_table(
        "spend_limits",
        _id("subject_id"),
        sa.Column("day", BigId, nullable=True),
        sa.Column("month", BigId, nullable=True),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_spend_limits")),
    )
    op.create_table(
        "key_requests",
        sa.Column("request_id", BigId, autoincrement=True, nullable=False),
        _id("api_key_id"),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_key_requests")),
    )
    op.create_index(op.f("ix_key_requests_api_key_id_at"), "key_requests", ["api_key_id", "at"])


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=22), nullable=nullable)
