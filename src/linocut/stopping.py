"""How a process hears that it is to stop: SIGTERM (a service manager's) and SIGINT (Ctrl-C)."""

import _thread
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

ASKED_BY = (signal.SIGTERM, signal.SIGINT)


def when_asked(act: Callable[[], None]) -> None:
    """From now on ``act`` is called at each of these signals, in the middle of whatever the main thread does.

    So ``act`` may take no lock: the main thread may hold it already, and would wait for itself for ever.
    """

    def asked(_number: int, _frame: FrameType | None) -> None:
        act()

    for number in ASKED_BY:
        signal.signal(number, asked)


def when_asked_is_set() -> threading.Event:
    """An event that is set once this process is asked to stop. To be asked again changes nothing.

    A thread sets it: an event has a lock, which the main thread holds at the beginning and the end of each ``wait``.
    (``threading.Thread`` has locks of its own, so it is one of the plain threads under it.)
    """
    stop = threading.Event()

    def set_it() -> None:
        with suppress(RuntimeError):  # Python ends already, and starts no thread any more
            _thread.start_new_thread(stop.set, ())

    when_asked(set_it)
    return stop
