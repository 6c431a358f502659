"""Work that a stop does not interrupt."""

from collections.abc import Generator
from typing import Any, TypeVar

from linocut.engine.work import StopRequested, Yielded

T = TypeVar("T")


def held(inner: Generator[Yielded, Any, T]) -> Generator[Yielded, Any, tuple[T, bool]]:
    """Run ``inner`` to its end -> (its value, whether a stop was asked for meanwhile).

    A ``StopRequested`` thrown in is noted and the unit it came instead of is yielded again; other errors go in.
    """
    stopped = False
    send: Any = None
    error: BaseException | None = None
    try:
        while True:
            unit = inner.send(send) if error is None else inner.throw(error)
            send, error = None, None
            while True:
                try:
                    send = yield unit
                except StopRequested:
                    stopped = True
                    continue
                except Exception as failed:  # handed on, not eaten: the inner routine decides
                    error = failed
                break
    except StopIteration as end:
        return end.value, stopped
    finally:
        inner.close()
