"""The ledger against a model of it in plain Python, on both databases: grants that end, work that is asked for, taken,
lost, finished, failed, cancelled and taken over, limits, and a clock.

Never negative where credit is asked, one charge for each finished work, and every sum equal, after each operation.
10,000 operations are a campaign (``make soak``); the suite plays some hundreds.
"""

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from tests.ledger.shop import CENT, Shop

from linocut.accounts.audit import OPERATOR
from linocut.accounts.spend_limits import Limits, set_limits
from linocut.accounts.types import Caller
from linocut.db.database import Database
from linocut.db.tables import ledger
from linocut.errors import DailyLimit, InsufficientFunds
from linocut.jobs import queue
from linocut.jobs.types import Asking, LeasedJob, LeaseLost, NewJob
from linocut.ledger import book, reserving
from linocut.ledger.reserving import HELD, release, reserve
from linocut.ledger.types import Charge, Wanted

PRICES = {"v3-TURBO": ("v3", "TURBO", 3 * CENT), "v3-QUALITY": ("v3", "QUALITY", 9 * CENT),
          "legacy-2a": ("legacy-2a", "TURBO", 25_000), "describe": ("describe", "", CENT), "free": ("", "", 0),
          }  # fmt: skip
BEGAN = datetime(2026, 11, 28, 22, tzinfo=UTC)


@dataclass
class Credit:
    """A grant in the model."""

    ends: datetime | None
    left: int
    number: int


@dataclass
class Job:
    """A job in the model. ``ended``: when its stage was done, and holds what it reserved."""

    job_id: str
    key: int
    amount: int
    is_stage: bool
    ended: datetime | None = None
    lease: LeasedJob | None = None


@dataclass
class Books:
    """One organisation in the model."""

    callers: list[Caller]
    granted: int = 0
    charged: int = 0
    expired: int = 0
    charges: int = 0
    credits: list[Credit] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    spent: list[tuple[datetime, int, int]] = field(default_factory=list)
    limits: dict[int | None, int] = field(default_factory=dict)

    @property
    def balance(self) -> int:
        """What is left, and reserved or not."""
        return self.granted - self.charged - self.expired

    def reserved(self, now: datetime, key: int | None = None) -> int:
        """Of work in progress, and of stages that hold."""
        mine = (job for job in self.jobs if key in (None, job.key))
        return sum(job.amount for job in mine if job.ended is None or job.ended > now - HELD)

    def in_order(self) -> list[Credit]:
        """The credit that ends first comes first."""
        far = datetime.max.replace(tzinfo=UTC)
        return sorted((c for c in self.credits if c.left), key=lambda c: (c.ends or far, c.number))

    def over(self, now: datetime) -> list[tuple[Credit, int]]:
        """What would be written off now."""
        spare, found = self.balance - self.reserved(now), []
        for credit in self.in_order():
            if credit.ends is not None and credit.ends <= now and spare > 0:
                found.append((credit, min(credit.left, spare)))
                spare -= found[-1][1]
        return found

    def available(self, now: datetime) -> int:
        """What new work may cost."""
        return self.balance - self.reserved(now) - sum(part for _, part in self.over(now))

    def today(self, now: datetime, key: int | None) -> int:
        """What was spent today, and is reserved."""
        spent = sum(amount for at, one, amount in self.spent if at.date() == now.date() and key in (None, one))
        return spent + self.reserved(now, key)


class Ledger(RuleBasedStateMachine):
    """Two organisations of two keys each."""

    db: Database

    @initialize()
    def open(self) -> None:
        self.shop, self.now, self.worker = Shop(self.db), BEGAN, 0
        self.patched = pytest.MonkeyPatch()
        for module in (book, reserving):
            self.patched.setattr(module, "now", lambda: self.now)
        self.books = []
        for _ in range(2):
            first = self.shop.caller()
            self.books.append(Books([first, Caller(first.user_id, first.organization_id, f"{first.user_id[:20]}-2")]))
        for which in range(2):  # so that little is refused in the first steps
            self.grant(which, 40, None)
            self.grant(which, 20, 1)

    def teardown(self) -> None:
        if hasattr(self, "patched"):
            for books in self.books:
                for job in [one for one in books.jobs if one.ended is None and one.lease is None]:
                    with self.db.transaction() as tx:
                        queue.request_cancel(tx, job.job_id)
            self.patched.undo()

    @rule(which=st.integers(0, 1), cents=st.integers(1, 60), hours=st.sampled_from([None, None, 1, 5, 30]))
    def grant(self, which: int, cents: int, hours: int | None) -> None:
        books = self.books[which]
        ends = None if hours is None else self.now + timedelta(hours=hours)
        self.now += timedelta(microseconds=1)  # grants have an order
        with self.db.transaction() as tx:
            book.grant(tx, books.callers[0].organization_id, (cents * CENT, "USD"), "credit", OPERATOR, ends)
        books.credits.append(Credit(ends, cents * CENT, len(books.credits)))
        books.granted += cents * CENT

    @rule(which=st.integers(0, 1), key=st.sampled_from([None, 0]), cents=st.sampled_from([None, None, 20, 40]))
    def limit(self, which: int, key: int | None, cents: int | None) -> None:
        books = self.books[which]
        organization_id = books.callers[0].organization_id
        subject = organization_id if key is None else books.callers[key].api_key_id
        with self.db.transaction() as tx:
            set_limits(tx, subject, organization_id, Limits(day=None if cents is None else cents * CENT), OPERATOR)
        books.limits.pop(key, None)
        if cents is not None:
            books.limits[key] = cents * CENT

    @rule(
        which=st.integers(0, 1), key=st.integers(0, 1), price=st.sampled_from(sorted(PRICES)),
        quantity=st.integers(1, 4), is_stage=st.booleans(),
    )  # fmt: skip
    def ask(self, which: int, key: int, price: str, quantity: int, is_stage: bool) -> None:
        self._ask(self.books[which], key, price, quantity, is_stage=is_stage, earlier=None)

    @precondition(lambda self: any(job.ended for books in self.books for job in books.jobs))
    @rule(data=st.data())
    def take_over(self, data: st.DataObject) -> None:
        """The last job of a request takes over what its first one holds, or held."""
        books, job = data.draw(
            st.sampled_from([(books, job) for books in self.books for job in books.jobs if job.ended])
        )
        price = next((name for name, one in PRICES.items() if one[2] and job.amount % one[2] == 0), "free")
        quantity = max(1, job.amount // max(1, PRICES[price][2]))
        if quantity <= 40:
            self._ask(books, job.key, price, quantity, is_stage=False, earlier=job)

    def _ask(self, books: Books, key: int, price: str, quantity: int, *, is_stage: bool, earlier: Job | None) -> None:
        item, speed, unit = PRICES[price]
        amount, caller = unit * quantity, books.callers[key]
        without = [job for job in books.jobs if job is not earlier]
        kept, books.jobs = books.jobs, without
        expected: type[Exception] | None = None
        if amount:
            over_limit = any(
                one in (None, key) and books.today(self.now, one) + amount > most for one, most in books.limits.items()
            )
            expected = DailyLimit if over_limit else InsufficientFunds if books.available(self.now) < amount else None
        charge = Charge("OTHER", price, (item,), quantity, speed)
        try:
            with self.db.transaction() as tx:
                if earlier is not None:
                    release(tx, earlier.job_id)
                job_id = queue.enqueue(tx, NewJob("generate", caller.organization_id, "{}", quantity))
                reserve(tx, caller, job_id, Wanted(charge, is_stage=is_stage), self.shop.settings)
        except (DailyLimit, InsufficientFunds) as refused:
            told: type[Exception] | None = type(refused)
        else:
            told = None
        assert told is expected
        if told is not None:
            books.jobs = kept
            return
        if amount:
            for credit, part in books.over(self.now):
                credit.left -= part
                books.expired += part
        books.jobs.append(Job(job_id, key, amount, is_stage))

    @rule()
    def take(self) -> None:
        """A worker of its own for each job, so that one can die alone."""
        self.worker += 1
        with self.db.transaction() as tx:
            lease = queue.lease(tx, Asking(f"w{self.worker}", ["generate"]), self.now, 90)
        waiting = [job for books in self.books for job in books.jobs if job.ended is None and job.lease is None]
        assert (lease is None) == (not waiting)
        for job in waiting:
            if lease is not None and job.job_id == lease.job_id:
                job.lease = lease

    def _held(self) -> list[tuple[Books, Job]]:
        return [(books, job) for books in self.books for job in books.jobs if job.lease and job.ended is None]

    @precondition(lambda self: self._held())
    @rule(data=st.data(), how=st.sampled_from(["done", "done", "done", "failed", "cancelled", "given back"]))
    def end(self, data: st.DataObject, how: str) -> None:
        books, job = data.draw(st.sampled_from(self._held()))
        lease = job.lease
        assert lease is not None
        with self.db.transaction() as tx:
            if how == "done":
                queue.finish(tx, job.job_id, lease.lease_token, {}, now=self.now)
                book.charge(tx, job.job_id, 0.1)
            elif how == "given back":
                queue.give_back(tx, job.job_id, lease.lease_token)
            else:
                queue.fail(tx, job.job_id, lease.lease_token, InsufficientFunds(), now=self.now)
                book.failed(tx, job.job_id, 0.1)
        job.lease = None
        if how == "given back":
            return
        if how == "done" and job.is_stage:
            job.ended = self.now
            return
        books.jobs.remove(job)
        if how == "done":
            self._charged(books, job)

    def _charged(self, books: Books, job: Job) -> None:
        amount = job.amount
        books.charged += amount
        books.charges += 1
        books.spent.append((self.now, job.key, amount))
        for credit in books.in_order():
            part = min(credit.left, amount)
            credit.left -= part
            amount -= part

    @precondition(lambda self: self._held())
    @rule(data=st.data())
    def finish_with_an_old_lease(self, data: st.DataObject) -> None:
        """A worker that lost its lease charges nothing."""
        _, job = data.draw(st.sampled_from(self._held()))
        assert job.lease is not None
        old = dataclasses.replace(job.lease, lease_token=job.lease.lease_token - 1)
        with pytest.raises(LeaseLost):
            self.shop.finish(old)

    @precondition(lambda self: any(not job.lease and not job.ended for b in self.books for job in b.jobs))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        waiting = [(b, job) for b in self.books for job in b.jobs if not job.lease and not job.ended]
        books, job = data.draw(st.sampled_from(waiting))
        with self.db.transaction() as tx:
            queue.request_cancel(tx, job.job_id)
        books.jobs.remove(job)

    @rule(seconds=st.sampled_from([1, 1, 61, 3601, 30 * 3600]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def sums_are_equal(self) -> None:
        for books in getattr(self, "books", []):
            caller = books.callers[0]
            stands = self.shop.stands(caller)
            assert stands.balance == books.balance >= 0
            assert stands.reserved == books.reserved(self.now)
            assert stands.available == books.available(self.now) >= 0
            with self.db.read() as tx:
                mine = ledger.c.organization_id == caller.organization_id
                sold = func.count(func.nullif(ledger.c.quantity, 0))  # failed work has quantity 0
                sums: Any = select(ledger.c.kind, func.sum(ledger.c.amount), sold).where(mine)
                rows = tx.execute(sums.group_by(ledger.c.kind))
                found = {kind: (int(total), int(count)) for kind, total, count in rows}
            assert found.get("charge", (0, 0)) == (-books.charged, books.charges)
            assert found.get("grant", (0, 0))[0] == books.granted
            assert found.get("expiry", (0, 0))[0] == -books.expired
            self.shop.check_sums(caller)


def play(db: Database, games: int, operations: int) -> None:
    """Play so many games of so many operations."""
    machine = type("LedgerOn", (Ledger,), {"db": db})
    run_state_machine_as_test(machine, settings=settings(max_examples=games, stateful_step_count=operations))


def test_the_ledger_and_its_model_agree(db: Database) -> None:
    play(db, 16 if db.is_sqlite else 5, 40)


@pytest.mark.soak
def test_ten_thousand_operations(db: Database) -> None:
    play(db, 100, 100)
