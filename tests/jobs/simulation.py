"""A world of workers that crash, hang and wake, with a clock of its own, played against the real job table.

The simulation keeps its own books of who holds what, in plain Python, and compares after every move. Everything is
drawn from one seed: a failure is repeated by its number. The database itself may fail at any statement
(``unreliable.py``): who is told so knows nothing, but the books know what was committed.

A job has a hidden nature that the table does not know: how many steps it takes, and whether it kills its worker.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete
from tests.jobs.books import FORGOTTEN, TABLE
from tests.jobs.natures import LEASE, START, Hand, Nature, Worker
from tests.jobs.unreliable import Unreliable

from linocut.db.tables import jobs, turns
from linocut.errors import Busy, Cancelled, InvalidRequest, LinocutError, RunFailed, error_from_json
from linocut.jobs import queue, reaper
from linocut.jobs.types import Asking, ExpiredJob, LeaseLost, NewJob

ORGANIZATIONS = ("o1", "o2", "o3")
ENDED = ("DONE", "FAILED")
FAULT_RATE = 0.06


class Simulation:
    """One seed's world. ``run`` plays it to its end and raises AssertionError at the first broken promise."""

    def __init__(self, connection: Connection, seed: int) -> None:
        with connection.begin():
            connection.execute(delete(jobs))
            connection.execute(delete(turns))
        self.random = random.Random(seed)
        self.db = Unreliable(connection, self.random)
        self.clock = 0.0
        self.natures: dict[str, Nature] = {}
        self.workers = [Worker(f"w{i}", self.random.random() < 0.7) for i in range(self.random.randint(1, 4))]
        self.dead: list[str] = []  # names whose supervisor has not buried them yet
        self.refused = 0

    def run(self, moves: int = 80) -> Counter[str]:
        """Chaos for so many moves, then peace until everything has ended; how the jobs ended."""
        verbs = [self.place] * 3 + [self.lease] * 5 + [self.work] * 10 + [self.beat] * 3
        verbs += [self.crash, self.hang, self.hang, self.bury, self.bury, self.reap, self.reap, self.cancel]
        verbs += [self.drain, self.mistake]
        self.db.fault_rate = FAULT_RATE
        try:
            for _ in range(moves):
                self.clock += self.random.expovariate(1 / 8)
                self.random.choice(verbs)()
                self.check()
            self.db.fault_rate = 0.0
            self.peace()
        finally:
            self.db.close()
        return Counter(nature.status for nature in self.natures.values())

    def peace(self) -> None:
        """No more new jobs and no more faults but the deadly jobs' own: everything must end, and soon."""
        for worker in self.workers:
            worker.awake_at = min(worker.awake_at, self.clock + LEASE)
        rounds = 0
        while any(nature.status not in ENDED for nature in self.natures.values()):
            rounds += 1
            assert rounds < 200, f"stuck: {[n for n in self.natures.values() if n.status not in ENDED]}"
            self.clock += 5
            for _ in self.workers:
                for verb in (self.lease, self.work, self.work, self.bury):
                    verb()
            for worker in self.workers:
                for hand in list(worker.hands):
                    self.beat_one(worker, hand)
            self.reap()
            self.check()
        for worker in self.workers:  # those that still hang wake at last and try to write
            worker.awake_at = self.clock
            for hand in list(worker.hands):
                self.finish(worker, hand)
        self.check()

    def write(self, work: Callable[[Connection], Any]) -> tuple[Any, bool, bool]:
        """(what ``work`` gave, whether it was committed, whether whoever asked for it heard so)."""
        said: list[Any] = []
        try:
            with self.db.transaction() as tx:
                said.append(work(tx))
        except Busy:
            return (said[0] if said else None), self.db.committed, False
        return said[0], True, True

    # What clients do.

    def place(self) -> None:
        kind = self.random.choice(["generate", "generate", "train"])
        steps = self.random.randint(1, 6)
        nature = Nature(
            kind=kind,
            organization=self.random.choice(ORGANIZATIONS),
            images=self.random.randint(1, 8) if kind == "generate" else 0,
            steps=steps,
            deadly_at=self.random.randrange(steps) if self.random.random() < 0.15 else None,
            invalid=self.random.random() < 0.1,
        )
        fields = {"kind": kind, "organization_id": nature.organization, "images": nature.images}
        job_id, committed, _ = self.write(lambda tx: queue.enqueue(tx, NewJob(**fields, order="{}"), now=self.now))
        if committed:
            self.natures[job_id] = nature

    def cancel(self) -> None:
        if not self.natures:
            return
        job_id, nature = self.random.choice(list(self.natures.items()))
        answer, committed, _ = self.write(lambda tx: queue.request_cancel(tx, job_id, now=self.now))
        if not committed:
            return
        over_at_once = nature.status == "QUEUED" and (nature.kind == "generate" or nature.last_token == 0)
        assert answer == ("FAILED" if over_at_once else nature.status)
        if nature.status not in ENDED:
            nature.cancelled = True
        if over_at_once:
            nature.status = "FAILED"

    # What workers do.

    def lease(self) -> None:
        worker = self.awake()
        if worker is None or len(worker.hands) >= 3 or (worker.unsure and not self.reclaim(worker)):
            return
        kinds = self.random.choice([("generate", "train"), ("generate",), ("train",)])
        drawing = any(self.natures[hand.job_id].kind == "generate" for hand in worker.hands)
        expected = self.whose_turn(kinds, drawing)
        leased, committed, heard = self.write(
            lambda tx: queue.lease(tx, Asking(worker.worker_id, kinds, answering=drawing), self.now, LEASE)
        )
        worker.unsure = not heard
        if not committed:
            return
        assert (leased.job_id if leased else None) in expected
        if leased is None:
            return
        nature = self.natures[leased.job_id]
        assert nature.holder is None, "leased to two"
        assert leased.lease_token > nature.last_token, "a token came twice"
        assert (leased.attempts, leased.cancel_requested) == (nature.losses, nature.cancelled)
        nature.holder, nature.last_token = (worker.worker_id, leased.lease_token), leased.lease_token
        nature.expires, nature.status = self.now + timedelta(seconds=LEASE), "RUNNING"
        if heard:
            worker.hands.append(Hand(leased.job_id, leased.lease_token, nature.durable))

    def reclaim(self, worker: Worker) -> bool:
        """Put back what the worker was given without hearing of it. True when it is sure again."""
        in_hand = {(hand.job_id, hand.token) for hand in worker.hands}
        held = {i: n.holder for i, n in self.natures.items() if n.holder is not None}
        strays = {i for i, (who, token) in held.items() if who == worker.worker_id and (i, token) not in in_hand}
        taken, committed, heard = self.write(lambda tx: queue.reclaim(tx, worker.worker_id, in_hand))
        if committed:
            assert set(taken) == strays
            for job_id in strays:
                self.natures[job_id].status, self.natures[job_id].holder = "QUEUED", None
        worker.unsure = not heard
        return heard

    def whose_turn(self, kinds: tuple[str, ...], drawing: bool) -> set[str | None]:
        """The jobs that fairness allows to come next (a tie between organisations leaves several), None for nothing.

        Who draws already is given no generation that a worker has died under, whoever's turn it is.
        """
        allowed: set[str | None] = set()
        for kind in kinds:
            waiting = {i: n for i, n in self.natures.items() if n.kind == kind and n.status == "QUEUED"}
            if waiting and kind == "generate":
                drawn = {
                    o: sum(n.images for n in self.natures.values() if n.status == "RUNNING" and n.organization == o)
                    for o in {n.organization for n in waiting.values()}
                }
                fair = {i for i, n in waiting.items() if drawn[n.organization] == min(drawn.values())}
                suspicious = {i for i in fair if drawing and waiting[i].losses}
                allowed |= fair - suspicious
                if not suspicious:
                    return allowed
            elif waiting:
                return allowed | {next(iter(waiting))}  # insertion order is order of creation
        return allowed | {None}

    def work(self) -> None:
        worker = self.awake()
        if worker is None or not worker.hands:
            return
        hand = self.random.choice(worker.hands)
        nature = self.natures[hand.job_id]
        if nature.deadly_at == hand.step:
            self.die(worker)
        elif nature.invalid:
            self.end(worker, hand, lambda tx: queue.fail(tx, hand.job_id, hand.token, InvalidRequest()), "FAILED")
        elif hand.step < nature.steps:
            hand.step += 1
            if self.random.random() < 0.3:  # a report: nothing but the proof of the lease guards it
                self.attempt(worker, hand, lambda tx: queue.require_lease(tx, hand.job_id, hand.token))
            elif nature.kind == "train" and self.random.random() < 0.6:
                self.checkpoint(worker, hand)
        else:
            self.finish(worker, hand)

    def checkpoint(self, worker: Worker, hand: Hand) -> None:
        nature = self.natures[hand.job_id]
        marked = self.attempt(worker, hand, lambda tx: queue.mark_progress(tx, hand.job_id, hand.token, hand.step))
        if marked and hand.step > nature.durable:
            nature.durable, nature.losses = hand.step, 0

    def finish(self, worker: Worker, hand: Hand) -> None:
        def publish(tx: Connection) -> None:
            queue.require_lease(tx, hand.job_id, hand.token)
            queue.finish(tx, hand.job_id, hand.token, {"by": worker.worker_id}, now=self.now)

        if self.end(worker, hand, publish, "DONE"):
            self.natures[hand.job_id].effects += 1

    def drain(self) -> None:
        """A worker is asked to stop: it gives everything back and ends; its supervisor buries it and starts another."""
        worker = self.awake()
        if worker is None:
            return
        for hand in list(worker.hands):
            self.end(worker, hand, lambda tx, h=hand: queue.give_back(tx, h.job_id, h.token), "QUEUED")
        self.die(worker)

    def beat(self) -> None:
        worker = self.awake()
        if worker is not None and worker.hands:
            self.beat_one(worker, self.random.choice(worker.hands))

    def beat_one(self, worker: Worker, hand: Hand) -> None:
        """A heartbeat; a slow one reaches the table some time after it was sent."""
        if worker.awake_at > self.clock:
            return
        nature = self.natures[hand.job_id]
        sent = self.now - timedelta(seconds=self.random.choice([0, 0, 20]))
        answer, committed, heard = self.write(lambda tx: queue.heartbeat(tx, hand.job_id, hand.token, sent, LEASE))
        if not committed:
            return
        assert answer.lost == (nature.holder != (worker.worker_id, hand.token))
        if not answer.lost:
            nature.expires = sent + timedelta(seconds=LEASE)
            assert answer.cancel_requested == nature.cancelled
        elif heard:
            worker.hands.remove(hand)

    def end(self, worker: Worker, hand: Hand, write: Callable[[Connection], None], status: str) -> bool:
        """A write that ends the lease; whether it was made."""
        nature = self.natures[hand.job_id]
        made = self.attempt(worker, hand, write, lets_go=True)
        if made:
            nature.status, nature.holder = status, None
        return made

    def attempt(
        self, worker: Worker, hand: Hand, write: Callable[[Connection], None], *, lets_go: bool = False
    ) -> bool:
        """A write that must be refused exactly when the books say that the lease is another's or nobody's; whether it
        was made. A worker that does not hear so keeps the job in hand and will try again."""
        rightful = self.natures[hand.job_id].holder == (worker.worker_id, hand.token)
        try:
            _, committed, heard = self.write(write)
        except LeaseLost:
            assert not rightful, "a rightful holder was refused"
            self.refused += 1
            worker.hands.remove(hand)
            return False
        assert rightful or not committed, f"{worker.worker_id} wrote without a lease"
        if heard and lets_go:
            worker.hands.remove(hand)
        return committed

    # What goes wrong, and who notices.

    def crash(self) -> None:
        self.die(self.random.choice(self.workers))

    def die(self, worker: Worker) -> None:
        if worker.supervised:
            self.dead.append(worker.name)
        worker.life += 1
        worker.hands, worker.unsure = [], False
        worker.awake_at = self.clock + self.random.uniform(0, 3)

    def hang(self) -> None:
        self.random.choice(self.workers).awake_at = self.clock + self.random.uniform(LEASE / 4, 2 * LEASE)

    def bury(self) -> None:
        """A supervisor sees that its child is dead, and goes on burying it until the database says that it is done."""
        if self.dead:
            name = self.random.choice(self.dead)
            if self.take_back(lambda closed: reaper.bury(self.db, name, closed), lambda n: n.holder[0] == name):
                self.dead = [other for other in self.dead if other != name]

    def mistake(self) -> None:
        """A supervisor takes a living worker for dead."""
        name = self.random.choice(self.workers).worker_id
        self.take_back(lambda closed: reaper.bury(self.db, name, closed), lambda n: n.holder[0] == name)

    def reap(self) -> None:
        now = self.now
        self.take_back(lambda closed: reaper.reap(self.db, now, closed), lambda n: n.expires < now)

    def take_back(self, act: Callable[[reaper.OnFailed], int], concerned: Callable[[Any], bool]) -> bool:
        """A reaper or a supervisor at work; now and then others move between its look and its write (another reaper, a
        heartbeat, a worker that ends the job). True when it heard that it was done."""
        closed: list[ExpiredJob] = []
        mine: list[tuple[str, Nature]] = []
        interrupted = self.random.random() < 0.25
        self.db.committed = False

        def about_to_write() -> None:
            if interrupted:
                self.random.choice([self.reap, self.beat, self.work, self.lease, self.cancel])()
            mine.extend((i, n) for i, n in self.natures.items() if n.holder is not None and concerned(n))

        self.db.before_write = about_to_write
        heard = True
        try:
            taken = act(lambda tx, job: closed.append(job))
        except Busy:
            heard, taken = False, len(mine)
            if not self.db.committed:
                self.db.before_write = None
                return False
        if self.db.before_write is not None:  # it saw nothing to do
            self.db.before_write = None
            assert taken == 0
            return True
        assert taken == len(mine)
        over = {job_id for job_id, nature in mine if self.lose(nature)}
        assert {job.job_id for job in closed} == over
        return heard

    @staticmethod
    def lose(nature: Nature) -> bool:
        """The lease is lost: once more, or for good (True)."""
        nature.losses, nature.holder = nature.losses + 1, None
        over = nature.losses >= 3 or (nature.cancelled and nature.kind == "generate")
        nature.status = "FAILED" if over else "QUEUED"
        return over

    # The promises.

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.clock)

    def awake(self) -> Worker | None:
        able = [w for w in self.workers if w.awake_at <= self.clock and w.worker_id not in self.dead]
        return self.random.choice(able) if able else None

    def check(self) -> None:
        """Compare the whole table with the books."""
        with self.db.connection.begin():
            rows = {row["job_id"]: row for row in TABLE.all(self.db.connection)}
            organization = self.random.choice(ORGANIZATIONS)
            in_flight = queue.images_in_flight(self.db.connection, organization) if self.random.random() < 0.1 else None
            starved = self.db.connection.execute(FORGOTTEN).all()
        assert rows.keys() == self.natures.keys(), "a job is lost or doubled"
        assert not starved, "a job waits, and its organisation has no turn"
        for job_id, nature in self.natures.items():
            row = rows[job_id]
            assert row["status"] == nature.status, (row, nature)
            holder = (row["worker_id"], row["lease_token"]) if row["worker_id"] is not None else None
            assert holder == nature.holder, (row, nature)
            assert nature.effects == (nature.status == "DONE"), "published without being done, or twice"
            assert row["has_finished"] == (nature.status in ENDED)
            if nature.status == "FAILED" and not nature.explained:
                nature.explained = self.explained(nature, error_from_json(row["error"]))
                assert nature.explained, (row, nature)
        if in_flight is not None:
            mine = (n for n in self.natures.values() if n.organization == organization and n.status not in ENDED)
            assert in_flight == sum(nature.images for nature in mine)

    @staticmethod
    def explained(nature: Nature, error: LinocutError) -> bool:
        """Whether a job that failed had a reason to."""
        if isinstance(error, Cancelled):
            return nature.cancelled
        if isinstance(error, InvalidRequest):
            return nature.invalid
        return isinstance(error, RunFailed) and nature.losses == 3
