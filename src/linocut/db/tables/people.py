"""Who uses the server: users, organisations, keys, sessions, and the audit log."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from linocut.db.tables.common import BigId, Id, Moment, metadata

users = Table(
    "users",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),  # the handle
    Column("created_at", Moment, nullable=False),
    Column("email", String(254)),  # in lower case; null for a user that only keys know
    Column("full_name", String(128)),
    Column("password_hash", String(255)),  # argon2id, as its library writes it; null: no sign-in by password
    Column("deleted_at", Moment),  # refused everywhere from then on
    Column("purge_at", Moment),  # until then it can be undone (leaving/)
    Column("purged_at", Moment),  # all that was theirs is gone; the row stays, without a name, for what refers to it
    Index(None, "email", unique=True),
)

organizations = Table(
    "organizations",
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("copyright_detection_enabled", Boolean, nullable=False, server_default="0"),
    Column("deleted_at", Moment),  # as of a user
    Column("purge_at", Moment),
    Column("purged_at", Moment),
)

members = Table(
    "members",
    metadata,
    Column("organization_id", ForeignKey("organizations.organization_id"), primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), primary_key=True),
    Column("role", String(16), nullable=False),  # OWNER | ADMIN | MEMBER
    Column("created_at", Moment, nullable=False),
    Index(None, "user_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("api_key_id", Id, primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("organization_id", ForeignKey("organizations.organization_id"), nullable=False),
    Column("label", String(64)),
    Column("digest", LargeBinary(32), nullable=False, unique=True),  # keyed BLAKE2b-256 of the key's text
    Column("redacted", String(16), nullable=False),  # lino_, 4 characters and bullets: all that is ever shown again
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),  # for ever; a deleted key is one
    Column("disabled_at", Moment),  # deactivated: it works no longer, and is still listed
    Column("expires_at", Moment),
    Column("scopes", JSON),  # what it may do (accounts/scopes.py); null: everything
    Column("last_used_at", Moment),  # to the minute
    Column("last_used_from", String(64)),
    Index(None, "user_id"),
    Index(None, "organization_id"),
)

sessions = Table(
    "sessions",  # somebody who has signed in on /manage
    metadata,
    Column("session_id", Id, primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),  # as of a key's text
    Column("address", String(64)),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Index(None, "user_id"),
)

one_time_links = Table(
    "one_time_links",  # good once, for an hour; an invite's for longer
    metadata,
    Column("link_id", Id, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("purpose", String(16), nullable=False),  # owner | sign-in | invite
    Column("user_id", Id),  # whom it signs in
    Column("invite_id", Id),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

invites = Table(
    "invites",
    metadata,
    Column("invite_id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.organization_id"), nullable=False),
    Column("email", String(254), nullable=False),
    Column("role", String(16), nullable=False),
    Column("status", String(16), nullable=False),  # PENDING | ACCEPTED | CANCELLED
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index(None, "organization_id", "status"),
    Index(None, "email"),
)

sign_in_failures = Table(
    "sign_in_failures",  # who guesses is stopped, by account and by address
    metadata,
    Column("failure_id", BigId, primary_key=True, autoincrement=True),
    Column("account", String(254), nullable=False),
    Column("address", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "account", "at"),
    Index(None, "address", "at"),
)

secrets = Table(
    "secrets",  # keys of this installation, made once: the digest key, the link-signing key
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary(64), nullable=False),
)

audit_log = Table(
    "audit_log",  # what was done to accounts, by whom (accounts/audit.py); nothing updates or deletes a row
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=False),  # from 1, without a gap
    Column("at", Moment, nullable=False),
    Column("user_id", Id),  # all three null: a verb on the server's machine
    Column("api_key_id", Id),
    Column("address", String(64)),
    Column("action", String(32), nullable=False),
    Column("organization_id", Id),
    Column("object_id", String(255)),
    Column("details", JSON, nullable=False),
    Column("seal", LargeBinary(32), nullable=False),  # keyed, over the seal before it and this row
    Index(None, "organization_id", "number"),
)

audit_head = Table(
    "audit_head",  # one row: how many entries there are, and the last one's seal
    metadata,
    Column("head_id", Integer, primary_key=True, autoincrement=False),
    Column("entries", BigId, nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
)
