"""Logs and counters. Logs are structured lines on stderr; secrets and prompts are never logged."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TextIO, cast

import structlog

REQUEST_ID: ContextVar[str] = ContextVar("request_id")
"""The id of the request under way; every line logged meanwhile carries it. (structlog's own binding costs 20 times a
plain variable, on every request, for lines that are hardly ever written.)"""


def set_up_logs(level: str = "INFO", *, as_json: bool = False) -> None:
    """Send structured log lines to stderr: readable ones, or JSON for machines."""
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            _add_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=cast(TextIO, _Lossy())),
        cache_logger_on_first_use=False,
    )


class _Lossy:
    """Stderr, whose own faults stop nobody: a log on a full disk loses lines, and the server goes on."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def _add_request_id(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if request_id := REQUEST_ID.get(None):
        line["request_id"] = request_id
    return line


def log(room: str) -> structlog.stdlib.BoundLogger:
    """The logger of a room."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(room=room)
    return logger
