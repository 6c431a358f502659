"""The engine's twin without torch: the same events for the same orders in milliseconds, for every other room's tests.

What it draws is a flat picture whose colours are a hash of caption, seed and adapter. What it trains is a small file
that is a valid adapter, the same bytes for the same order. It keeps checkpoints and resumes from them, so a test that
kills it means something. Only the fake knows these words:

- a generation whose caption contains ``[fail]`` fails;
- a run with a sample whose caption contains ``[nan]`` fails at its third step, naming the sample;
- ``LINOCUT_FAKE_STEP_SECONDS`` in the environment (read when the engine opens) makes each step take that long.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from linocut.catalogue import Base
from linocut.engine.door import Closing, Fetch, has_files
from linocut.engine.fake_files import flat_png
from linocut.engine.fake_training import train
from linocut.engine.refusals import cancelled, damaged_adapter, unknown_fault, wrong_base
from linocut.errors import Conflict, LinocutError, RunFailed
from linocut.files import sha256_hex
from linocut.observe import log
from linocut.orders import Event, Failed, GenerateFinished, GenerateOrder, ImageDrawn, Order, TrainOrder

STEP_SECONDS_VARIABLE = "LINOCUT_FAKE_STEP_SECONDS"
TRAINING_TURN = 4
"""While images wait, a run gets every fourth step."""

FakeRoutine = Generator[None, bool, None]
"""Yields after each step; receives whether its order was cancelled since."""


@dataclass
class _Live:
    order: Order
    routine: FakeRoutine
    workspace: Path
    started: bool = False
    cancelled: bool = False


class FakeEngine:
    """An ``Engine`` (see door.py) that computes nothing."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._step_seconds = float(os.environ.get(STEP_SECONDS_VARIABLE) or 0)
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
        if isinstance(order, TrainOrder):
            routine = train(order, key, fetch, workspace, self._events.append)
        else:
            routine = _generate(order, key, fetch, self._events.append)
        self._live[key] = _Live(order, routine, workspace)

    def cancel(self, key: str) -> None:
        """As ``Engine.cancel``."""
        self._cancels.append(key)

    def step(self) -> list[Event]:
        """As ``Engine.step``: one Euler step of every generation, or one training step of one run."""
        while self._cancels:
            if live := self._live.get(self._cancels.popleft()):
                live.cancelled = True
        turn = self._next_turn()
        if turn and self._step_seconds:
            time.sleep(self._step_seconds)
        for key in turn:
            self._advance(key)
        events, self._events[:] = list(self._events), []
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
        """The keys that take this step: all generations, or the run that has waited longest."""
        self._turn += 1
        images = [key for key, live in self._live.items() if isinstance(live.order, GenerateOrder)]
        runs = [key for key, live in self._live.items() if isinstance(live.order, TrainOrder)]
        if images and not (runs and self._turn % TRAINING_TURN == 0):
            return images
        for key in runs[:1]:
            self._live[key] = self._live.pop(key)
        return runs[:1]

    def _advance(self, key: str) -> None:
        live = self._live[key]
        fresh = not live.started and not has_files(live.workspace)
        if live.cancelled and (fresh or isinstance(live.order, GenerateOrder)):
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
            self._fail(key, unknown_fault(live.order))

    def _fail(self, key: str, error: LinocutError) -> None:
        self._live.pop(key).routine.close()
        self._events.append(Failed(key=key, error=error))


def _generate(order: GenerateOrder, key: str, fetch: Fetch, emit: Callable[[Event], None]) -> FakeRoutine:
    if order.adapter and sha256_hex(fetch(order.adapter.sha256)) != order.adapter.sha256:
        raise damaged_adapter()
    for _ in range(order.sampling.steps):
        yield
    if "[fail]" in order.caption:
        raise RunFailed("The image came out as numbers that are not finite; ask for another seed or prompt.")
    for index, seed in enumerate(order.seeds):
        emit(
            ImageDrawn(
                key=key,
                index=index,
                seed=seed,
                png=flat_png(
                    f"{order.caption}|{seed}|{order.adapter.sha256 if order.adapter else ''}",
                    order.output_width,
                    order.output_height,
                ),
                native_width=order.width,
                native_height=order.height,
            )
        )
    emit(GenerateFinished(key=key))
