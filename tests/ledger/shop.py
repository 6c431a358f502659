"""A shop without an API: organisations that ask for work, a worker that does it, and the ledger between them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from linocut.accounts import keys, organizations
from linocut.accounts.audit import OPERATOR
from linocut.accounts.types import Caller
from linocut.db.database import Database
from linocut.db.tables import credit_grants, ledger, spent_by_day
from linocut.errors import Cancelled, RunFailed
from linocut.ids import new_id, now
from linocut.jobs import queue
from linocut.jobs.types import Asking, LeasedJob, NewJob
from linocut.ledger import book
from linocut.ledger.reserving import in_progress, reserve
from linocut.ledger.types import Charge, Standing, Wanted
from linocut.settings import Settings

CENT = 10_000
"""In millionths."""
IMAGE = Charge("GENERATE", "V3 generate, DEFAULT", ("v3",), 1, "DEFAULT", "V_3_0")
"""Six cents of the published list."""


@dataclass
class Shop:
    """Prices are the published ones unless ``settings`` says otherwise."""

    db: Database
    settings: Settings = field(default_factory=lambda: Settings(prices="published"))

    def caller(self, name: str = "") -> Caller:
        """A user with a key in an organisation of that name."""
        with self.db.transaction() as tx:
            user_id = organizations.ensure_user(tx, f"user {new_id()}")
            organization_id = organizations.ensure_organization(tx, name or f"org {new_id()}")
            key = keys.create_key(tx, user_id=user_id, organization_id=organization_id)
        return Caller(user_id, organization_id, key.api_key_id)

    def grant(self, caller: Caller, amount: int, lasts: timedelta | None = None, name: str = "credit") -> str:
        """Credit, in millionths."""
        with self.db.transaction() as tx:
            ends = None if lasts is None else now() + lasts
            return book.grant(tx, caller.organization_id, (amount, "USD"), name, OPERATOR, ends)

    def ask(self, caller: Caller, charge: Charge = IMAGE, **wanted: Any) -> str:
        """A job, queued and reserved for."""
        with self.db.transaction() as tx:
            job_id = queue.enqueue(tx, NewJob("generate", caller.organization_id, "{}", charge.quantity))
            reserve(tx, caller, job_id, Wanted(charge, **wanted), self.settings)
        return job_id

    def take(self) -> LeasedJob | None:
        """A worker takes the next one."""
        with self.db.transaction() as tx:
            return queue.lease(tx, Asking("w", ["generate"]), now(), 90)

    def finish(self, job: LeasedJob, device_seconds: float = 0.5) -> None:
        """It is done, and charged."""
        with self.db.transaction() as tx:
            queue.finish(tx, job.job_id, job.lease_token, {"images": []})
            book.charge(tx, job.job_id, device_seconds)

    def fail(self, job: LeasedJob, *, cancelled: bool = False, device_seconds: float = 0.0) -> None:
        """It has come to nothing."""
        with self.db.transaction() as tx:
            queue.fail(tx, job.job_id, job.lease_token, Cancelled() if cancelled else RunFailed())
            book.failed(tx, job.job_id, device_seconds)

    def draw(self, caller: Caller, charge: Charge = IMAGE) -> str:
        """Asked, taken, done."""
        job_id = self.ask(caller, charge)
        job = self.take()
        assert job is not None
        assert job.job_id == job_id
        self.finish(job)
        return job_id

    def stands(self, caller: Caller) -> Standing:
        """How its organisation stands."""
        with self.db.read() as tx:
            return book.standing(tx, caller.organization_id, sum(in_progress(tx, caller.organization_id).values()))

    def entries(self, caller: Caller) -> list[Any]:
        """Its entries, in their order."""
        with self.db.read() as tx:
            mine = select(ledger).where(ledger.c.organization_id == caller.organization_id)
            return list(tx.execute(mine.order_by(ledger.c.entry_id)).all())

    def check_sums(self, caller: Caller) -> None:
        """Every balance is the sum of what stands before it; what is left of grants is the balance."""
        total = 0
        for entry in self.entries(caller):
            total += entry.amount
            assert entry.balance == total
            assert entry.kind != "charge" or -entry.amount == entry.quantity * entry.unit_price
        with self.db.read() as tx:
            left = tx.execute(
                select(func.coalesce(func.sum(credit_grants.c.left), 0)).where(
                    credit_grants.c.organization_id == caller.organization_id
                )
            ).scalar_one()
        assert left == max(0, total)
        self.check_spent(caller)

    def check_spent(self, caller: Caller) -> None:
        """What limits read is, for the organisation and for each key, what the charges of each day sum up to."""
        expected: dict[tuple[str, int], int] = {}
        for entry in self.entries(caller):
            for subject in (entry.organization_id, entry.api_key_id):
                if entry.kind == "charge" and entry.amount and subject is not None:
                    day = entry.hour // 24
                    expected[subject, day] = expected.get((subject, day), 0) - entry.amount
        subjects = {caller.organization_id, *(subject for subject, _ in expected)}
        with self.db.read() as tx:
            rows = tx.execute(select(spent_by_day).where(spent_by_day.c.subject_id.in_(subjects))).all()
        assert {(row.subject_id, row.day): row.amount for row in rows} == expected
