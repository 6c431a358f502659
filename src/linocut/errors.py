"""Every error that linocut tells somebody about, as one tree of sentences.

    LinocutError
    |-- InvalidRequest      a field is wrong: the sentence names the field, the limit and the way out
    |-- Unauthenticated     no key, a wrong one or a revoked one
    |-- Forbidden           a good key without the right
    |-- NotFound            there is none, or none that this caller may see
    |-- MethodNotAllowed    the address exists, the verb does not
    |-- NotBuilt            published, and not built into this server yet
    |-- Conflict            the thing is in a state that does not allow it
    |-- TooLarge            over a size limit
    |-- UnreadableBody      the body is packed in a way that is not unpacked here
    |-- TooSlow             the request did not arrive in time
    |-- Unsafe              refused by the safety rules
    |-- TooManyInFlight     over the organisation's limit
    |-- TooManyTries        too many wrong passwords
    |-- TooManyRequests     over the key's requests a minute
    |-- InsufficientFunds   its price is more than the credit that is left
    |-- DailyLimit          over a limit of what may be spent in a day
    |-- SpendLimit          over a limit of what may be spent in a month
    |-- Busy                the server cannot answer now; try again in retry_after_seconds
    |   `-- Unavailable     what it stands on fails it: a full disk, an object store that is slow or gone
    |       `-- Damaged     the database itself is damaged: nothing is written any more until it is restored
    |-- NotReady            the engine has not loaded its base yet
    |-- NoWorker            a base that is known, and that no worker serves at the moment
    |-- RunFailed           a job ended without its result; the sentence tells the owner what to do
    |-- Lost                a stored file that a row names is missing or damaged
    |-- Cancelled           stopped by its owner
    `-- Internal            a fault of ours; details stay in the log

An error knows a ``code`` and nothing of HTTP: only ``api/errors.py`` holds status numbers. An error survives
JSON and pickling (workers hand errors to other processes), so every field is plain data.
To add one: subclass, give it a ``code`` and a docstring that is a good default sentence, add it to docs/errors.md.
"""

from typing import Any, ClassVar


class LinocutError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str = "", **details: Any) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.details = details
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        return error_from_json, (self.to_json(),)

    def to_json(self) -> dict[str, Any]:
        """``{"code", "message", "details"}``: all plain data."""
        return {"code": self.code, "message": self.message, "details": self.details}


class InvalidRequest(LinocutError):
    """The request is not valid."""

    code = "invalid_request"


class Unauthenticated(LinocutError):
    """Send a valid API key in the header Api-Key."""

    code = "unauthenticated"


class Forbidden(LinocutError):
    """This key may not do that."""

    code = "forbidden"


class NotFound(LinocutError):
    """There is no such thing, or none that you may see."""

    code = "not_found"


class MethodNotAllowed(LinocutError):
    """This address does not take that method."""

    code = "method_not_allowed"


class NotBuilt(LinocutError):
    """This server cannot do that yet; /docs lists what it does and what not."""

    code = "not_built"


class Conflict(LinocutError):
    """It is in a state that does not allow this."""

    code = "conflict"


class TooLarge(LinocutError):
    """The request is larger than this server takes."""

    code = "too_large"


class UnreadableBody(LinocutError):
    """The body is packed; send it as it is."""

    code = "unreadable_body"


class TooSlow(LinocutError):
    """The request arrived too slowly."""

    code = "too_slow"


class Unsafe(LinocutError):
    """Prompt provided failed safety check due to the inclusion of prohibited content."""

    code = "unsafe"


class TooManyInFlight(LinocutError):
    """Your organisation has as many images in progress as its limit allows; try again when one is done."""

    code = "inflight_limit"


class TooManyTries(LinocutError):
    """Too many wrong passwords; wait a quarter of an hour."""

    code = "too_many_tries"


class TooManyRequests(LinocutError):
    """This key has sent as many requests within a minute as it may; try again shortly."""

    code = "rate_limit"


class InsufficientFunds(LinocutError):
    """Your organisation's credit does not cover this; an administrator of this server can add some."""

    code = "insufficient_funds"


class DailyLimit(LinocutError):
    """This would cost more than may be spent today; try again tomorrow, or have the limit raised."""

    code = "daily_limit"


class SpendLimit(LinocutError):
    """This would cost more than may be spent this month; have the limit raised."""

    code = "spend_limit"


class Busy(LinocutError):
    """The server cannot answer right now; try again shortly."""

    code = "busy"


class Unavailable(Busy):
    """The server cannot reach what it stores things in; try again shortly."""

    code = "unavailable"


class Damaged(Unavailable):
    """The server's database is damaged, so nothing is written to it any more; its operator must restore it."""

    code = "damaged"


class NotReady(LinocutError):
    """The engine is still loading its base; try again shortly."""

    code = "not_ready"


class NoWorker(LinocutError):
    """No worker of this server serves the base that this needs at the moment; try again later, or ask its operator."""

    code = "no_worker"


class RunFailed(LinocutError):
    """The run failed; train again, and write to the operator if it fails again."""

    code = "run_failed"


class Lost(LinocutError):
    """A stored file is missing or damaged; the server's operator finds it in the log under the request id."""

    code = "lost"


class Cancelled(LinocutError):
    """Cancelled by its owner."""

    code = "cancelled"


class Internal(LinocutError):
    """The server met a fault of its own; the operator finds it in the log under the request id."""

    code = "internal"


def _tree(root: type[LinocutError]) -> dict[str, type[LinocutError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


def error_from_json(data: dict[str, Any]) -> LinocutError:
    """The error that ``to_json`` described; an unknown code comes back as ``Internal``."""
    kind = _tree(LinocutError).get(data.get("code", ""), Internal)
    return kind(data.get("message", ""), **data.get("details", {}))
