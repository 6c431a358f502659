"""Who owes what: the ledger, what is held for work in progress, credit, limits, and requests of the last minute.

Money is a whole number of millionths of the currency (``ledger/money.py``), device time one of microseconds.
"""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from linocut.db.tables.common import BigId, Id, Moment, metadata

ledger = Table(
    "ledger",  # every movement of money, in order; nothing updates or deletes a row (triggers refuse it)
    metadata,
    Column("entry_id", BigId, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("hour", BigId, nullable=False),  # of ``at``, counted from 1970: what usage is grouped by
    Column("organization_id", Id, nullable=False),
    Column("kind", String(8), nullable=False),  # charge | grant | expiry
    Column("amount", BigId, nullable=False),  # what is added to the balance: a charge's is 0 or less
    Column("balance", BigId, nullable=False),  # the organisation's after this entry
    Column("currency", String(3), nullable=False),
    Column("name", String(64), nullable=False),  # what was charged, or the grant's name
    Column("job_id", Id, unique=True),  # of a charge: the work that it pays for, once
    Column("grant_id", Id),  # of a grant and of its expiry
    Column("user_id", Id),  # who asked for the work; who granted
    Column("api_key_id", Id),  # null: with a session
    Column("model_id", Id),
    Column("tool", String(16)),
    Column("model_version", String(16)),
    Column("quantity", Integer, nullable=False, server_default="0"),
    Column("unit_price", BigId, nullable=False, server_default="0"),  # of a charge: -amount = quantity * unit_price
    Column("device_us", BigId, nullable=False, server_default="0"),
    Index(None, "organization_id", "entry_id"),
    Index(None, "model_id"),
    Index(None, "organization_id", "hour"),
)

spent_by_day = Table(
    "spent_by_day",  # what the ledger's charges of a day (UTC) sum up to, by organisation and by key: limits read these
    metadata,
    Column("subject_id", Id, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),  # counted from 1970
    Column("amount", BigId, nullable=False),
)

reservations = Table(
    "reservations",  # what a job will be charged; it counts as spent while the job is queued or in work
    metadata,
    Column("job_id", Id, primary_key=True),
    Column("organization_id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("api_key_id", Id),
    Column("model_id", Id),
    Column("is_stage", Boolean, nullable=False),  # an earlier job of a request: it holds the request's price and places
    Column("amount", BigId, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("unit_price", BigId, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("name", String(64), nullable=False),
    Column("tool", String(16), nullable=False),
    Column("model_version", String(16)),
    Column("device_us", BigId, nullable=False, server_default="0"),  # used so far
    Index(None, "organization_id", "is_stage"),
)

credit_grants = Table(
    "credit_grants",  # credit that was added; ``left`` follows the ledger
    metadata,
    Column("grant_id", Id, primary_key=True),
    Column("organization_id", Id, nullable=False),
    Column("name", String(64), nullable=False),
    Column("amount", BigId, nullable=False),
    Column("left", BigId, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Index(None, "organization_id"),
)

spend_limits = Table(
    "spend_limits",  # of an organisation or of a key; null: no limit
    metadata,
    Column("subject_id", Id, primary_key=True),
    Column("day", BigId),
    Column("month", BigId),
)

subscriptions = Table(
    "subscriptions",  # when an organisation wants its credit topped up, and to what
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("minimum_balance", BigId, nullable=False),
    Column("top_up_balance", BigId, nullable=False),
    Column("is_active", Boolean, nullable=False),
)

spend_commits = Table(
    "spend_commits",  # what an organisation has promised to spend, as an administrator entered it
    metadata,
    Column("commit_id", Id, primary_key=True),
    Column("organization_id", Id, nullable=False),
    Column("amount", BigId, nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("is_postpaid", Boolean, nullable=False),
    Index(None, "organization_id"),
)

key_requests = Table(
    "key_requests",  # each request of the last minute, where requests a minute are limited
    metadata,
    Column("request_id", BigId, primary_key=True, autoincrement=True),
    Column("api_key_id", Id, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "api_key_id", "at"),
)
