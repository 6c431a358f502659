"""A day of a large service on a simulated clock, through the real lease, turns, affinity and roster code.

Workers draw on devices of one speed; 10,000 custom models are asked for as 1, 1/2, 1/3 and so on, by 200 organisations;
load follows the hour, bursts of five organisations at once come on top, and workers are lost and come back. Told:
Jain's index by device seconds of those who waited all the time, waiting times, and adapter loads with and without
affinity.

    python benchmarks/scale_day.py [--hours 24] [--workers 8] [--seed 1]

Writes scale_day.md beside this file. Only waiting times and counts of the simulated clock are told, so a busy machine
changes nothing of them.
"""

import argparse
import heapq
import math
import random
import statistics
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from load import percentile, where

from linocut.bases import MINI, Base, load_base
from linocut.db.database import Database
from linocut.jobs import affinity, queue, roster
from linocut.jobs.roster import Patience, Worker
from linocut.jobs.types import Asking, NewJob

START = datetime(2026, 11, 28, tzinfo=UTC)
MODELS, ORGANIZATIONS = 10_000, 200
IMAGE_SECONDS, LOAD_SECONDS = 10.0, 1.0
"""Of a device for one image, and for one adapter that is not loaded."""
PLACES, CACHE = 4, 32
"""Images that a worker draws at once, each at a quarter of the device's speed; adapters that it keeps loaded."""
LOOK_SECONDS = 0.5
LEASE_SECONDS, AFFINITY_SECONDS = 90.0, 1.0
PATIENCE = Patience(LEASE_SECONDS, 60.0)
BUSY, BURSTS, CROWD, BURST_JOBS = 0.45, 8, 5, 120
LOST_A_DAY, AWAY_SECONDS = 12, 600.0
WINDOW = 300.0
"""Fairness is told by windows of five minutes: of those whose jobs waited through all of it."""


@dataclass
class Drawer:
    """One worker: adapters by last use, and what it has in hand: job -> (token, organisation, seconds left)."""

    name: str
    loaded: OrderedDict[str, None] = field(default_factory=OrderedDict)
    hands: dict[str, list[object]] = field(default_factory=dict)
    is_there: bool = True
    worked_until: float = 0.0


@dataclass
class Told:
    """What came of a day."""

    jobs: int = 0
    loads: int = 0
    again: int = 0
    waits: list[float] = field(default_factory=list)
    shares: dict[int, dict[str, float]] = field(default_factory=dict)
    seen: dict[int, set[str]] = field(default_factory=dict)
    """By window: who has waited all the time so far."""


def arrivals(hours: float, workers: int, seed: int) -> Iterator[tuple[float, str, str]]:
    """(second, organisation, adapter): by the hour, and bursts of single organisations."""
    dice, day = random.Random(seed), hours * 3600
    weights = [1 / rank for rank in range(1, MODELS + 1)]
    mean = workers / IMAGE_SECONDS * BUSY
    found: list[tuple[float, str, str]] = []
    at = 0.0
    peak = 1.6 * mean
    while (at := at + dice.expovariate(peak)) < day:
        if dice.random() * peak < mean * (1 + 0.6 * math.sin(2 * math.pi * at / 86_400 - math.pi / 2)):
            found.append((at, "", ""))
    chosen = dice.choices(range(MODELS), weights, k=len(found))
    found = [(at, f"o{model % ORGANIZATIONS}", f"m{model}") for (at, _, _), model in zip(found, chosen, strict=True)]
    for _ in range(round(BURSTS * hours / 24)):
        begin = dice.uniform(0, day)
        for place, who in enumerate(dice.sample(range(ORGANIZATIONS), CROWD), start=1):
            mine = list(range(who, MODELS, ORGANIZATIONS))[:5]
            found += [(begin + 0.2 * n, f"o{who}", f"m{dice.choice(mine)}") for n in range(BURST_JOBS * place)]
    yield from sorted(found)


def jain(shares: Sequence[float]) -> float:
    """1 where all are equal, 1/n where one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


class Day:
    """``run`` lets ``hours`` pass, and then everything that is queued be drawn."""

    def __init__(self, db: Database, base: Base, workers: int, *, affine: bool, seed: int) -> None:
        self._db, self._base, self._affine = db, base, affine
        self._drawers = [Drawer(f"w{number}") for number in range(workers)]
        self._dice = random.Random(seed + 1)
        self._queued: Counter[str] = Counter()
        self._adapter_of: dict[str, str] = {}
        self.told = Told()

    def run(self, hours: float, seed: int) -> Told:
        coming = list(arrivals(hours, len(self._drawers), seed))
        self.told.jobs = len(coming)
        coming.reverse()
        losses = [
            (self._dice.uniform(0, hours * 3600), self._dice.randrange(len(self._drawers)))
            for _ in range(round(LOST_A_DAY * hours / 24))
        ]
        events = [(at, number, False) for at, number in losses]
        events += [(at + AWAY_SECONDS, number, True) for at, number in losses]
        heapq.heapify(events)
        now = 0.0
        while coming or self._queued.total() or any(one.hands for one in self._drawers):
            if not self._queued.total() and coming and not any(one.hands for one in self._drawers):
                now = max(now, coming[-1][0])
            while events and events[0][0] <= now:
                _, number, back = heapq.heappop(events)
                self._come(number) if back else self._go(number, now)
            self._arrive(coming, now)
            order = self._dice.sample(self._drawers, len(self._drawers))
            for drawer in order:
                if drawer.is_there:
                    self._work(drawer, now)
            for drawer in order:
                while drawer.is_there and len(drawer.hands) < PLACES and self._queued.total():
                    if not self._lease(drawer, now):
                        break
            self._note(now)
            now += LOOK_SECONDS
        return self.told

    def _arrive(self, coming: list[tuple[float, str, str]], now: float) -> None:
        some = []
        while coming and coming[-1][0] <= now:
            some.append(coming.pop())
        if not some:
            return
        with self._db.transaction() as tx:
            for at, organization, adapter in some:
                job = NewJob(
                    kind="generate", organization_id=organization, order="{}", images=1, base=self._base.identity,
                    adapter=adapter,
                )  # fmt: skip
                self._adapter_of[queue.enqueue(tx, job, now=START + timedelta(seconds=at))] = adapter
                self._queued[organization] += 1

    def _lease(self, drawer: Drawer, now: float) -> bool:
        moment = START + timedelta(seconds=now)
        left: frozenset[str] = frozenset()
        own: list[str] = []
        if self._affine:
            own = list(drawer.loaded)
            workers = [self._worker(one, moment) for one in self._drawers if one.is_there]
            places = {one.name: len(one.hands) for one in self._drawers}
            left = affinity.left_to_others(workers, drawer.name, places, moment, PATIENCE)
        since = moment - timedelta(seconds=AFFINITY_SECONDS)
        asking = Asking(drawer.name, ("generate",), self._base.identity, left=left, left_since=since, own=own)
        with self._db.transaction() as tx:
            job = queue.lease(tx, asking, moment, LEASE_SECONDS)
        if job is None:
            return False
        adapter, work = self._adapter_of[job.job_id], IMAGE_SECONDS
        if adapter not in drawer.loaded:
            work += LOAD_SECONDS
            self.told.loads += 1
        drawer.loaded[adapter] = None
        drawer.loaded.move_to_end(adapter)
        while len(drawer.loaded) > CACHE:
            drawer.loaded.popitem(last=False)
        self._queued[job.organization_id] -= 1
        self.told.waits.append(job.waited_seconds)
        drawer.hands[job.job_id] = [job.lease_token, job.organization_id, work]
        drawer.worked_until = max(drawer.worked_until, now) if len(drawer.hands) > 1 else now
        return True

    def _work(self, drawer: Drawer, now: float) -> None:
        spent = now - drawer.worked_until
        drawer.worked_until = now
        if not drawer.hands or spent <= 0:
            return
        share = spent / len(drawer.hands)
        window = int(now // WINDOW)
        ended = []
        for job_id, hand in drawer.hands.items():
            hand[2] = float(str(hand[2])) - share
            had = self.told.shares.setdefault(window, {})
            had[str(hand[1])] = had.get(str(hand[1]), 0.0) + share
            if float(str(hand[2])) <= 0:
                ended.append(job_id)
        if ended:
            with self._db.transaction() as tx:
                for job_id in ended:
                    queue.finish(tx, job_id, int(str(drawer.hands.pop(job_id)[0])), {})
                    del self._adapter_of[job_id]

    def _go(self, number: int, now: float) -> None:
        """A node is lost; its controller buries the worker at once."""
        drawer = self._drawers[number]
        if not drawer.is_there:
            return
        drawer.is_there = False
        drawer.loaded.clear()
        with self._db.transaction() as tx:
            taken = queue.release(tx, drawer.name, now=START + timedelta(seconds=now))
        for job in taken:
            self._queued[job.organization_id] += 1
            self.told.again += 1
        drawer.hands.clear()

    def _come(self, number: int) -> None:
        self._drawers[number].is_there = True

    def _note(self, now: float) -> None:
        """Who waits, and who does not, in this window."""
        window = int(now // WINDOW)
        waiting = {name for name, number in self._queued.items() if number > 0}
        before = self.told.seen.setdefault(window, set(waiting))
        before &= waiting

    def _worker(self, drawer: Drawer, moment: datetime) -> Worker:
        return Worker(
            drawer.name, self._base, roster.SERVING, "", None, tuple(drawer.loaded), False, START, moment, moment
        )


def fairness(told: Told) -> list[tuple[int, float]]:
    """(how many, Jain's index) of each window in which two or more organisations waited all the time."""
    return [
        (len(names), jain([told.shares.get(window, {}).get(name, 0.0) for name in sorted(names)]))
        for window, names in sorted(told.seen.items())
        if len(names) > 1
    ]


def main() -> None:
    """Both days, and what they tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    base = load_base(MINI)
    days = {}
    for affine in (False, True):
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            db = Database.open(Path(folder) / "day.db")
            days[affine] = Day(db, base, asked.workers, affine=affine, seed=asked.seed).run(asked.hours, asked.seed)
            db.close()
    rows = []
    for affine, told in days.items():
        windows = fairness(told)
        index = [one for _, one in windows]
        rows.append(
            f"| {'with' if affine else 'without'} | {told.jobs:,} | {told.loads:,} ({told.loads / told.jobs:.0%}) | "
            f"{statistics.mean(told.waits):.1f} | {statistics.median(told.waits):.1f} | "
            f"{percentile(told.waits, 0.95):.1f} | {percentile(told.waits, 0.99):.1f} | {max(told.waits):.0f} | "
            f"{told.again} | {len(windows)} | {statistics.mean(index) if index else 1:.3f} | "
            f"{min(index) if index else 1:.3f} |"
        )
    text = f"""# A simulated day of a large service

{asked.workers} workers, each {IMAGE_SECONDS:g} s of its device an image and {LOAD_SECONDS:g} s an adapter.
{MODELS:,} custom models, asked for as 1, 1/2, 1/3 and so on, of {ORGANIZATIONS} organisations.
{asked.hours:g} hours; by the hour, on average {BUSY:.0%} of the devices.
{BURSTS} bursts a day of {CROWD} organisations at once, the first with {BURST_JOBS} images, the others with 2 to 5
times as many. {LOST_A_DAY} workers are lost a day, each for {AWAY_SECONDS:g} s.

Waits are seconds of the simulated clock. Jain's index is by device seconds, of the organisations that waited through
all of a window of {WINDOW:g} s.

| affinity | images | adapter loads | mean wait | median | p95 | p99 | longest | drawn again | windows | Jain | least |
|---|---|---|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

{where("scale_day.py")}
"""
    Path(__file__).with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
