"""Logs: structured lines on stderr, from libraries too. No secret, prompt or caption is in them (docs/logs.md)."""

import logging
import sys
import threading
from collections.abc import MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TextIO, cast

import structlog

REQUEST_ID: ContextVar[str] = ContextVar("request_id")
"""The id of the request under way; every line logged meanwhile carries it. (structlog's own binding costs 20 times a
plain variable, on every request, for lines that are hardly ever written.)"""


def set_up_logs(level: str = "INFO", *, as_json: bool = False) -> None:
    """Send structured log lines to stderr: readable ones, or JSON for machines.

    Libraries' own lines (WARNING and above), Python's warnings and uncaught exceptions become such lines too, so that
    with ``as_json`` every line is JSON.
    """
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
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries(max(logging.WARNING, logging.getLevelNamesMapping()[level])))
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def is_json() -> bool:
    """Whether lines are JSON."""
    return isinstance(structlog.get_config()["processors"][-1], structlog.processors.JSONRenderer)


def adopt_libraries() -> None:
    """Take down the handlers that libraries have put on loggers of their own since: their lines come here as well."""
    for logger in list(logging.root.manager.loggerDict.values()):
        if not isinstance(logger, logging.Logger):
            continue
        own = [one for one in logger.handlers if isinstance(one, logging.StreamHandler) and _is_console(one.stream)]
        for handler in own:
            logger.removeHandler(handler)
        if own:
            logger.propagate = True


def _is_console(stream: object) -> bool:
    return stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)


class _Libraries(logging.Handler):
    """Hands the lines of the standard library's ``logging`` on; each becomes one line."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = " ".join(record.getMessage().split())
        except (TypeError, ValueError):  # a library's own mistake in its arguments
            text = str(record.msg)
        level = max((one for one in _LEVELS if one <= record.levelno), default=logging.DEBUG)
        log(record.name).log(level, text, exc_info=record.exc_info)


_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    log("process").critical("uncaught", error=kind.__name__, exc_info=(kind, error, trace))


def _uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None and not issubclass(given.exc_type, SystemExit):
        name = None if given.thread is None else given.thread.name
        trace = (given.exc_type, given.exc_value, given.exc_traceback)
        log("process").critical("uncaught", error=given.exc_type.__name__, thread=name, exc_info=trace)


def _unraisable(given: Any) -> None:
    trace = (given.exc_type, given.exc_value, given.exc_traceback)
    log("process").error("ignored", error=given.exc_type.__name__, what=given.err_msg, exc_info=trace)


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
