"""Who may sign in, and how: OpenID Connect; the mail server; how long leaving can be undone."""

import re
from email.utils import parseaddr
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from linocut.settings.lists import items_in
from linocut.web_addresses import is_address

_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9._-]{1,253}")


class PeopleSettings(BaseSettings):
    """Who may sign in, and how."""

    oidc_client_id: str = Field(default="", description="The name that the issuer knows this server by.")
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="The secret that belongs to it; empty: a public client, with PKCE alone."
    )
    oidc_issuer: str = Field(
        default="", description="Issuer of OpenID Connect with which people sign in; empty: passwords alone."
    )
    oidc_name: str = Field(default="", description="What the button to sign in calls the issuer; empty: its host.")
    oidc_scopes: str = Field(default="openid email profile", description="Scopes asked for, with spaces between.")
    oidc_handle_claim: str = Field(
        default="preferred_username", description="The claim that a new user's name is taken from."
    )
    oidc_domains: str = Field(
        default="",
        description="Domains of verified addresses whose people may join by themselves, commas between; empty: only "
        "users and invited people.",
    )
    oidc_organization: str = Field(default="home", description="The organisation that they join then.")
    oidc_role: str = Field(
        default="MEMBER", pattern="^(MEMBER|ADMIN)$", description="The role that they get there: MEMBER or ADMIN."
    )
    oidc_roles: str = Field(
        default="",
        description="Which value of the claim gives which role there, commas between: staff=MEMBER,leads=ADMIN.",
    )
    oidc_role_claim: str = Field(
        default="",
        validate_default=True,
        description="The claim that roles there are taken from at each sign-in, by name or path (realm_access.roles); "
        "empty: none.",
    )
    oidc_seconds: float = Field(default=10.0, gt=0, le=60, description="Longest wait for one answer of the issuer.")

    deletion_days: int = Field(
        default=14, ge=0, le=365, description="Days within which the removal of a user or organisation can be undone."
    )
    smtp_from: str = Field(default="", description="The sender of mails: an address, or NAME <ADDRESS>.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server.")
    smtp_security: str = Field(
        default="starttls",
        pattern="^(starttls|tls|none)$",
        description="How mails are encrypted on the way to the mail server: starttls, tls (from the start, mostly port "
        "465), or none (on this machine).",
    )
    smtp_user: str = Field(default="", description="Account on the mail server; empty: none is needed.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    smtp_host: str = Field(
        default="", description="Mail server that carries invites and password links; empty: links to pass on."
    )
    smtp_seconds: float = Field(default=20.0, gt=0, le=120, description="Longest that the mail server may keep silent.")
    smtp_tries: int = Field(default=8, ge=1, le=20, description="Most tries to send a mail.")

    @property
    def oidc_joining(self) -> frozenset[str]:
        """The domains in ``oidc_domains``, in lower case."""
        return frozenset(item.lower() for item in items_in(self.oidc_domains))

    @property
    def oidc_role_map(self) -> dict[str, Literal["MEMBER", "ADMIN"]]:
        """``oidc_roles`` as value and role."""
        pairs = (item.rpartition("=") for item in items_in(self.oidc_roles))
        return {value: "ADMIN" if role == "ADMIN" else "MEMBER" for value, _, role in pairs}

    @property
    def oidc_button(self) -> str:
        """What the issuer is called on the page to sign in on."""
        return self.oidc_name or urlsplit(self.oidc_issuer).netloc

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        if not is_address(value) or not is_safe_web_address(value):
            raise ValueError(
                f"LINOCUT_OIDC_ISSUER is {value!r}; it takes the issuer's address, such as https://login.example.org "
                "(http:// only on this machine)."
            )
        if not info.data.get("oidc_client_id"):
            raise ValueError("LINOCUT_OIDC_ISSUER is set, so LINOCUT_OIDC_CLIENT_ID must be the name it knows us by.")
        return value

    @field_validator("smtp_from")
    @classmethod
    def _is_sender(cls, value: str) -> str:
        if value and (not value.isprintable() or not _ADDRESS.fullmatch(parseaddr(value)[1])):
            raise ValueError(
                f"LINOCUT_SMTP_FROM is {value!r}; it takes an address, or a name and an address, such as "
                "linocut <linocut@example.org>."
            )
        return value

    @field_validator("smtp_host")
    @classmethod
    def _is_mail_server(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        if not is_address(f"http://{value}") or set(value) & set("/:") - set("[]:" if value[:1] == "[" else ""):
            raise ValueError(f"LINOCUT_SMTP_HOST is {value!r}; it takes a host, such as mail.example.org (no port).")
        if not info.data.get("smtp_from"):
            raise ValueError("LINOCUT_SMTP_HOST is set, so LINOCUT_SMTP_FROM must be the sender of its mails.")
        if info.data.get("smtp_security") == "none" and not is_loopback(value.strip("[]")):
            raise ValueError(
                "LINOCUT_SMTP_SECURITY is none, which sends links in the clear, and LINOCUT_SMTP_HOST is not this "
                "machine; set starttls or tls."
            )
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _has_openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError(f"LINOCUT_OIDC_SCOPES is {value!r}; one of the scopes must be openid.")
        return value

    @field_validator("oidc_roles")
    @classmethod
    def _are_roles(cls, value: str) -> str:
        for item in items_in(value):
            named, _, role = item.rpartition("=")
            if not named or role not in ("MEMBER", "ADMIN"):
                raise ValueError(
                    f"LINOCUT_OIDC_ROLES has {item!r}; it takes a list such as staff=MEMBER,leads=ADMIN (a value of "
                    "the claim, and MEMBER or ADMIN: owners are made by owners)."
                )
        return value

    @field_validator("oidc_role_claim")
    @classmethod
    def _has_roles(cls, value: str, info: ValidationInfo) -> str:
        if bool(value) != bool(info.data.get("oidc_roles", value)):  # wrong ones are told of already
            raise ValueError(
                "LINOCUT_OIDC_ROLE_CLAIM and LINOCUT_OIDC_ROLES belong together: the claim, and which of its values "
                "gives which role, such as staff=MEMBER,leads=ADMIN. Set both, or neither."
            )
        return value

    @field_validator("oidc_domains")
    @classmethod
    def _are_domains(cls, value: str) -> str:
        for item in items_in(value):
            if not is_address(f"https://{item}") or "." not in item or item.endswith(".") or "/" in item:
                raise ValueError(
                    f"LINOCUT_OIDC_DOMAINS has {item!r}, which is no domain; it takes a list such as "
                    "example.org,example.com (no @, no *)."
                )
        return value


def is_safe_web_address(url: str) -> bool:
    """Whether secrets may be sent there: encrypted, or no further than this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username is not None or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name alone: nothing is looked up."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
