"""The only file that knows which status number an error has on the wire (docs/errors.md is its page for readers)."""

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from linocut.errors import LinocutError
from linocut.wire import ErrorBody, GenerateImageSafetyError, MessagesError, RefusalExtras, RejectError
from linocut.wire.types import UNSET, SafetyVerdict

STATUS: dict[str, int] = {
    "invalid_request": 400,
    "unauthenticated": 401,
    "insufficient_funds": 402,
    "daily_limit": 402,
    "spend_limit": 402,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "too_slow": 408,
    "conflict": 409,
    "cancelled": 409,
    "too_large": 413,
    "unreadable_body": 415,
    "unsafe": 422,
    "inflight_limit": 429,
    "too_many_tries": 429,
    "rate_limit": 429,
    "error": 500,
    "not_built": 501,
    "internal": 500,
    "lost": 500,
    "run_failed": 500,
    "lease_lost": 500,
    "busy": 503,
    "unavailable": 503,
    "damaged": 503,
    "not_ready": 503,
    "no_worker": 503,
}
"""Status by ``LinocutError.code``; a code that is not here is a fault of ours: 500."""

RETRY_AFTER_SECONDS = {429: 2, 503: 5}
"""Sent as Retry-After where the error does not say how long (``retry_after_seconds`` in its details)."""


def status_of(error: LinocutError) -> int:
    """The status number of an error."""
    return STATUS.get(error.code, 500)


def body_of(error: LinocutError, status: int, request_id: str | None = None) -> ErrorBody:
    """The published error body: one sentence under every name that clients read."""
    kind: type[ErrorBody] = ErrorBody
    extra: dict[str, Any] = {}
    if status in (402, 429):
        kind, extra = RejectError, {"reject_reason": error.code}
        if isinstance(most := error.details.get("max_inflight_requests"), int):
            extra["max_inflight_requests"] = most
    if messages := error.details.get("messages"):
        kind, extra = MessagesError, {"messages": messages}
    if status == 422 and (component := error.details.get("component")):
        reason = error.details.get("reason") or UNSET
        verdict = SafetyVerdict(component=str(component), verdict="refused", reason=reason)
        kind, extra = GenerateImageSafetyError, {"x_linocut": RefusalExtras(safety=verdict)}
    return kind(
        error=error.message,
        message=error.message,
        detail=error.message,
        title=HTTPStatus(status).phrase,
        status=status,
        request_id=UNSET if request_id is None else request_id,
        **extra,
    )


def error_answer(error: LinocutError, request_id: str) -> Response:
    """The whole answer. Faults of ours carry the request id, which the log has too; nothing else leaks."""
    status = status_of(error)
    ours = status == 500
    headers = {"X-Request-Id": request_id} if ours else {}
    if status in RETRY_AFTER_SECONDS:
        seconds = error.details.get("retry_after_seconds", RETRY_AFTER_SECONDS[status])
        headers["Retry-After"] = str(max(1, round(seconds)))
    if allow := error.details.get("allow"):
        headers["Allow"] = str(allow)
    if status == 415:
        headers["Accept-Encoding"] = "identity"
    if status == 401:
        headers["WWW-Authenticate"] = "ApiKey"
    body = body_of(error, status, request_id if ours else None)
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
