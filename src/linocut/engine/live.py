"""One order in progress: its routine, and the answers to what the routine yielded last."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from linocut.engine.carriage import carriage_of
from linocut.engine.door import Closing
from linocut.engine.executor import Broken, Outcome
from linocut.engine.work import Routine, StopRequested, Unit, Yielded
from linocut.observe import log
from linocut.orders import Event, Last, Order, Timed, kind_of


class LiveOrder:
    """The bookkeeping between a routine and the engine; it runs nothing itself but the routine's own lines."""

    def __init__(self, key: str, order: Order, workspace: Path) -> None:
        self.key = key
        self.order = order
        self.kind = kind_of(order)
        self.carriage = carriage_of(order)
        self.ended = False
        self.stop_asked = False
        self.workspace = workspace
        self._routine: Routine | None = None
        self._stop_thrown = False
        self._outcomes: list[Outcome | None] = []
        self._in_list = False
        self._device_seconds = 0.0

    def begin(self, make: Callable[[], Routine]) -> Yielded:
        """Make the routine and let it go to its first yield."""
        self._routine = make()
        return next(self._routine)

    def expect(self, yielded: Yielded) -> list[Unit]:
        """The routine yielded this -> its units, whose outcomes ``settle`` brings by index."""
        self._in_list = isinstance(yielded, Sequence)
        units = list(yielded) if isinstance(yielded, Sequence) else [yielded]
        self._outcomes = [None] * len(units)
        return units

    def settle(self, index: int, outcome: Outcome) -> None:
        """Unit ``index`` of the present yield came to this."""
        self._outcomes[index] = outcome

    def abandon_all_but(self, kept: set[int]) -> None:
        """The units at other indexes will not be run: a stop was asked for."""
        for index, outcome in enumerate(self._outcomes):
            if outcome is None and index not in kept:
                self._outcomes[index] = Broken(StopRequested())

    @property
    def ready(self) -> bool:
        """Whether no outcome is missing, so that the routine can go on."""
        return all(outcome is not None for outcome in self._outcomes)

    @property
    def must_stop(self) -> bool:
        """Whether the routine is to hear of a stop when it goes on."""
        return self.stop_asked and not self._stop_thrown

    def resume(self) -> Yielded:
        """Let the routine go on to its next yield; raises what it raises, ``StopIteration`` at its end."""
        routine = self._routine
        if routine is None:
            raise RuntimeError("the routine was not begun")
        outcomes, self._outcomes = self._outcomes, []
        if self.must_stop:
            self._stop_thrown = True
            return routine.throw(StopRequested())
        results = []
        for outcome in outcomes:
            if isinstance(outcome, Broken):
                return routine.throw(outcome.error)
            results.append(outcome.result if outcome else None)
        return routine.send(results if self._in_list else results[0])

    def may_tell(self, event: Event) -> bool:
        """Whether ``event`` may be told: nothing follows the last one."""
        told = not self.ended
        self.ended = self.ended or isinstance(event, Last)
        return told

    def worked(self, seconds: float) -> None:
        """The device has worked for so long for it."""
        self._device_seconds += seconds

    def with_device_seconds(self, event: Event) -> Event:
        """The event, with the time of the device since it was last said, where it says that."""
        if not isinstance(event, Timed):
            return event
        seconds, self._device_seconds = self._device_seconds, 0.0
        return msgspec.structs.replace(event, device_seconds=seconds)

    def leave(self) -> None:
        """The engine is closed: a run leaves a checkpoint."""
        try:
            if self._routine:
                self._routine.throw(Closing())
        except (Closing, StopIteration):
            pass
        except Exception as error:  # the edge of the engine, as below: without it the run has its last checkpoint
            log("engine").error("a run could not leave a checkpoint", key=self.key, exc_info=error)

    def close(self) -> None:
        """Close the routine where it stands; whatever it does then can hurt no one."""
        self.ended = True
        try:
            if self._routine:
                self._routine.close()
        except Exception as error:  # the edge of the engine: one order's fault must not stop the others
            log("engine").error("a routine could not be closed", key=self.key, exc_info=error)
