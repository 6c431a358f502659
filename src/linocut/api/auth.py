"""Who is asking. Looked at before anything of the body: a stranger's gigabyte is never read.

An API key opens everything but ``/manage``. A session, of somebody who has signed in, opens ``/manage``, and the rest
as well. Its token comes as a bearer token, or in a cookie: then a header must stand beside it that no form and no page
of another origin can send, and a browser that says where the page is from must say that it is from here.
"""

from collections.abc import Callable

from sqlalchemy import Connection
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from linocut.accounts import keys, sessions
from linocut.accounts.types import Caller
from linocut.errors import Unauthenticated
from linocut.runtime import Runtime

LookUp = Callable[[Connection], Caller]

COOKIE = "linocut_session"
CONSOLE = "x-linocut-console"
"""The header that makes a cookie count; any value but an empty one."""
ORGANIZATION = "x-linocut-organization"
"""In which of their organisations somebody with a session asks; without it, in the one they joined first."""


def look_up(headers: Headers, runtime: Runtime, *, only_sessions: bool = False) -> LookUp:
    """Finds whose key came in ``Api-Key`` (or as a bearer token: FACTS 11), or whose session, in any snapshot or
    transaction. ``only_sessions``: on ``/manage``.

    It raises ``Unauthenticated`` for what is none, or none any more. So does this, when nothing was sent.
    """
    key, token = headers.get("api-key", "").strip() or _bearer(headers.get("authorization", "")), _cookie(headers)
    if key.startswith(sessions.PREFIX):
        key, token = "", key
    chosen = headers.get(ORGANIZATION, "").strip() or None
    if key and not only_sessions:
        return lambda tx: keys.authenticate(tx, key, runtime.digest_secret)
    if token:
        return lambda tx: sessions.authenticate(tx, token, runtime.digest_secret, chosen)
    raise Unauthenticated(sessions.NO_SESSION) if only_sessions else Unauthenticated


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _cookie(headers: Headers) -> str:
    if not headers.get(CONSOLE, "").strip() or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return ""
    # Not ``http.cookies``: one cookie of another program of this host that it dislikes hides all that follow.
    return cookie_parser("; ".join(headers.getlist("cookie"))).get(COOKIE, "")
