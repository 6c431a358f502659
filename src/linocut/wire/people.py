"""The console's messages about people: profiles, keys, members, invites, signing in.

``/manage/api`` is published with names of its vendor's own; what is ours stands under addresses of ours or inside
``x_linocut``.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.types import UNSET, Nothing, Time

ApiProfileRole = Literal["OWNER", "ADMIN", "MEMBER"]
ApiProfileType = Literal["INDIVIDUAL", "ENTERPRISE", "TEAM_API"]
ApiKeyStatus = Literal["ACTIVE", "DISABLED"]
MailStatus = Literal["QUEUED", "SENT", "FAILED"]
KeyScope = Literal["read", "generate", "datasets", "train", "models"]

OrganizationId = Annotated[str, Meta(examples=["Vz9dPqv2TkyG1Zc3m0aXbQ"])]
Handle = Annotated[str, Meta(examples=["ada"])]
KeyLabel = Annotated[str, Meta(max_length=64, examples=["website"])]
Email = Annotated[str, Meta(examples=["ada@example.org"])]
Password = Annotated[str, Meta(max_length=1024, examples=["correct horse battery"])]
_KeyText = Annotated[str, Meta(examples=["lino_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE"])]
_Redacted = Annotated[str, Meta(examples=["lino_AbCd•••"])]


class KeyExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a key: when it ends by itself, what it may do (null: everything), and its last use, to the minute."""

    expires_time: Time | None
    scopes: list[KeyScope] | None
    last_used_time: Time | None
    last_used_address: Annotated[str, Meta(examples=["192.0.2.7"])] | None
    user_id: str


class ApiProfileApiKey(msgspec.Struct, kw_only=True, frozen=True):
    """A key as a list shows it."""

    api_key_id: str
    redacted_api_key: _Redacted
    creation_time: Time
    status: ApiKeyStatus
    label: KeyLabel | None
    x_linocut: KeyExtras | Nothing = UNSET


class RedactedApiKey(msgspec.Struct, kw_only=True, frozen=True):
    """A key as the older list shows it."""

    api_key_id: str
    redacted_api_key: _Redacted
    creation_time: Time


class GetApiKeysResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/api_keys``: the caller's own keys that work."""

    current_api_keys: list[RedactedApiKey]


class GetApiKeysV2Response(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/organization/api_keys``."""

    api_keys: list[ApiProfileApiKey]


class KeyLimits(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours on a new key: how many seconds it lives, and what it may do. Absent: for ever, and everything."""

    expires_in_seconds: Annotated[int, Meta(ge=60, le=10 * 366 * 86_400)] | Nothing = UNSET
    scopes: Annotated[list[KeyScope], Meta(min_length=1)] | Nothing = UNSET


class CreateApiKeyRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``POST /manage/api/api_keys`` and ``/api_keys_v2``."""

    label: KeyLabel | Nothing = UNSET
    x_linocut: KeyLimits | Nothing = UNSET


class PostApiKeyResponse(msgspec.Struct, kw_only=True, frozen=True):
    """A new key. ``api_key`` is shown now and never again."""

    api_key: _KeyText
    api_key_id: str


class RotationExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a key that took another's place: when each of the two ends by itself (null: it does not)."""

    expires_time: Time | None
    replaced_expires_time: Time | None


class CreateApiKeyResponse(msgspec.Struct, kw_only=True, frozen=True):
    """As ``PostApiKeyResponse``, with its time."""

    api_key: _KeyText
    api_key_id: str
    creation_time: Time
    x_linocut: RotationExtras | Nothing = UNSET


class PatchApiKeyRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``PATCH /manage/api/api_keys/{api_key_id}``: null or no label clears it."""

    label: KeyLabel | None = None


class RotateApiKeyRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``POST /manage/api/api_keys/{api_key_id}/rotate``: how long the old key goes on."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=30 * 86_400)] = 86_400


class ApiProfile(msgspec.Struct, kw_only=True, frozen=True):
    """The caller in one organisation, with the keys that they may see there."""

    type: ApiProfileType
    name: Annotated[str, Meta(examples=["home"])]
    avatar_url: str | Nothing = UNSET
    organization_id: OrganizationId
    role: ApiProfileRole
    api_keys: list[ApiProfileApiKey]
    is_metronome_2_user: bool
    max_num_inflight_requests_permitted: int
    copyright_detection_enabled: bool | None


class GetApiProfilesResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/profiles``."""

    profiles: list[ApiProfile]


class MailExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on somebody who is invited, where a mail carries the invite: how it stands, and why the last try failed."""

    mail_status: MailStatus
    mail_error: Annotated[str, Meta(examples=["the mail server answered 451"])] | None


class OrganizationMember(msgspec.Struct, kw_only=True, frozen=True):
    """A member, or somebody who is invited (``invite_status`` is not null then). ``email_address`` is empty for a user
    who has none."""

    user_id: OrganizationId | None
    display_handle: Handle | None
    email_address: Email
    avatar_url: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | Nothing | None = UNSET
    role: ApiProfileRole
    full_name: Annotated[str, Meta(examples=["Ada Lovelace"])] | None
    invite_status: Annotated[str, Meta(examples=["PENDING"])] | None
    invite_id: OrganizationId | None
    invite_expiry_time: Time | None
    x_linocut: MailExtras | Nothing = UNSET


class GetOrganizationMembersResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/organization/members``."""

    members: list[OrganizationMember]


class LiteOrganizationMember(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Somebody, by any one of the three."""

    user_id: str | Nothing = UNSET
    display_handle: str | Nothing = UNSET
    email_address: Email | Nothing = UNSET


_Members = Annotated[
    list[LiteOrganizationMember], Meta(description="1 to 100 of them.", extra_json_schema={"default": []})
]


class AddOrganizationMembersRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Users to add; addresses that no user has are invited."""

    members: _Members


class RemoveOrganizationMembersRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Members to remove."""

    members: _Members


class PromoteOrganizationAdminsRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Members to make admins."""

    members: _Members


class DemoteOrganizationAdminsRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Admins, or owners, to make plain members."""

    members: _Members


class PromoteOrganizationMembersRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Members to make owners."""

    members: _Members


class InviteExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on an invite: the link to pass on, told now and never again. It is good once, for a week. Absent
    where a mail carries it."""

    invite_id: OrganizationId
    link: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "uri"}, examples=["http://127.0.0.1:8731/manage/sign_in#link=lilnk_AbCd"]
            ),
        ]
        | Nothing
    ) = UNSET
    mail_status: MailStatus | Nothing = UNSET


class OrganizationMemberOperationResult(msgspec.Struct, kw_only=True, frozen=True):
    """What became of one of them; ``message`` is a sentence."""

    success: bool
    message: Annotated[str, Meta(examples=["ada is a member now."])]
    x_linocut: InviteExtras | Nothing = UNSET


class OrganizationMemberOperationResponse(msgspec.Struct, kw_only=True, frozen=True):
    """What became of each, in the order of the request."""

    results: list[OrganizationMemberOperationResult]


class CancelOrganizationInviteRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The invite whose links are good no longer."""

    invite_id: str


class ResendOrganizationInviteRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The invite that gets a new link and another week."""

    invite_id: str


class ApiOrganizationUserSuggestion(msgspec.Struct, kw_only=True, frozen=True):
    """A user whose handle begins so; ``joined``: a member already."""

    display_handle: Handle
    joined: bool
    profile_pic: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | Nothing = UNSET
    name: str | Nothing = UNSET


class GetApiOrganizationUserSuggestionsResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/organization/user_suggestions``."""

    user_suggestions: list[ApiOrganizationUserSuggestion]


class UpdateOrganizationApiPropertiesRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Null or absent: it stays as it is."""

    copyright_detection_enabled: bool | None = None


class UpdateOrganizationApiPropertiesResponse(msgspec.Struct, kw_only=True, frozen=True):
    """As it is now."""

    copyright_detection_enabled: bool


class OrganizationQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which organisation."""

    organization_id: OrganizationId


class ApiKeyQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which key."""

    api_key_id: OrganizationId


class UserSuggestionsQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Handles that begin with ``user_handle_prefix``, at most ``maxItems``."""

    organization_id: OrganizationId
    user_handle_prefix: str = ""
    maxItems: int = 3
