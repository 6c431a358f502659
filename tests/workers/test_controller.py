"""The controller of a cluster with actors that are only counted: how many workers, which are buried, what is left."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import SecretStr
from tests.orders_for_tests import order_on
from tests.runs.workshop import BASE, Workshop

from linocut import ids
from linocut.jobs import queue
from linocut.jobs.types import Asking
from linocut.settings import Settings
from linocut.workers.controller import Controller, taken
from linocut.workers.scaling import JOBS_A_WORKER, Bounds, wanted

BOUNDS = Bounds(least=1, most=3, idle_seconds=60.0)


@pytest.mark.parametrize(
    ("there", "queued", "idle", "number"),
    [
        (0, 0, 1e9, 1),  # never fewer than the least
        (1, JOBS_A_WORKER, 0, 1),
        (1, JOBS_A_WORKER + 1, 0, 2),
        (3, 1000, 0, 3),  # never more than the most
        (4, 0, 0, 3),
        (2, 0, 59.9, 2),
        (2, 0, 60.0, 1),
        (1, 0, 1e9, 1),
    ],
)
def test_how_many_workers_are_wanted(there: int, queued: int, idle: float, number: int) -> None:
    assert wanted(BOUNDS, there, queued, idle) == number


def test_with_a_least_of_none_the_first_job_starts_one() -> None:
    bounds = Bounds(0, 2, 60.0)
    assert [wanted(bounds, 0, queued, 0.0) for queued in (0, 1)] == [0, 1]
    assert wanted(bounds, 1, 0, 60.0) == 0


def test_a_worker_takes_its_part_of_a_node_for_each_device_that_learns() -> None:
    given: dict[str, Any] = {"cluster_cpus": 2.0, "cluster_gpus": 1.0, "cluster_memory_mib": 10}
    assert taken(Settings(**given), 1) == (2.0, 1.0, 10 << 20)
    assert taken(Settings(**given), 4) == (8.0, 4.0, 40 << 20)


class Counted:
    """An actor without Ray."""

    def __init__(self, name: str, told: dict[str, str], leader: str) -> None:
        self.worker_id, self.told, self.leader, self.ended = name, told, leader, False
        self.address = ""
        self.is_draining = self.is_placed = False

    def has_ended(self) -> bool:
        return self.ended

    def drain(self) -> None:
        self.is_draining = True

    def kill(self) -> None:
        self.ended = True


def controller(workshop: Workshop, **given: Any) -> Controller:
    told = {"cluster": "local", "cluster_least": 1, "cluster_most": 2, "base_v4": "x", **given}
    settings = workshop.runtime.settings.model_copy(update=told)
    start: Any = Counted
    return Controller(settings, workshop.db, {"tiny": BASE.identity}, start)


def place(workshop: Workshop) -> str:
    return str(workshop.write(lambda tx: queue.place(tx, order_on(BASE.identity, ids.new_id()))))


def test_a_lost_worker_s_job_is_free_at_once_and_a_worker_of_another_name_starts(
    workshop: Workshop,
) -> None:
    control = controller(workshop)
    control.round()
    (first,) = control.actors["tiny"]
    told = [first.told[f"LINOCUT_{name}"] for name in ("BASE", "BASE_V4", "CLUSTER")]  # type: ignore[attr-defined]
    assert told == ["tiny", "", ""]
    job_id = place(workshop)
    asking = Asking(first.worker_id, ["generate"], BASE.identity)
    workshop.write(lambda tx: queue.lease(tx, asking, ids.now(), 90))
    first.ended = True  # type: ignore[attr-defined]
    control.round()
    (second,) = control.actors["tiny"]
    assert second.worker_id != first.worker_id
    assert workshop.job(job_id=job_id).status == "QUEUED"


def test_it_grows_with_the_queue_and_shrinks_when_idle(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("linocut.workers.controller.time.monotonic", lambda: now[0])
    control = controller(workshop, cluster_most=2, cluster_idle_seconds=60.0)
    waiting = [place(workshop) for _ in range(JOBS_A_WORKER + 1)]
    control.round(), control.round()
    assert len(control.actors["tiny"]) == 2
    for job_id in waiting:
        workshop.write(lambda tx, job_id=job_id: queue.request_cancel(tx, job_id))
    now[0] += 59
    control.round()
    assert [one.is_draining for one in control.actors["tiny"]] == [False, False]
    now[0] += 1
    control.round()
    assert sorted(one.is_draining for one in control.actors["tiny"]) == [False, True]


def test_devices_are_lent_to_a_worker_that_is_placed_and_go_with_it(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("linocut.workers.controller.time.monotonic", lambda: now[0])
    control: Any = controller(workshop, cluster_most=1, training_remote_devices=2)
    control.round()
    (worker,) = control.actors["tiny"]
    assert control.lenders == {}, "it is not placed yet"
    worker.address = "10.0.0.5:8800"
    control.round()
    first = control.lenders[worker.worker_id]
    assert [(one.leader, one.told["LINOCUT_BASE"]) for one in first] == [("10.0.0.5:8800", "tiny")] * 2
    secrets = {one.told["LINOCUT_TRAINING_SECRET"] for one in (worker, *first)}
    assert len(secrets) == 1
    assert len(secrets.pop()) == 64

    first[0].ended = True
    control.round()
    assert len(control.lenders[worker.worker_id]) == 1, "one that ends at once is not asked for at once"
    now[0] += 2.0
    control.round()
    second = list(control.lenders[worker.worker_id])
    assert len(second) == 2

    second[0].ended, worker.is_draining = True, True
    now[0] += 2.0
    control.round()
    assert control.lenders[worker.worker_id] == second, "nobody is asked for a worker that is about to end"

    worker.ended = True
    control.round()
    assert [one.ended for one in second] == [True, True]
    (other,) = control.actors["tiny"]
    assert control.lenders == {}
    other.address = "10.0.0.6:8800"
    control.round()
    control.close(0)
    assert control.lenders == {}, "and at the end"


def test_the_operator_s_secret_is_kept(workshop: Workshop) -> None:
    control: Any = controller(
        workshop, training_remote_devices=1, training_secret=SecretStr("an operator's own secret")
    )
    control.round()
    (worker,) = control.actors["tiny"]
    assert worker.told["LINOCUT_TRAINING_SECRET"] == "an operator's own secret"


def test_what_an_earlier_controller_started_is_buried_and_nobody_else(workshop: Workshop) -> None:
    control = controller(workshop)
    held = {}
    for name in (f"{control._prefix}x", "host-1"):
        held[name] = place(workshop)
        asking = Asking(name, ["generate"], BASE.identity)
        workshop.write(lambda tx, asking=asking: queue.lease(tx, asking, ids.now(), 90))
    control.bury_earlier_lives()
    found = {name: workshop.job(job_id=job_id).status for name, job_id in held.items()}
    assert found == {f"{control._prefix}x": "QUEUED", "host-1": "RUNNING"}


def test_the_default_installation_needs_no_ray() -> None:
    """With Ray hidden, everything but the controller imports, and the controller says what is missing."""
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "import linocut.api.serve, linocut.workers.process, linocut.workers.supervise, linocut.cli.main\n"
        "linocut.cli.main.command_line()\n"
        "import threading; from linocut.workers import controller; from linocut.settings import Settings\n"
        "import tempfile; from pathlib import Path\n"
        "data = Path(tempfile.mkdtemp())\n"
        "raise SystemExit(controller.run(Settings(data=data, cluster='local'), threading.Event()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert (done.returncode, "pip install 'linocut[cluster]'" in done.stdout + done.stderr) == (78, True), done.stderr


def test_the_most_is_no_less_than_the_least() -> None:
    with pytest.raises(ValueError, match="the most may be no less"):
        Settings(cluster_least=3, cluster_most=2)
