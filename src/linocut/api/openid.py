"""OpenID Connect: where to send somebody who signs in, and what the issuer says of whoever comes back.

The code flow with PKCE (RFC 7636). Keys, signatures and claims are Authlib's and joserfc's business. What binds the
way back to the browser that left is derived from the state and from a secret that only this browser keeps, so nothing
of it is stored. OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3; Discovery 1.0; RFC 9207 (``iss`` in the answer).
"""

import base64
import hashlib
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from linocut.accounts.identities import NotLetIn, Told, Why
from linocut.api.fetching import NotFetched, fetch_json
from linocut.settings import Settings
from linocut.settings.people import is_safe_web_address

SENTENCES: dict[Why, str] = {
    "unreachable": "The sign-in service does not answer. Try again shortly, or sign in with a password.",
    "refused": "The sign-in service did not let you in. Try again, or sign in with a password.",
    "stale": "This sign-in was begun in another browser, was used already, or took over ten minutes. Begin again.",
    "wrong": "What the sign-in service said cannot be trusted, so nobody was signed in. The server's log says why.",
    "unverified": "The sign-in service does not say that your e-mail address is verified. Verify it there first.",
    "unknown": "Nobody here has your e-mail address. Ask an admin of this server for an invite.",
    "removed": "This account was removed. Whoever runs this server can bring it back for a while.",
    "often": "Too many sign-ins were begun from this address. Wait ten minutes.",
}
"""What the page to sign in on says."""

COOKIE = "linocut_signing_in"
KEPT_SECONDS = 3600.0
"""How long the issuer's addresses and keys are believed."""
LOOK_AGAIN_SECONDS = 10.0
"""A key that nobody knows is looked for again, but not more often."""
LEEWAY_SECONDS = 60
"""Clocks differ."""
_SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""With keys that the issuer alone has. Never ``none``, never a shared secret."""
_LONGEST = {"subject": 255, "handle": 64, "full_name": 128, "email": 254}


@dataclass(frozen=True)
class Issuer:
    """What discovery told of it."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    algorithms: tuple[str, ...]
    posts_secret: bool
    names_itself: bool
    """Whether its way back always carries ``iss``."""


@dataclass(frozen=True)
class Return:
    """What came back with the browser: the code, ``iss`` where it was said, and what binds both to the way there."""

    code: str
    issuer: str | None
    redirect_uri: str
    verifier: str
    nonce: str


def bound(what: str, state: str, browser: str, secret: bytes) -> str:
    """Something that only this server can make, of a state and of what the browser keeps: 43 characters."""
    text = f"{what}\n{state}\n{browser}".encode()
    return base64.urlsafe_b64encode(hashlib.blake2b(text, key=secret, digest_size=32).digest()).rstrip(b"=").decode()


class Provider:
    """The issuer of the settings; one an application."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._issuer: tuple[float, Issuer] | None = None
        self._keys: tuple[float, dict[str, Any]] | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is one."""
        return bool(self._settings.oidc_issuer)

    async def way_there(self, state: str, nonce: str, verifier: str, redirect_uri: str) -> str:
        """Where the browser goes to sign in. ``NotLetIn`` while the issuer cannot be reached."""
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        issuer = await self._discovered()
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": redirect_uri,
            "scope": self._settings.oidc_scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(issuer.authorization).query else "?"
        return f"{issuer.authorization}{joint}{urlencode(asked)}"

    async def who(self, back: Return) -> Told:
        """Whom the issuer has let in. ``NotLetIn``."""
        issuer = await self._discovered()
        if back.issuer is None and issuer.names_itself:
            raise NotLetIn("wrong", "the way back does not say who sent it")
        if back.issuer not in (None, self._settings.oidc_issuer):
            raise NotLetIn("wrong", "another issuer has sent the browser back")
        tokens = await self._tokens(issuer, back)
        text, access = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(text, str):
            raise NotLetIn("wrong", "the issuer gave no ID token")
        claims = await self._claims(issuer, text, back.nonce, access if isinstance(access, str) else "")
        if self._misses(claims) and issuer.userinfo and isinstance(access, str):
            claims = {**await self._more(issuer, access, str(claims["sub"])), **claims}
        return self._told(claims)

    async def _discovered(self) -> Issuer:
        if self._issuer is None or time.monotonic() - self._issuer[0] > KEPT_SECONDS:
            url = f"{self._settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration"
            self._issuer = time.monotonic(), self._read(await self._fetched(url))
        return self._issuer[1]

    def _read(self, facts: dict[str, Any]) -> Issuer:
        if facts.get("issuer") != self._settings.oidc_issuer:
            raise NotLetIn("wrong", f"the issuer calls itself {str(facts.get('issuer'))[:200]!r}")
        places = [facts.get(f"{name}_endpoint") for name in ("authorization", "token")] + [facts.get("jwks_uri")]
        userinfo = facts.get("userinfo_endpoint") or ""
        for place in (*places, userinfo or places[0]):
            if not isinstance(place, str) or not is_safe_web_address(place):
                raise NotLetIn("wrong", "an address of the issuer is missing, or is not encrypted")
        signed_by = facts.get("id_token_signing_alg_values_supported")
        known = [one for one in _SIGNED_BY if not isinstance(signed_by, list) or one in signed_by]
        ways = facts.get("token_endpoint_auth_methods_supported")
        posts = isinstance(ways, list) and "client_secret_basic" not in ways and "client_secret_post" in ways
        names = facts.get("authorization_response_iss_parameter_supported") is True
        return Issuer(str(places[0]), str(places[1]), str(places[2]), str(userinfo), tuple(known), posts, names)

    async def _tokens(self, issuer: Issuer, back: Return) -> dict[str, Any]:
        settings, headers = self._settings, {}
        secret = settings.oidc_client_secret.get_secret_value()
        form = {
            "grant_type": "authorization_code",
            "code": back.code,
            "redirect_uri": back.redirect_uri,
            "code_verifier": back.verifier,
        }
        if not secret or issuer.posts_secret:
            form |= {"client_id": settings.oidc_client_id, **({"client_secret": secret} if secret else {})}
        else:  # RFC 6749, section 2.3.1: each part is encoded as in a form first
            pair = f"{quote(settings.oidc_client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return await self._fetched(issuer.token, headers, form)

    async def _claims(self, issuer: Issuer, text: str, nonce: str, access: str) -> dict[str, Any]:
        """The ID token's claims, each checked. Where no key fits, it may be a new one: they are looked
        for once more."""
        from joserfc.errors import ClaimError, JoseError

        for looks in (1, 2):
            keys = await self._key_set(issuer, again=looks == 2)
            try:
                return verified(text, keys, issuer.algorithms, self._expected(nonce, access))
            except JoseError as wrong:
                if looks == 2 or isinstance(wrong, ClaimError):
                    raise NotLetIn("wrong", f"the ID token is not good: {wrong}"[:300]) from wrong
            except (ValueError, TypeError, KeyError) as wrong:
                raise NotLetIn("wrong", f"the ID token cannot be read: {type(wrong).__name__}") from wrong
        raise AssertionError("The second look ends it.")

    def _expected(self, nonce: str, access: str) -> dict[str, str]:
        told = {"issuer": self._settings.oidc_issuer, "client_id": self._settings.oidc_client_id, "nonce": nonce}
        return {**told, "access_token": access}

    async def _key_set(self, issuer: Issuer, *, again: bool) -> dict[str, Any]:
        age = None if self._keys is None else time.monotonic() - self._keys[0]
        if age is None or age > KEPT_SECONDS or (again and age > LOOK_AGAIN_SECONDS):
            self._keys = time.monotonic(), await self._fetched(issuer.keys)
        assert self._keys is not None
        return self._keys[1]

    async def _more(self, issuer: Issuer, access: str, subject: str) -> dict[str, Any]:
        """The claims of the userinfo endpoint; it must speak of the same person."""
        more = await self._fetched(issuer.userinfo, {"Authorization": f"Bearer {access}"})
        if more.get("sub") != subject:
            raise NotLetIn("wrong", "the userinfo endpoint speaks of somebody else")
        return more

    async def _fetched(
        self, url: str, headers: dict[str, str] | None = None, form: dict[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            return await fetch_json(url, self._settings.oidc_seconds, headers, form)
        except NotFetched as away:
            why: Why = "refused" if 400 <= away.status < 500 and form is not None else "unreachable"
            raise NotLetIn(why, f"{urlsplit(url).netloc}: {away}") from away

    def _misses(self, claims: dict[str, Any]) -> bool:
        """Whether the userinfo endpoint may know more that is wanted."""
        claim = self._settings.oidc_role_claim
        return "email" not in claims or bool(claim and _found(claims, claim) is None)

    def _told(self, claims: dict[str, Any]) -> Told:
        subject = str(claims["sub"])
        if not 0 < len(subject) <= _LONGEST["subject"]:
            raise NotLetIn("wrong", "the subject is longer than 255 characters")
        handle = _text(claims.get(self._settings.oidc_handle_claim), "handle")
        email = _text(claims.get("email"), "email")
        said = claims.get("email_verified")
        is_verified = said is True or said == "true"  # some issuers send a text; 1 is neither
        full_name = _text(claims.get("name"), "full_name") or None
        roles = roles_in(claims, self._settings.oidc_role_claim)
        return Told(self._settings.oidc_issuer, subject, email or None, is_verified, handle, full_name, roles)


def verified(text: str, keys: dict[str, Any], algorithms: tuple[str, ...], expected: dict[str, str]) -> dict[str, Any]:
    """The claims of an ID token: signed by one of these keys with one of these algorithms, from the issuer, for us, of
    now, of this very sign-in (``nonce``), and beside this access token. ``joserfc.errors.JoseError``; ``ValueError``
    for what is no token at all."""
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.jwk import KeySet

    token = jwt.decode(text, KeySet.import_key_set(keys), algorithms=list(algorithms))  # type: ignore[arg-type]
    claims = CodeIDToken(
        token.claims,
        token.header,
        options={
            "iss": {"essential": True, "value": expected["issuer"]},
            "aud": {"essential": True, "value": expected["client_id"]},
            "sub": {"essential": True},
            "exp": {"essential": True},
        },
        params={name: expected[name] for name in ("client_id", "nonce", "access_token")},
    )
    claims.validate(leeway=LEEWAY_SECONDS)
    return dict(token.claims)


def roles_in(claims: dict[str, Any], name: str) -> tuple[str, ...]:
    """The texts of a claim that is one, or a list of them; what else is in it counts for nothing."""
    found = _found(claims, name)
    return tuple(one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str))


def _found(claims: dict[str, Any], name: str) -> object:
    """A claim by its name, else by its path (``realm_access.roles``); None for none."""
    found: Any = claims
    for part in [name] if name in claims else name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _text(value: object, what: str) -> str:
    """A claim as text; nothing for another kind, and for one that is too long to be what it says."""
    return value if isinstance(value, str) and len(value) <= _LONGEST[what] else ""
