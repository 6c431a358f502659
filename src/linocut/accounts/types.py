"""What the other rooms know of an account."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Caller:
    """Who asks: datasets and models belong to the user; the key's organisation decides what is shared."""

    user_id: str
    organization_id: str
    api_key_id: str
    """Of the key; of the session where ``is_session``: whoever has signed in on the console."""
    is_session: bool = False
    scopes: tuple[str, ...] | None = None
    """What the key may do (``scopes.py``); None: everything."""
    expires_at: datetime | None = None
    """When the key or the session ends by itself."""


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
    expires_at: datetime | None = None


@dataclass(frozen=True)
class KeyView:
    """A key as a list shows it. It works while ``revoked_at`` and ``disabled_at`` are None and ``expires_at`` is not
    over. ``last_used_at`` is right to the minute."""

    api_key_id: str
    user_id: str
    organization_id: str
    label: str | None
    redacted: str
    created_at: datetime
    revoked_at: datetime | None
    disabled_at: datetime | None = None
    expires_at: datetime | None = None
    scopes: list[str] | None = None
    last_used_at: datetime | None = None
    last_used_from: str | None = None

    def works(self, at: datetime) -> bool:
        """Whether it is good at that moment."""
        ended = self.expires_at is not None and self.expires_at <= at
        return self.revoked_at is None and self.disabled_at is None and not ended
