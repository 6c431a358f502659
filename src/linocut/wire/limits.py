"""Ours: the messages about what an organisation and its keys may spend."""

from typing import Annotated

import msgspec
from msgspec import Meta

from linocut.wire.money import Price
from linocut.wire.types import UNSET, Nothing

_KeyId = Annotated[str, Meta(max_length=64, examples=["JRPVD7jWR1aTBYiJ0UFVOg"])]


class SpendLimit(msgspec.Struct, kw_only=True, frozen=True):
    """What may be spent in a day and in a calendar month (UTC; null: any amount), and what is spent of it so far, work
    in progress counted in."""

    daily_limit: Price | None
    monthly_limit: Price | None
    spent_today: Price
    spent_this_month: Price


class KeySpendLimit(msgspec.Struct, kw_only=True, frozen=True):
    """The same of one key."""

    api_key_id: _KeyId
    daily_limit: Price | None
    monthly_limit: Price | None
    spent_today: Price
    spent_this_month: Price


class SpendLimitsResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``/manage/api/limits``: the organisation's, and those of its keys that have one and that the caller may see."""

    organization: SpendLimit
    api_keys: list[KeySpendLimit]
    images_in_flight: Annotated[int, Meta(ge=0)]
    """In progress now, of the organisation."""
    max_images_in_flight: Annotated[int, Meta(ge=1)]
    may_change_organization: bool
    """Whether the caller administers the server."""


class PostSpendLimitsRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``POST /manage/api/limits``. ``api_key_id`` absent: the organisation's limit. Both are set at once: one that is
    absent or null is any amount from now on."""

    api_key_id: _KeyId | Nothing = UNSET
    daily_limit: Price | None = None
    monthly_limit: Price | None = None
