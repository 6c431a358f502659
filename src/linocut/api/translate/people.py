"""People, keys and members as their room sees them, into the published objects."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from linocut.accounts.keys import Ends
from linocut.accounts.mails import Mail
from linocut.accounts.members import Member, Named, Result
from linocut.accounts.people import Person
from linocut.accounts.types import KeyView
from linocut.ids import now, wire_time
from linocut.wire import (
    ApiProfileApiKey,
    CreateApiKeyRequest,
    InviteExtras,
    KeyExtras,
    LiteOrganizationMember,
    MailExtras,
    OrganizationMember,
    OrganizationMemberOperationResponse,
    OrganizationMemberOperationResult,
)
from linocut.wire.types import UNSET, Nothing

NO_INVITES: Mapping[str, InviteExtras] = MappingProxyType({})


def key(view: KeyView) -> ApiProfileApiKey:
    """A key as a list shows it."""
    return ApiProfileApiKey(
        api_key_id=view.api_key_id,
        redacted_api_key=view.redacted,
        creation_time=wire_time(view.created_at),
        status="ACTIVE" if view.works(now()) else "DISABLED",
        label=view.label,
        x_linocut=KeyExtras(
            expires_time=_time(view.expires_at),
            scopes=view.scopes,  # type: ignore[arg-type]  # checked when it was stored
            last_used_time=_time(view.last_used_at),
            last_used_address=view.last_used_from,
            user_id=view.user_id,
        ),
    )


def ends_of(ask: CreateApiKeyRequest) -> Ends:
    """When a new key ends, and what it may do."""
    limits = ask.x_linocut
    if isinstance(limits, Nothing):
        return Ends()
    seconds, scopes = limits.expires_in_seconds, limits.scopes
    return Ends(
        None if isinstance(seconds, Nothing) else seconds, None if isinstance(scopes, Nothing) else tuple(scopes)
    )


def member(one: Member, mail: Mail | None = None) -> OrganizationMember:
    """A member, or somebody who is invited, with how the invite's mail stands."""
    person = one.person
    return OrganizationMember(
        user_id=person.user_id if person else None,
        display_handle=person.handle if person else None,
        email_address=_email(person) if person else one.email or "",
        role=one.role,
        full_name=person.full_name if person else None,
        invite_status=None if person else "PENDING",
        invite_id=one.invite_id,
        invite_expiry_time=_time(one.invite_expires_at),
        x_linocut=UNSET if mail is None else MailExtras(mail_status=mail.status, mail_error=mail.error),
    )


def named(members: list[LiteOrganizationMember]) -> list[Named]:
    """How a request names people."""
    return [Named(_or_none(one.user_id), _or_none(one.display_handle), _or_none(one.email_address)) for one in members]


def results(
    given: list[Result], invites: Mapping[str, InviteExtras] = NO_INVITES
) -> OrganizationMemberOperationResponse:
    """What became of each. ``invites``: how each invite that was made reaches whoever is invited, by its id."""
    return OrganizationMemberOperationResponse(
        results=[_result(one, invites.get(one.invite_id or "")) for one in given]
    )


def _result(one: Result, invite: InviteExtras | None) -> OrganizationMemberOperationResult:
    if invite is None:
        return OrganizationMemberOperationResult(success=one.success, message=one.message)
    return OrganizationMemberOperationResult(
        success=one.success, message=with_way(one.message, invite), x_linocut=invite
    )


def with_way(sentence: str, invite: InviteExtras) -> str:
    """The sentence on an invite, with what its inviter does next."""
    return f"{sentence[:-1]}; {'pass the link on' if invite.link is not UNSET else 'a mail is on its way'}."


def _email(person: Person) -> str:
    return person.email or ""


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else wire_time(moment)


def _or_none(value: str | Nothing) -> str | None:
    return None if isinstance(value, Nothing) else value
