"""SIGKILL of a worker around the end of its job: its work and its charge are there together, or neither is, and then
another worker does both. One charge each, whenever the first one died.

The worker is a process of its own, which kills itself at the named place of its finishing transaction.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.api.processes import environment, settings_of, until
from tests.walks.test_two_servers import worker

from linocut.accounts import keys, organizations
from linocut.accounts.audit import OPERATOR
from linocut.accounts.types import Caller
from linocut.api.translate.asks import ask_v3
from linocut.db.tables import images, jobs, ledger, reservations
from linocut.generation import service
from linocut.ids import now
from linocut.jobs import queue
from linocut.jobs.types import JobStatus
from linocut.ledger import book
from linocut.ledger.reserving import in_progress
from linocut.ledger.spent import spent_since
from linocut.runtime import Runtime
from linocut.wire import GenerateImageRequestV3

CENT = 10_000

DIE = """
import os, signal, sys, threading
from linocut.engine.open import open_engine
from linocut.environment import settings_with
from linocut.ledger import book
from linocut.runtime import Runtime
from linocut.workers.loop import WorkerLoop
from linocut.workers.writer import Writer

def dying(holder, name, *, after):
    whole = getattr(holder, name)
    def call(*given, **named):
        if after:
            whole(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(holder, name, call)

holder, name, after = {
    "between the end and the charge": (book, "charge", False),
    "before the commit": (book, "charge", True),
    "after the commit": (Writer, "write", True),
}[sys.argv[1]]
dying(holder, name, after=after)
runtime = Runtime.open(settings_with())
loop = WorkerLoop(runtime, open_engine("fake", runtime.base, runtime.base_folder, 1, 1 << 20), "dying")
loop.run(threading.Event(), drain_seconds=0.0)
"""


@pytest.mark.parametrize(
    ("where", "done"),
    [("between the end and the charge", 0), ("before the commit", 0), ("after the commit", 1)],
)
def test_one_charge_whenever_the_worker_dies(tmp_path: Path, where: str, done: int) -> None:
    settings = settings_of(tmp_path, prices="published")
    runtime = Runtime.open(settings)

    def count(table: Any, *conditions: Any) -> int:
        with runtime.db.read() as tx:
            return int(tx.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())

    def standing() -> tuple[int, int, int]:
        """(charges, images, balance in cents)"""
        with runtime.db.read() as tx:
            balance = book.balance_of(tx, caller.organization_id) // CENT
            spent = [spent_since(tx, one, now()) // CENT for one in (home, key.api_key_id)]
        assert spent == [20 - balance] * 2, "what limits read goes with the charge"
        return count(ledger, ledger.c.kind == "charge"), count(images), balance

    with runtime.db.transaction() as tx:
        user, home = organizations.ensure_user(tx, "ada"), organizations.ensure_organization(tx, "home")
        key = keys.create_key(tx, user_id=user, organization_id=home)
        caller = Caller(user, home, key.api_key_id)
        book.grant(tx, home, (20 * CENT, "USD"), "credit", OPERATOR, None)
        job_id = service.place(tx, caller, ask_v3(GenerateImageRequestV3(prompt="tea", num_images=3)), runtime).job_id
    died = subprocess.run([sys.executable, "-c", DIE, where], env=environment(settings), timeout=60)
    assert died.returncode == -9
    assert standing() == ((1, 3, 2) if done else (0, 0, 20)), "together, or neither"
    with runtime.db.transaction() as tx:
        assert in_progress(tx, home) == ({} if done else {key.api_key_id: 18 * CENT})
        queue.release(tx, "dying")
    for _ in range(2):  # a second worker, and a third that has nothing to do
        _work(settings, runtime, job_id)
    assert standing() == (1, 3, 2)
    assert count(jobs, jobs.c.status == JobStatus.DONE) == 1
    assert count(reservations) == 0
    runtime.close()


def _work(settings: Any, runtime: Runtime, job_id: str) -> None:
    with worker(settings):
        until(lambda: _is_done(runtime, job_id), "the end of the job")


def _is_done(runtime: Runtime, job_id: str) -> bool:
    with runtime.db.read() as tx:
        job = queue.get(tx, job_id)
    return job is not None and job.status is JobStatus.DONE
