"""An error answer, as the error it was on the server."""

import httpx2

from linocut.errors import (
    Busy,
    Conflict,
    Forbidden,
    InsufficientFunds,
    InvalidRequest,
    LinocutError,
    NotBuilt,
    NotFound,
    TooLarge,
    TooManyInFlight,
    Unauthenticated,
    Unsafe,
)

_KINDS: dict[int, type[LinocutError]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    402: InsufficientFunds,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Unsafe,
    429: TooManyInFlight,
    501: NotBuilt,
    503: Busy,
}


def error_of(response: httpx2.Response) -> LinocutError:
    """The error that an answer of 400 or above tells, with the server's sentence."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    sentence = body.get("error") or body.get("message") if isinstance(body, dict) else ""
    kind = _KINDS.get(response.status_code, LinocutError)
    return kind(str(sentence or f"The server answered {response.status_code}."), status=response.status_code)
