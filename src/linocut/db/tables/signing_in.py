"""Signing in elsewhere (OpenID Connect), and the mails that carry links."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from linocut.db.tables.common import Id, Moment, metadata

identities = Table(
    "identities",  # who a user is elsewhere: an issuer's own name of them, which never changes
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "user_id"),
)

sign_in_attempts = Table(
    "sign_in_attempts",  # somebody was sent to the issuer: good once, for ten minutes
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # keyed, of the state and of what the browser keeps
    Column("address", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index(None, "address", "created_at"),
)

mails = Table(
    "mails",  # a queue (accounts/mails.py). The link in a mail is made when it is sent, so none is kept here
    metadata,
    Column("mail_id", Id, primary_key=True),
    Column("purpose", String(16), nullable=False),  # invite | sign-in
    Column("address", String(254), nullable=False),  # whom it goes to
    Column("origin", String(2048), nullable=False),  # of the link in it
    Column("organization_id", Id),  # of an invite
    Column("invite_id", Id),
    Column("user_id", Id),  # whom a sign-in link lets in
    Column("asked_from", String(64)),  # the address of whoever asked for a password link without signing in
    Column("created_at", Moment, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),  # those that have failed or succeeded
    Column("next_at", Moment, nullable=False),  # while a try is under way: when it counts as lost
    Column("ended_at", Moment),  # sent, or given up
    Column("error", Text),  # why the last try failed; null once it is sent
    Index(None, "ended_at", "next_at"),
    Index(None, "invite_id"),
)
