"""What the other rooms know of an account."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Caller:
    """Who asks: datasets and models belong to the user; the key's organisation decides what is shared."""

    user_id: str
    organization_id: str
    api_key_id: str


@dataclass(frozen=True)
class NewKey:
    """A key just made. ``api_key`` is its text, to be shown now and never again; it stays out of logs and reprs."""

    api_key: str = field(repr=False)
    api_key_id: str
    user_id: str
    organization_id: str
    label: str | None
    redacted: str
    created_at: datetime


@dataclass(frozen=True)
class KeyView:
    """A key as a list shows it. ``revoked_at`` None: it works."""

    api_key_id: str
    user_id: str
    organization_id: str
    label: str | None
    redacted: str
    created_at: datetime
    revoked_at: datetime | None
