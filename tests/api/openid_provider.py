"""A small provider of OpenID Connect on this machine, with keys of its own: it lets in whoever a test says.

It holds us to our side: the redirect address, the client's secret, PKCE, a code that is good once.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID, CLIENT_SECRET = "linocut-test", "p@ss:word /&"


class OpenIdProvider:
    """``claims``: what it says of whoever signs in; ``spoil``: changes a finished ID token's parts (header, claims,
    key) before they are signed; ``metadata``: what discovery says otherwise; ``userinfo``: what that endpoint says."""

    def __init__(self) -> None:
        self.key, self.other_key = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.spoil: Callable[[dict[str, Any], dict[str, Any]], str | RSAKey | None] = lambda header, claims: None
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.hold: threading.Event | None = None
        """Until it is set, nothing is answered."""
        self._codes: dict[str, dict[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def authorize(self, address: str, **answer: str) -> str:
        """Sign in there, as a browser would with the address that it was sent to: where it is sent back to."""
        parts = urlsplit(address)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], **answer})}"

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256"],
        } | self.metadata

    def _token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        asked = self._codes.pop(form.get("code", ""), None)
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        good = asked is not None and asked["code_challenge"] == challenge.decode()
        if asked is None or not good or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        if pair != "linocut-test:p%40ss%3Aword%20%2F%26":
            return None
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT_ID, "exp": now + 300, "iat": now, "nonce": asked["nonce"], **self.claims,
        }  # fmt: skip
        header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        signed = self.spoil(header, claims)
        if not isinstance(signed, str):
            signed = jwt.encode(header, claims, signed or self.key)
        return {"access_token": "at", "token_type": "Bearer", "id_token": signed}

    def _keys(self) -> dict[str, Any]:
        return KeySet([self.key]).as_dict(private=False) | {"keys": [{**self.key.as_dict(private=False), "kid": "one"}]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                """Nothing."""

            def do_GET(self) -> None:
                provider.asked.append(self.path)
                told: dict[str, Any] = {
                    "/.well-known/openid-configuration": provider._metadata(), "/keys": provider._keys(),
                    "/userinfo": provider.userinfo,
                }  # fmt: skip
                self._answer(told.get(self.path))

            def do_POST(self) -> None:
                provider.asked.append(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self._answer(provider._token(form, self.headers.get("Authorization", "")))

            def _answer(self, told: dict[str, Any] | None) -> None:
                if provider.hold is not None:
                    provider.hold.wait(30)
                status, body = (400, b'{"error":"invalid_grant"}') if told is None else (200, json.dumps(told).encode())
                status, body = provider.answers.get(self.path, (status, body))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler


@contextmanager
def provider() -> Iterator[OpenIdProvider]:
    """A provider as long as the block lasts."""
    one = OpenIdProvider()
    thread = threading.Thread(target=one.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield one
    finally:
        one.server.shutdown()
        thread.join()
        one.server.server_close()


def spoiled(how: str, issuer: OpenIdProvider) -> Any:
    """Changes an ID token so that it must not be believed."""

    def change(header: dict[str, Any], claims: dict[str, Any]) -> Any:
        if how == "signed with another key":
            return issuer.other_key
        if how == "alg none":
            return _compact({"alg": "none"}, claims)
        if how == "signed with the public key as a shared secret":
            return _hmac(issuer.key.as_pem(private=False), claims)
        if how == "signature cut off":
            return _compact(header, claims)
        changes: dict[str, dict[str, Any]] = {
            "another audience": {"aud": "another client"},
            "two audiences and no azp": {"aud": [CLIENT_ID, "another client"]},
            "another azp": {"azp": "another client"},
            "another issuer": {"iss": "https://evil.example"},
            "expired": {"exp": int(time.time()) - 120},
            "no end": {"exp": None},
            "another nonce": {"nonce": "swapped"},
            "no nonce": {"nonce": None},
            "of tomorrow": {"iat": int(time.time()) + 86_400},
            "another access token's": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
            "no subject": {"sub": None},
            "a number as subject": {"sub": 7},
            "a long subject": {"sub": "x" * 256},
        }
        for name, value in changes[how].items():
            if value is None:
                claims.pop(name, None)
            else:
                claims[name] = value
        return None

    return change


def _compact(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, ""])


def _hmac(secret: bytes, claims: dict[str, Any]) -> str:
    text = _compact({"alg": "HS256", "kid": "one"}, claims).removesuffix(".")
    seal = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"
