"""The engine's twin without torch: the same events for the same orders in milliseconds, for every other room's tests.

What it draws is a flat picture whose colours are a hash of caption, seed and adapter. What it trains is a small file
that is a valid adapter, the same bytes for the same order. It keeps checkpoints and resumes from them, so a test that
kills it means something. Only the fake knows these words:

- a generation whose caption contains ``[fail]`` fails, and one with ``[unsafe]`` is withheld (it judges nothing else);
- a run with a sample whose caption contains ``[nan]`` fails at its third step, naming the sample;
- ``LINOCUT_FAKE_STEP_SECONDS`` in the environment (read when the engine opens) makes each step take that long, and
  ``LINOCUT_FAKE_ORDER_SECONDS`` so much longer for each order that takes it: a device of a fixed speed.
"""

import os
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from linocut.bases import Base
from linocut.engine.carriage import FakeRoutine, carriage_of
from linocut.engine.door import Closing, Fetch, has_files
from linocut.engine.refusals import cancelled, wrong_base
from linocut.errors import Conflict, LinocutError
from linocut.observe import log
from linocut.orders import Event, Failed, Order, Timed, kind_of

STEP_SECONDS_VARIABLE = "LINOCUT_FAKE_STEP_SECONDS"
ORDER_SECONDS_VARIABLE = "LINOCUT_FAKE_ORDER_SECONDS"
BACKGROUND_TURN = 4
"""While somebody waits, the background gets every fourth step."""


@dataclass
class _Live:
    order: Order
    routine: FakeRoutine
    workspace: Path
    started: bool = False
    cancelled: bool = False
    device_seconds: float = 0.0
    """Its part of the steps since it last said so."""


class FakeEngine:
    """An ``Engine`` (see door.py) that computes nothing."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._step_seconds = float(os.environ.get(STEP_SECONDS_VARIABLE) or 0)
        self._order_seconds = float(os.environ.get(ORDER_SECONDS_VARIABLE) or 0)
        self._live: dict[str, _Live] = {}
        self._events: list[Event] = []
        self._cancels: deque[str] = deque()
        self._turn = 0

    def admit(self, key: str, order: Order, fetch: Fetch, workspace: Path) -> None:
        """As ``Engine.admit``."""
        if key in self._live:
            raise Conflict(f"The order {key} is in progress already.")
        if order.base != self._base.identity:
            self._events.append(Failed(key=key, error=wrong_base(order.base, self._base.identity)))
            return
        routine = carriage_of(order).fake(order, key, fetch, workspace, self._events.append)
        self._live[key] = _Live(order, routine, workspace)

    def cancel(self, key: str) -> None:
        """As ``Engine.cancel``."""
        self._cancels.append(key)

    def step(self) -> list[Event]:
        """As ``Engine.step``: a step of every order that somebody waits for, or one of an order in the background."""
        while self._cancels:
            if live := self._live.get(self._cancels.popleft()):
                live.cancelled = True
        turn, began = self._next_turn(), time.monotonic()
        seconds = self._step_seconds + self._order_seconds * len(turn)
        if turn and seconds:
            time.sleep(seconds)
        alive = [self._live[key] for key in turn]
        for key in turn:
            self._advance(key)
        for live in alive:
            live.device_seconds += (time.monotonic() - began) / len(turn)
        taking = dict(zip(turn, alive, strict=True))
        events, self._events[:] = [_timed(event, taking.get(event.key)) for event in self._events], []
        return events

    def busy(self) -> bool:
        """As ``Engine.busy``."""
        return bool(self._live or self._events)

    def close(self) -> None:
        """As ``Engine.close``."""
        for live in self._live.values():
            with suppress(Closing):
                live.routine.throw(Closing())
        self._live.clear()
        self._events.clear()

    def _next_turn(self) -> list[str]:
        """The keys that take this step: all that somebody waits for, or the background's that has waited longest."""
        self._turn += 1
        waited_for = [key for key, live in self._live.items() if kind_of(live.order).waited_for]
        background = [key for key, live in self._live.items() if not kind_of(live.order).waited_for]
        if waited_for and not (background and self._turn % BACKGROUND_TURN == 0):
            return waited_for
        for key in background[:1]:
            self._live[key] = self._live.pop(key)
        return background[:1]

    def _advance(self, key: str) -> None:
        live = self._live[key]
        fresh = not live.started and not has_files(live.workspace)
        if live.cancelled and (fresh or not kind_of(live.order).resumable):
            self._fail(key, cancelled())
            return
        try:
            if live.started:
                live.routine.send(live.cancelled)
            else:
                live.started = True
                next(live.routine)
        except StopIteration:
            del self._live[key]
        except LinocutError as error:
            self._fail(key, error)
        except Exception:  # the edge of the engine: one order's fault must not stop the others
            log("engine").exception("an order failed", key=key)
            self._fail(key, carriage_of(live.order).unknown_fault())

    def _fail(self, key: str, error: LinocutError) -> None:
        self._live.pop(key).routine.close()
        self._events.append(Failed(key=key, error=error))


def _timed(event: Event, live: _Live | None) -> Event:
    """The event, with the time that its order had."""
    if live is None or not isinstance(event, Timed):
        return event
    seconds, live.device_seconds = live.device_seconds, 0.0
    return msgspec.structs.replace(event, device_seconds=seconds)
