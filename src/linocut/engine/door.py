"""The narrow door to the machine: admit an order, take steps, hear what happened. Imports no torch.

Who does what: a worker loop leases jobs, admits their orders here, calls ``step`` for as long as ``busy``, and writes
what the events say into its database. The engine knows none of that. ``engine.py`` is the real machine, ``fake.py``
its twin that gives the same events for the same orders in milliseconds.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from linocut.orders import Event, Order

Fetch = Callable[[str], bytes]
"""The bytes of the blob with this sha256. Called from the engine's helper threads, so it must be thread-safe."""

BACKGROUND_WAIT_SECONDS = 0.02
"""How long ``step`` waits when only work off the device (PNG, disk) is under way."""


class Engine(Protocol):
    """One device, one resident base, any number of orders at once.

    All methods are called from one thread, except ``cancel``, which any thread may call.
    """

    def admit(self, key: str, order: Order, fetch: Fetch, workspace: Path) -> None:
        """Take an order under ``key``, the name that its events carry.

        Never refuses by raising: an order for another base, or one too large for this machine, ends in a ``Failed``
        event of the next ``step``. An order that does not fit beside those in progress waits for its turn.
        ``workspace`` is the order's own folder (a run's checkpoints live there): admitting the same training order
        again with the same folder, after a crash, resumes it. ``Conflict`` when ``key`` is in progress already.
        """
        ...

    def cancel(self, key: str) -> None:
        """Ask for an order's end; unknown keys and repeated calls are ignored.

        A generation, and a run before its first step, ends in ``Failed(Cancelled)``. A later run winds down with the
        best checkpoint so far and ends in ``TrainFinished`` with ``stopped_at_step``.
        """
        ...

    def step(self) -> list[Event]:
        """Run at most one forward pass and return the events since the last call.

        Returns at once when there is nothing to do; waits at most ``BACKGROUND_WAIT_SECONDS`` when only work off the
        device is under way. Every admitted order ends in exactly one of ``GenerateFinished``, ``TrainFinished`` and
        ``Failed``, and no event of it follows that one.
        """
        ...

    def busy(self) -> bool:
        """Whether an order is in progress or an event waits to be heard."""
        ...

    def close(self) -> None:
        """Drop every order without further events, wait for work on the disk, free the device.

        A run leaves a checkpoint of the step it has reached; admitted again, it goes on from there.
        """
        ...


class Closing(BaseException):
    """Thrown into a run when the engine is closed: leave a checkpoint of this step. No error, so nothing handles it."""


def has_files(workspace: Path) -> bool:
    """Whether an earlier attempt left something in an order's workspace: it may have a best checkpoint."""
    return workspace.is_dir() and any(workspace.iterdir())
