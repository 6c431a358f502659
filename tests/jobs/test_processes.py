"""Real processes at one job table: each job is done once, though one of the workers is killed in the middle."""

import os
import signal
import subprocess
from datetime import timedelta

from tests.db.state_fixtures import python

from linocut.db.database import Database
from linocut.ids import now
from linocut.jobs import queue
from linocut.jobs.reaper import reap
from linocut.jobs.types import JobStatus, NewJob

JOBS = 45

WORKER = """
import sys
from linocut.db.database import Database
from linocut.ids import now
from linocut.jobs import queue
from linocut.jobs.types import Asking

url, name = sys.argv[1:]
db = Database.open(url)
print("ready", flush=True)
sys.stdin.readline()
first = True
while True:
    with db.transaction() as tx:
        leased = queue.lease(tx, Asking(name, ["generate", "train"]), now(), 90)
    if leased is None:
        break
    if first:  # each holds one before any goes on: a worker alone could otherwise empty the table
        print("holds", leased.job_id, flush=True)
        sys.stdin.readline()
        first = False
    with db.transaction() as tx:
        queue.require_lease(tx, leased.job_id, leased.lease_token)
        queue.finish(tx, leased.job_id, leased.lease_token, {"by": name})
    print("did", leased.job_id, flush=True)
db.close()
"""


def _line(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def _go(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None
    worker.stdin.write("go\n")
    worker.stdin.flush()


def test_every_job_is_done_once_by_one_process(db: Database, database_url: str) -> None:
    with db.transaction() as tx:
        placed = {
            queue.enqueue(tx, NewJob(kind=kind, organization_id=f"o{i % 3}", order="{}", images=1))
            for i in range(JOBS // 3)
            for kind in ("generate", "generate", "train")
        }
    workers = {name: python(WORKER, database_url, name) for name in ("a", "b", "victim")}
    held = {}
    for name, worker in workers.items():
        assert _line(worker) == "ready"
        _go(worker)
        held[name] = _line(worker).removeprefix("holds ")
    os.kill(workers["victim"].pid, signal.SIGKILL)
    workers["victim"].wait(timeout=60)
    _go(workers["a"])
    _go(workers["b"])
    done = {name: workers[name].communicate(timeout=60)[0].split()[1::2] for name in ("a", "b")}

    assert sorted(done["a"] + done["b"]) == sorted(placed - {held["victim"]})
    assert held["a"] in done["a"]
    assert held["b"] in done["b"]
    assert reap(db, now() + timedelta(seconds=91), lambda tx, job: None) == 1
    with db.read() as snapshot:
        rows = [queue.get(snapshot, job_id) for job_id in placed]
        assert {row.status for row in rows if row is not None and row.job_id != held["victim"]} == {JobStatus.DONE}
        lost = queue.get(snapshot, held["victim"])
        assert lost is not None
        assert (lost.status, lost.attempts) == (JobStatus.QUEUED, 1)
