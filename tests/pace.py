"""How fast this machine is just now: limits on processor time are set for a quiet one, and hold on a slow one too."""

import re
import time
from collections.abc import Callable

QUIET = 0.0196
"""Seconds of processor time that `_known_work` takes on the machine where the limits were set, quiet."""


def _known_work() -> None:
    """A regular expression and plain Python, as the code that is timed."""
    text = "a-b " * 500
    for _ in range(20):
        sum(len(found[0]) for found in re.finditer(r"\w+|\s", text))
    words: dict[str, int] = {}
    for n in range(12_000):
        words[f"w{n % 97}"] = n


def thread_seconds(work: Callable[[], object]) -> float:
    """Processor time of this thread for one call."""
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def slowness() -> float:
    """How many times as long as on the quiet machine something takes just now; at least 1."""
    return max(1.0, min(thread_seconds(_known_work) for _ in range(3)) / QUIET)


def paced_seconds(work: Callable[[], object], limit: float) -> float:
    """Processor time of `work` in seconds of the quiet machine: the best of four, or the first below `limit`.

    A busy neighbour slows a thread's own time too (caches, clock), so known work is timed beside each call.
    """
    best = float("inf")
    for _ in range(4):
        taken = thread_seconds(work)
        if taken >= limit:
            taken /= slowness()
        best = min(best, taken)
        if best < limit:
            break
    return best
