"""Ours on the wire: what was done in an organisation, to keys, members, shares and sign-ins."""

from typing import Annotated

import msgspec
from msgspec import Meta

from linocut.wire.people import Handle, OrganizationId
from linocut.wire.types import UNSET, Json, Nothing, Time


class AuditQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Whose log; ``before``: only entries with a smaller number."""

    organization_id: OrganizationId
    before: Annotated[int, Meta(ge=1)] | Nothing = UNSET


class AuditEntry(msgspec.Struct, kw_only=True, frozen=True):
    """One entry. ``user_id`` is null for the operator, who has the server's machine."""

    number: int
    time: Time
    user_id: str | None
    display_handle: Handle | None
    address: Annotated[str, Meta(examples=["192.0.2.7"])] | None
    action: Annotated[str, Meta(examples=["key.created"])]
    object_id: str | None
    details: Json


class AuditResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/organization/audit``: the newest first, at most 100."""

    entries: list[AuditEntry]
