"""A service with a simulated clock: the real lease, turns, roster and affinity, and workers that only count seconds.

A worker draws several images at once: k of them take (0.4 + 0.6 k) seconds each second of work. An image is one second
of work, and one more ``LOAD_SECONDS`` where its custom model's adapter was not loaded.
"""

import random
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tests.jobs.natures import START
from tests.runs.workshop import BASE

from linocut.db.database import Database
from linocut.jobs import affinity, queue, roster
from linocut.jobs.roster import Patience, Worker
from linocut.jobs.types import Asking, NewJob

TICK = 0.1
PLACES = 4
CACHE = 8
LOAD_SECONDS = 1.0
PATIENCE = Patience(90.0, 60.0)


@dataclass(frozen=True)
class Arrival:
    """A job to come: when, whose, with which adapter ("" for none)."""

    at: float
    organization: str
    adapter: str


@dataclass
class Drawer:
    """One simulated worker: adapters by last use, and (job, token, organisation, work left) in hand."""

    name: str
    loaded: OrderedDict[str, None] = field(default_factory=OrderedDict)
    hands: list[list[object]] = field(default_factory=list)


@dataclass
class Told:
    """What came of a day."""

    loads: int = 0
    waits: list[float] = field(default_factory=list)
    device_seconds: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0


def zipf(count: int, models: int, per_second: float, organizations: int, seed: int) -> list[Arrival]:
    """Jobs whose custom models are asked for as 1, 1/2, 1/3 and so on, and belong to organisations in turn."""
    dice = random.Random(seed)
    weights = [1 / rank for rank in range(1, models + 1)]
    at, found = 0.0, []
    for _ in range(count):
        at += dice.expovariate(per_second)
        (model,) = dice.choices(range(models), weights)
        found.append(Arrival(at, f"o{model % organizations}", f"m{model}"))
    return found


def jain(shares: Sequence[float]) -> float:
    """Jain's index of fairness: 1 where all are equal, 1/n where one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


class Day:
    """``run`` lets the time pass until every arrival is drawn, or until ``until`` seconds."""

    def __init__(self, db: Database, workers: int, affinity_seconds: float) -> None:
        self.db, self.patience = db, affinity_seconds
        self.drawers = [Drawer(f"w{number}") for number in range(workers)]
        self.told = Told()
        with db.transaction() as tx:
            for drawer in self.drawers:
                roster.tell(tx, self._worker(drawer, 0.0))

    def run(self, arrivals: Sequence[Arrival], until: float = 1e9) -> Told:
        tick, waiting, coming = 0, 0, list(reversed(arrivals))
        while (coming or waiting or any(drawer.hands for drawer in self.drawers)) and tick * TICK < until:
            now = tick * TICK
            waiting += self._arrive(coming, now)
            for drawer in self.drawers:
                self._work(drawer)
            first = tick % len(self.drawers)
            for drawer in (*self.drawers[first:], *self.drawers[:first]):  # nobody looks first each time
                if waiting and len(drawer.hands) < PLACES + 4 and self._lease(drawer, now):
                    waiting -= 1
            tick += 1
        self.told.seconds = tick * TICK
        return self.told

    def _arrive(self, coming: list[Arrival], now: float) -> int:
        some = []
        while coming and coming[-1].at <= now:
            some.append(coming.pop())
        if some:
            with self.db.transaction() as tx:
                for one in some:
                    job = NewJob(
                        kind="generate", organization_id=one.organization, order="{}", images=1, base=BASE.identity,
                        adapter=one.adapter or None,
                    )  # fmt: skip
                    queue.enqueue(tx, job, now=START + timedelta(seconds=one.at))
        return len(some)

    def _lease(self, drawer: Drawer, now: float) -> bool:
        moment = START + timedelta(seconds=now)
        with self.db.transaction() as tx:
            left: frozenset[str] = frozenset()
            if self.patience:
                workers = [self._worker(one, now) for one in self.drawers]
                places = {one.name: len(one.hands) for one in self.drawers}
                left = affinity.left_to_others(workers, drawer.name, places, moment, PATIENCE)
            since = moment - timedelta(seconds=self.patience)
            own = list(drawer.loaded) if self.patience else []
            asking = Asking(drawer.name, ("generate",), BASE.identity, left=left, left_since=since, own=own)
            job = queue.lease(tx, asking, moment, 1e6)
            if job is None:
                return False
            adapter = queue.get(tx, job.job_id).adapter  # type: ignore[union-attr]
        work = 1.0
        if adapter and adapter not in drawer.loaded:
            work += LOAD_SECONDS
            self.told.loads += 1
        if adapter:
            drawer.loaded[adapter] = None
            drawer.loaded.move_to_end(adapter)
            while len(drawer.loaded) > CACHE:
                drawer.loaded.popitem(last=False)
        self.told.waits.append(job.waited_seconds)
        drawer.hands.append([job.job_id, job.lease_token, job.organization_id, work])
        return True

    def _work(self, drawer: Drawer) -> None:
        if not drawer.hands:
            return
        done = TICK / (0.4 + 0.6 * len(drawer.hands))
        for hand in drawer.hands:
            organization = str(hand[2])
            spent = self.told.device_seconds
            spent[organization] = spent.get(organization, 0.0) + TICK / len(drawer.hands)
            hand[3] = float(hand[3]) - done  # type: ignore[arg-type]
        ended = [hand for hand in drawer.hands if float(hand[3]) <= 0]  # type: ignore[arg-type]
        if ended:
            with self.db.transaction() as tx:
                for job_id, token, _, _ in ended:
                    queue.finish(tx, str(job_id), int(str(token)), {})
            drawer.hands = [hand for hand in drawer.hands if hand not in ended]

    def _worker(self, drawer: Drawer, now: float) -> Worker:
        moment = START + timedelta(seconds=now)
        return Worker(drawer.name, BASE, "serving", "", None, tuple(drawer.loaded), False, START, moment, moment)
