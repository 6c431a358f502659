"""The real engine: carries every order's routine from yield to yield, one forward pass a step.

A routine's units go three ways: work off the device to a few helper threads, captions met before to the cache, the
rest to the scheduler, which says what the next pass is. The executor runs it and each routine gets its answer back.
All of this happens on the thread that calls ``step``; only ``cancel`` may come from another.
"""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any

import torch

from linocut.engine.door import BACKGROUND_WAIT_SECONDS, Fetch, has_files
from linocut.engine.executor import Broken, Done, Executor, Outcome
from linocut.engine.judging import Judge, Telling
from linocut.engine.live import LiveOrder
from linocut.engine.memory import Footprint, Pool
from linocut.engine.pass_memory import told
from linocut.engine.refusals import cancelled, wrong_base
from linocut.engine.scheduler import Scheduler, Ticket
from linocut.engine.text_cache import TextCache
from linocut.engine.work import (
    Background,
    DeviceUnit,
    FullPass,
    OutOfMemory,
    Routine,
    StopRequested,
    Unit,
    Yielded,
)
from linocut.errors import Conflict, LinocutError
from linocut.observe import log
from linocut.orders import Event, Failed, Order

HELPER_THREADS = 2
"""Enough for one picture to be encoded while another waits for the disk. Each works with one thread of torch's: with
teams of their own, OpenMP counts more threads than cores, and the device's thread waits asleep (a training step on two
cores took 1.4 times as long)."""
APART_THREADS = 16
"""Threads that wait for answers of other servers."""
SLOW_THREADS = 2
"""Tools at work at one time; what waits for its PNG waits for none of them."""
ANSWER_SECONDS = 0.1
"""So long, counted for each, what an image has left to do beside the device (its PNG, its verdict) keeps the background
from it: a unit of a run takes several times as long as a PNG, and the image would be told of only after it."""

MakeRoutine = Callable[[Order, str, Fetch, Path, Callable[[Event], None]], Routine]
"""The routine of an order: (order, key, fetch, workspace, emit)."""


class RoutineEngine:
    """An ``Engine`` (see door.py) over one resident base.

    ``identity`` is the base's; ``footprint`` weighs orders against ``budget_bytes``, half of it for orders that
    somebody waits for and half for the background. ``full`` and ``background_full`` say how much of each may share a
    pass. ``judge``: who says of each image whether it may be shown; None: nobody. ``at_close`` ends what works beside
    it.
    """

    def __init__(
        self,
        identity: str,
        executor: Executor,
        scheduler: Scheduler,
        full: FullPass,
        background_full: FullPass,
        make_routine: MakeRoutine,
        texts: TextCache,
        footprint: Footprint,
        budget_bytes: int,
        judge: Judge | None = None,
        at_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._identity = identity
        self._executor = executor
        self._scheduler = scheduler
        self._full = {True: full, False: background_full}
        """By whether somebody waits, as the pools."""
        self._make_routine = make_routine
        self._texts = texts
        self._footprint = footprint
        self._pools = {waited_for: Pool(budget_bytes // 2) for waited_for in (True, False)}
        self._live: dict[str, LiveOrder] = {}
        self._start: dict[str, Callable[[], Routine]] = {}
        self._units: dict[int, tuple[LiveOrder, int, DeviceUnit]] = {}
        self._background: dict[Future[Any], tuple[LiveOrder, int]] = {}
        self._helpers = ThreadPoolExecutor(
            HELPER_THREADS, thread_name_prefix="engine-helper", initializer=partial(torch.set_num_threads, 1)
        )
        self._slow = ThreadPoolExecutor(
            SLOW_THREADS, thread_name_prefix="engine-tool", initializer=partial(torch.set_num_threads, 1)
        )
        self._apart = ThreadPoolExecutor(APART_THREADS, thread_name_prefix="engine-apart")
        self._telling = Telling(judge, self._helpers)
        self._at_close = at_close
        self._nearly: dict[Future[Any], float] = {}
        """What is nearly there, and until when the background stands aside for it."""
        self._cancels: deque[str] = deque()
        self._tickets = 0

    def admit(self, key: str, order: Order, fetch: Fetch, workspace: Path) -> None:
        """As ``Engine.admit``."""
        if key in self._live:
            raise Conflict(f"The order {key} is in progress already.")
        live = LiveOrder(key, order, workspace)
        self._live[key] = live
        if order.base != self._identity:
            self._end(live, wrong_base(order.base, self._identity))
            return
        try:
            size = live.carriage.weigh(self._footprint, order)
            self._pools[live.kind.waited_for].wait(key, order.organization_id, size)
        except LinocutError as too_large:
            self._end(live, too_large)
            return
        self._start[key] = partial(self._make_routine, order, key, fetch, workspace, partial(self._emit, live))

    def cancel(self, key: str) -> None:
        """As ``Engine.cancel``."""
        self._cancels.append(key)

    def step(self) -> list[Event]:
        """As ``Engine.step``."""
        self._hear_cancels()
        self._collect_background()
        self._start_waiting()
        if events := self._telling.take():
            return events  # nobody hears of an image a pass later than it is there
        under_way = {*self._background, *self._telling.pending()}
        batch = self._next_batch(under_way)
        if not batch and under_way:
            wait(under_way, timeout=BACKGROUND_WAIT_SECONDS, return_when=FIRST_COMPLETED)
        elif batch:
            self._run(batch)
        return self._telling.take()

    def _next_batch(self, under_way: set[Future[Any]]) -> tuple[Ticket, ...]:
        """The next pass; none of the background's while an answer is nearly there."""
        now = time.monotonic()
        verdicts = dict.fromkeys(self._telling.pending(), now + ANSWER_SECONDS)
        # One that is done and was not heard of yet is among them: it is heard of in the next step.
        nearly = {future: until for future, until in (verdicts | self._nearly).items() if future in under_way}
        self._nearly = nearly
        if not self._scheduler.is_waited_for and any(until > now for until in nearly.values()):
            return ()
        return self._scheduler.next_batch()

    def busy(self) -> bool:
        """As ``Engine.busy``."""
        return bool(self._live or self._telling)

    def close(self) -> None:
        """As ``Engine.close``."""
        for live in list(self._live.values()):
            live.ended = True
            live.leave()
            self._forget(live)
        self._at_close()
        self._apart.shutdown(wait=False, cancel_futures=True)  # another server may take its time; it writes nothing
        self._slow.shutdown(wait=True, cancel_futures=True)
        self._helpers.shutdown(wait=True, cancel_futures=True)
        self._background.clear()
        self._telling.clear()

    def _hear_cancels(self) -> None:
        while self._cancels:
            live = self._live.get(self._cancels.popleft())
            if live is None or live.stop_asked:
                continue
            live.stop_asked = True
            waiting = live.key in self._start
            if not live.kind.resumable or (waiting and not has_files(live.workspace)):
                self._end(live, cancelled())
            elif not waiting:
                # What the run waits for on the device is not worth running; what is on its way to the disk comes first.
                self._withdraw(live)
                live.abandon_all_but({index for owner, index in self._background.values() if owner is live})
                self._advance_if_ready(live)

    def _start_waiting(self) -> None:
        for pool in self._pools.values():
            while (key := pool.start()) is not None:
                make = self._start.pop(key)
                self._advance(self._live[key], partial(self._live[key].begin, make))

    def _run(self, batch: tuple[Ticket, ...]) -> None:
        """One forward pass; every routine that got its answer goes on to its next yield."""
        waiting = [self._units.pop(ticket.number) for ticket in batch]
        began = time.monotonic()
        outcomes = self._executor.run([unit for _, _, unit in waiting])
        seconds = time.monotonic() - began
        self._scheduler.charge(batch, seconds)
        tokens = sum(ticket.tokens for ticket in batch)
        for ticket, (live, _, _) in zip(batch, waiting, strict=True):
            live.worked(seconds * ticket.tokens / tokens)
        for (live, index, unit), outcome in zip(waiting, outcomes, strict=True):
            if (name := unit.remembered_as) is not None and isinstance(outcome, Done) and live.kind.waited_for:
                self._texts.put(name, outcome.result)
            self._settle(live, index, outcome)

    def _collect_background(self) -> None:
        for future in [future for future in self._background if future.done()]:
            live, index = self._background.pop(future)
            error = future.exception()
            self._settle(live, index, Broken(told(error)) if isinstance(error, Exception) else Done(future.result()))

    def _settle(self, live: LiveOrder, index: int, outcome: Outcome) -> None:
        if self._live.get(live.key) is live:  # else the order ended while its unit was under way
            live.settle(index, outcome)
            self._advance_if_ready(live)

    def _advance_if_ready(self, live: LiveOrder) -> None:
        if live.ready:
            self._advance(live, live.resume)

    def _advance(self, live: LiveOrder, go: Callable[[], Yielded]) -> None:
        """Let the routine go on until it must wait, or to its end."""
        try:
            while True:
                units = live.expect(go())
                if live.must_stop:
                    live.abandon_all_but(set())
                else:
                    for index, unit in enumerate(units):
                        self._place(live, index, unit)
                if not live.ready:
                    return
                go = live.resume
        except StopIteration:
            if not live.ended:
                log("engine").error("a routine ended without a last event", key=live.key)
            self._end(live, live.carriage.unknown_fault())
        except StopRequested:
            self._end(live, cancelled())
        except LinocutError as error:
            self._end(live, error)
        except Exception as error:  # the edge of the engine: one order's fault must not stop the others
            short = isinstance(told(error), OutOfMemory)
            log("engine").error("an order failed", key=live.key, exc_info=error)
            carriage = live.carriage
            self._end(live, carriage.out_of_memory(live.order) if short else carriage.unknown_fault())

    def _place(self, live: LiveOrder, index: int, unit: Unit) -> None:
        """Send a unit on its way, or answer it at once."""
        if isinstance(unit, Background):
            threads = self._apart if unit.apart else self._slow if unit.slow else self._helpers
            future = threads.submit(unit.call)
            self._background[future] = live, index
            if threads is self._helpers and live.kind.waited_for:
                self._nearly[future] = time.monotonic() + ANSWER_SECONDS
        elif (name := unit.remembered_as) is not None and (known := self._texts.get(name)):
            live.settle(index, Done(known))
        else:
            self._tickets += 1
            self._units[self._tickets] = live, index, unit
            self._scheduler.add(
                Ticket(
                    number=self._tickets,
                    key=live.key,
                    organization=live.order.organization_id,
                    kind=unit.alike,
                    tokens=unit.tokens,
                    background=not live.kind.waited_for,
                    budget=unit.budget(self._full[live.kind.waited_for]),
                )
            )

    def _emit(self, live: LiveOrder, event: Event) -> None:
        if live.may_tell(event):
            self._telling.put(live.key, live.with_device_seconds(event))

    def _end(self, live: LiveOrder, error: LinocutError) -> None:
        """The order is over; ``error`` is told unless its last event was told already."""
        self._emit(live, Failed(key=live.key, error=error))
        self._forget(live)

    def _forget(self, live: LiveOrder) -> None:
        del self._live[live.key]
        self._start.pop(live.key, None)
        self._pools[live.kind.waited_for].leave(live.key)
        self._withdraw(live)
        live.close()

    def _withdraw(self, live: LiveOrder) -> None:
        self._scheduler.withdraw(live.key)
        for number in [number for number, (owner, _, _) in self._units.items() if owner is live]:
            del self._units[number]
