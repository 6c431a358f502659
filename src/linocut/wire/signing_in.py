"""Messages of ours about signing in, and about leaving."""

from typing import Annotated

import msgspec
from msgspec import Meta

from linocut.wire.people import Email, Handle, OrganizationId, Password
from linocut.wire.types import UNSET, Nothing, Time


class ElsewhereQuery(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: what an issuer of OpenID Connect sends back with the browser."""

    state: str | Nothing = UNSET
    code: str | Nothing = UNSET
    error: str | Nothing = UNSET
    iss: str | Nothing = UNSET


class SignInPageQuery(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: a word for what the page says (why nobody was signed in)."""

    said: str | Nothing = UNSET


class OpenIdButton(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: what the issuer is called, and where the browser goes to sign in with it."""

    name: Annotated[str, Meta(examples=["login.example.org"])]
    url: Annotated[str, Meta(extra_json_schema={"format": "uri"}, examples=["http://127.0.0.1:8731/manage/oidc"])]


class WaysToSignIn(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: how one may sign in. ``openid_connect`` is null where no issuer is set; ``mails_links``: whether a
    forgotten password is helped by mail; ``said``: the sentence for a word
    that came behind ``?said=`` of the page."""

    openid_connect: OpenIdButton | None
    mails_links: bool
    said: dict[str, str]


class SignInRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours: an e-mail address or a handle, and the password. ``wants_token``: for a script, which keeps no cookies."""

    account: Email
    password: Password
    wants_token: bool = False


class UseLinkRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours: a one-time link's text, and the password from now on; the first owner names an address then. The owner's
    link signs in without a password too: one can be chosen later (``POST /manage/api/password``)."""

    link: Annotated[str, Meta(max_length=100, examples=["lilnk_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE"])]
    password: Password | Nothing = UNSET
    email_address: Email | Nothing = UNSET
    wants_token: bool = False


class SendLinkRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours: whose password is forgotten, by e-mail address or handle."""

    account: Annotated[str, Meta(max_length=254, examples=["ada@example.org"])]


class DeleteOrganizationRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours: its name, so that no other one is removed."""

    name: Annotated[str, Meta(examples=["home"])]


class LeavingOrganization(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: an organisation that is being removed. It can be brought back until ``purge_time``."""

    organization_id: OrganizationId
    name: Annotated[str, Meta(examples=["home"])]
    purge_time: Time


class GetLeavingOrganizationsResponse(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: the caller's organisations that are being removed."""

    organizations: list[LeavingOrganization]


class DeleteUserRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours: the caller's own handle, and their password where they have one."""

    display_handle: Handle
    current_password: Password | Nothing = UNSET


class LeavingUser(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: whoever is being removed can come back until ``purge_time``."""

    display_handle: Handle
    purge_time: Time


class RestoreUserRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours: the e-mail address or handle, and the password of then."""

    account: Email
    password: Password


class ChangePasswordRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours: every other session of the user ends. Whoever has no password yet leaves ``current_password`` out, and may
    name an ``email_address`` where there is none."""

    current_password: Password | Nothing = UNSET
    new_password: Password
    email_address: Email | Nothing = UNSET


class Session(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: who has signed in, until when. ``can_return``: whether there is a way to sign in again, by password or
    elsewhere; without one it takes a new link. ``is_administrator``: of the server as a whole. ``token`` only where
    it was asked for."""

    user_id: str
    display_handle: Handle
    email_address: Email | None
    expires_time: Time
    has_password: bool
    can_return: bool
    is_administrator: bool
    token: Annotated[str, Meta(examples=["lises_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE"])] | Nothing = UNSET
