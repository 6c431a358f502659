"""Pages of other origins (CORS): what a browser is told, where ``LINOCUT_CORS_ORIGINS`` names the page's origin.

A page never gets to use cookies or passwords that the browser keeps: the API knows keys only, and the page must
have one.
"""

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from linocut.settings import Settings

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = (
    "Api-Key, Authorization, Cache-Control, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, "
    "X-Requested-With"
)
ANSWER_HEADERS = "Allow, Content-Disposition, ETag, Location, Retry-After, WWW-Authenticate, X-Request-Id"
REMEMBERED_SECONDS = 600
"""How long a browser need not ask again whether it may send a request."""

Pairs = list[tuple[bytes, bytes]]


class Cors:
    """The rule of one server. Off, it does nothing at all."""

    def __init__(self, settings: Settings) -> None:
        self._origins = settings.allowed_origins

    def headers(self, scope: Scope) -> Pairs:
        """What every answer to this request bears besides its own headers."""
        if not self._origins:
            return []
        if "*" in self._origins:
            return _encoded({"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": ANSWER_HEADERS})
        told = {"Vary": "Origin"}  # also where nothing is allowed: a copy of that answer is no good for other pages
        origin = Headers(scope=scope).get("origin", "")
        if origin in self._origins:
            told |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": ANSWER_HEADERS}
        return _encoded(told)

    def preflight(self, scope: Scope) -> Response | None:
        """The answer to a browser that asks whether it may send a request; None for any other request.

        It names what may be sent; whose page may send it stands in ``headers``.
        """
        if not self._origins or scope["method"] != "OPTIONS":
            return None
        asked = Headers(scope=scope)
        if "origin" not in asked or "access-control-request-method" not in asked:
            return None
        told = {
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": REQUEST_HEADERS,
            "Access-Control-Max-Age": str(REMEMBERED_SECONDS),
        }
        return Response(status_code=204, headers=told)


def added(headers: Iterable[tuple[bytes, bytes]], more: Pairs) -> Pairs:
    """``headers`` and ``more``; a ``Vary`` of both is one."""
    result = list(headers)
    for name, value in more:
        place = next((i for i, (known, _) in enumerate(result) if name == b"vary" and known.lower() == name), None)
        if place is None:
            result.append((name, value))
        else:
            result[place] = (name, result[place][1] + b", " + value)
    return result


def _encoded(told: dict[str, str]) -> Pairs:
    return [(name.lower().encode(), value.encode()) for name, value in told.items()]
