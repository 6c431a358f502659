"""A worker that lost its lease writes nothing more: no row, no checkpoint, whoever notices first."""

import time
from pathlib import Path
from typing import Any

import pytest
from tests.runs.workshop import BASE, Workshop
from tests.workers.running import LONG, Running, Slow, everything, steps_of, until

from linocut import ids
from linocut.errors import Conflict
from linocut.jobs import queue, reaper
from linocut.jobs.types import Asking, LeaseLost
from linocut.orders import AdapterRef, CheckpointScored, PhaseChanged, PreviewDrawn, TrainFinished, TrainProgress
from linocut.runs import reports
from linocut.runs.reports import close_failed_job
from linocut.runs.types import AdvancedAsk
from linocut.workers.heart import STALLED_SECONDS


def test_a_worker_that_hung_and_wakes_cannot_write(workshop: Workshop) -> None:
    """It hangs in the middle of a run; its lease is taken; another worker ends the run; then it wakes and goes on."""
    started = workshop.start(workshop.alice, advanced=AdvancedAsk(training_steps=100, lora_rank=64, seed=3))
    sleeper = workshop.worker("sleeper")
    sleeper.heart.close()  # nothing tells it that its lease is lost: only the fence can stop it
    while steps_of(workshop, started.model_id) < 1:
        sleeper.turn()
    workshop.lose_leases()
    reaper.reap(workshop.db, ids.now(), close_failed_job)
    workshop.worker("other").run_until_idle()
    before = everything(workshop)
    while sleeper._engine.busy():
        for event in sleeper._engine.step():
            sleeper.publisher.put(event)
    until(lambda: not sleeper.holdings.all())
    until(sleeper.publisher.idle)
    assert everything(workshop) == before
    model = workshop.model(workshop.alice, started.model_id)
    assert (model.status, model.custom_model_uri) == ("COMPLETED", "model/house-style/version/1")


def test_the_engine_stops_working_on_what_was_lost(workshop: Workshop) -> None:
    workshop.start(workshop.alice, advanced=LONG)
    loop = workshop.worker()
    loop.heart.close()  # so that the publisher is the one who learns of it
    for _ in range(3):
        loop.turn()
    workshop.lose_leases()
    reaper.reap(workshop.db, ids.now(), close_failed_job)
    turns = 0
    while loop.turn(leasing=False):
        turns += 1
        time.sleep(0.001)
        assert turns < 2_000, "it trains on for nobody"


def test_a_sleeper_s_checkpoints_land_where_nobody_reads(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=AdvancedAsk(training_steps=100, lora_rank=64, seed=3))
    run_id = workshop.model(workshop.alice, started.model_id).runs[0].run_id
    folder = workshop.runtime.workspace(run_id)
    sleeper = workshop.worker("sleeper")
    sleeper.heart.close()
    while not list(folder.rglob("fake-checkpoint.json")):
        sleeper.turn()
    workshop.lose_leases()
    reaper.reap(workshop.db, ids.now(), close_failed_job)
    other = workshop.worker("other", Slow())
    other.turn()
    mine = folder / "2"
    assert (mine / "fake-checkpoint.json").exists(), "the checkpoint moved with the lease"
    kept = (mine / "fake-checkpoint.json").read_bytes()
    for _ in range(30):
        sleeper._engine.step()
    assert (mine / "fake-checkpoint.json").read_bytes() == kept
    other.run_until_idle()
    assert workshop.model(workshop.alice, started.model_id).status == "COMPLETED"


def test_the_same_worker_may_lease_again_what_it_lost(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=AdvancedAsk(training_steps=100, lora_rank=64, seed=3))
    loop = workshop.worker()
    for _ in range(5):
        loop.turn()
    workshop.lose_leases()
    reaper.reap(workshop.db, ids.now(), close_failed_job)
    loop.heart.look()
    loop.run_until_idle()
    assert workshop.model(workshop.alice, started.model_id).status == "COMPLETED"


def test_the_heart_lets_go_at_once_of_what_was_taken(workshop: Workshop) -> None:
    workshop.start(workshop.alice, advanced=LONG)
    loop = workshop.worker()
    assert loop.turn()
    until(loop.publisher.idle)  # so that it is not the publisher who learns of it
    assert loop.holdings.in_background()
    workshop.lose_leases()
    reaper.reap(workshop.db, ids.now(), close_failed_job)
    loop.heart.look()
    assert not loop.holdings.in_background()


def test_the_heart_keeps_a_lease_that_would_have_expired(open_workshop: Any) -> None:
    workshop = open_workshop(lease_seconds=0.6, heartbeat_seconds=0.1)
    started = workshop.start(workshop.alice, advanced=LONG)
    running = Running(workshop.worker(engine=Slow()))
    until(lambda: steps_of(workshop, started.model_id) > 0)
    for _ in range(15):
        time.sleep(0.1)
        assert reaper.reap(workshop.db, ids.now(), close_failed_job) == 0
    assert workshop.job(kind="train").attempts == 0
    running.end()


def test_an_engine_that_stands_still_for_too_long_loses_its_leases_on_purpose(workshop: Workshop) -> None:
    workshop.start(workshop.alice, advanced=LONG)
    loop = workshop.worker()
    assert loop.turn()
    loop.heart.renew()
    renewed = workshop.job(kind="train").lease_expires_at
    loop.heart.loop_turned_at -= STALLED_SECONDS + 1
    loop.heart.renew()
    assert workshop.job(kind="train").lease_expires_at == renewed
    loop.turn()
    loop.heart.renew()
    assert workshop.job(kind="train").lease_expires_at > renewed


def test_a_worker_with_a_broken_heart_loses_its_lease_and_the_model_closes_after_three(open_workshop: Any) -> None:
    workshop = open_workshop()
    started = workshop.start(workshop.alice, advanced=LONG)
    for attempt in range(3):
        loop = workshop.worker(f"worker {attempt}")
        assert loop._lease()
        workshop.lose_leases()
        assert reaper.reap(workshop.db, ids.now(), close_failed_job) == 1
    model = workshop.model(workshop.alice, started.model_id)
    assert (model.status, model.runs[0].status) == ("ERRORED", "FAILED")
    assert model.error is not None
    assert model.error.endswith(".")
    assert workshop.job(kind="train").status == "FAILED"


def test_reports_without_the_lease_are_refused(workshop: Workshop) -> None:
    """Each report proves its lease, whatever the publisher does."""
    started = workshop.start(workshop.alice)
    run_id = workshop.model(workshop.alice, started.model_id).runs[0].run_id
    lease = workshop.write(lambda tx: queue.lease(tx, Asking("w", ["train"], BASE.identity), ids.now(), 90))
    workshop.lose_leases()
    reaper.reap(workshop.db, ids.now(), close_failed_job)
    before = everything(workshop)
    ref = AdapterRef(sha256="0" * 64, size_bytes=1)
    finish = TrainFinished(key="k", path=Path("x"), chosen_step=1, last_step=1, stopped_at_step=None, scores={})
    calls = [
        lambda tx: reports.taken_up(tx, lease, run_id),
        lambda tx: reports.entered(tx, lease, run_id, PhaseChanged(key="k", phase="TRAINING")),
        lambda tx: reports.progressed(
            tx, lease, run_id, TrainProgress(key="k", step=1, total_steps=2, loss=1.0, eta_seconds=None)
        ),
        lambda tx: reports.previewed(tx, lease, run_id, PreviewDrawn(key="k", step=1, index=0, png=b""), "0" * 64),
        lambda tx: reports.scored(tx, lease, run_id, CheckpointScored(key="k", step=1, score=0.5)),
        lambda tx: reports.finished(tx, lease, run_id, finish, ref),
        lambda tx: reports.failed(tx, lease, run_id, Conflict()),
    ]
    for call in calls:
        with pytest.raises(LeaseLost):
            workshop.write(call)
    assert everything(workshop) == before
