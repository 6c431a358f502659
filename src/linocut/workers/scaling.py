"""How many workers of a base there are to be. Pure."""

from dataclasses import dataclass

JOBS_A_WORKER = 4
"""Queued jobs for each worker that is there from which one more is started: what one pass holds."""


@dataclass(frozen=True)
class Bounds:
    """``least`` and ``most`` workers of each base; one goes when its base was idle for ``idle_seconds``."""

    least: int
    most: int
    idle_seconds: float


def wanted(bounds: Bounds, there: int, queued: int, idle_seconds: float) -> int:
    """``there``: workers that are there or start; ``queued``: jobs of the base that wait; ``idle_seconds``: since it
    had anything to do. One at a time, up and down: a worker that starts takes load off before the next is asked for."""
    if there < bounds.least:
        return bounds.least
    if queued > JOBS_A_WORKER * there and there < bounds.most:
        return there + 1
    if there > bounds.most or (idle_seconds >= bounds.idle_seconds and there > bounds.least):
        return there - 1
    return there
