"""Cancel at each phase, and archive what still trains: who ends where, and that nobody writes afterwards."""

import pytest
from tests.runs.workshop import Workshop
from tests.workers.running import LONG, Running, Slow, steps_of, until

from linocut import ids
from linocut.db.tables import images
from linocut.errors import Conflict
from linocut.jobs import queue, reaper
from linocut.runs.reports import close_failed_job
from linocut.runs.types import AdvancedAsk

CANCELLED = "The training was cancelled by its owner."


# ---- cancel, at each phase


def test_cancelling_a_run_that_waits_ends_it_at_once_and_twice_is_once(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice)
    for _ in range(2):
        model = workshop.cancel(workshop.alice, started.model_id)
        assert (model.status, model.error, model.runs[0].status) == ("ERRORED", CANCELLED, "FAILED")
    assert workshop.job(kind="train").status == "FAILED"
    workshop.worker().run_until_idle()
    assert workshop.statuses(started.model_id)[-1] == ("ERRORED", "FAILED")


def test_cancelling_before_the_first_step_ends_in_an_error(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice)
    loop = workshop.worker()
    assert loop._lease()
    assert workshop.cancel(workshop.alice, started.model_id).status == "CREATING"
    loop.heart.look()
    loop.run_until_idle()
    model = workshop.model(workshop.alice, started.model_id)
    assert (model.status, model.error, model.runs[0].status) == ("ERRORED", CANCELLED, "FAILED")
    assert workshop.cancel(workshop.alice, started.model_id) == model


def test_cancelling_later_completes_with_the_best_checkpoint(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=LONG)
    running = Running(workshop.worker(engine=Slow()))
    until(lambda: steps_of(workshop, started.model_id) > 0)
    workshop.cancel(workshop.alice, started.model_id)
    assert workshop.cancel(workshop.alice, started.model_id).status == "TRAINING"
    until(lambda: workshop.model(workshop.alice, started.model_id).status == "COMPLETED")
    model = workshop.model(workshop.alice, started.model_id)
    run = model.runs[0]
    assert run.status == "COMPLETED"
    assert run.stopped_at_step is not None
    assert 0 < run.stopped_at_step < 10_000
    assert model.custom_model_uri == "model/house-style/version/1"
    assert ("TRAINING", "FINALIZING") in workshop.statuses(started.model_id)
    with pytest.raises(Conflict, match="COMPLETED already"):
        workshop.cancel(workshop.alice, started.model_id)
    running.end()


def test_cancelling_what_has_ended_is_a_conflict(workshop: Workshop) -> None:
    model = workshop.trained(workshop.alice)
    with pytest.raises(Conflict, match="COMPLETED already"):
        workshop.cancel(workshop.alice, model.model_id)
    workshop.archive(workshop.alice, model.model_id)
    with pytest.raises(Conflict, match="ARCHIVED already"):
        workshop.cancel(workshop.alice, model.model_id)


def test_cancelling_between_two_attempts_is_heard_by_the_next_worker(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=LONG)
    first = workshop.worker("first", Slow())
    while steps_of(workshop, started.model_id) < 1:
        first.turn()
    workshop.lose_leases()
    reaper.reap(workshop.db, ids.now(), close_failed_job)
    assert workshop.cancel(workshop.alice, started.model_id).status == "TRAINING"
    workshop.worker("second").run_until_idle()
    assert workshop.model(workshop.alice, started.model_id).status in {"COMPLETED", "ERRORED"}
    assert workshop.job(kind="train").status in {"DONE", "FAILED"}


def test_a_client_that_goes_away_stops_its_drawing(workshop: Workshop) -> None:
    placed = workshop.place(workshop.alice, rendering_speed="QUALITY", num_images=8)
    engine = Slow()
    engine._step_seconds = 0.2
    running = Running(workshop.worker(engine=engine))
    until(lambda: workshop.job(job_id=placed.job_id).status == "RUNNING")
    workshop.write(lambda tx: queue.request_cancel(tx, placed.job_id))
    until(lambda: workshop.job(job_id=placed.job_id).status == "FAILED")
    assert workshop.job(job_id=placed.job_id).error["code"] == "cancelled"
    assert workshop.count(images) == 0
    running.end()


# ---- archive while it trains


def test_archiving_a_running_one_ends_it_at_once_and_its_worker_writes_no_more(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=LONG)
    running = Running(workshop.worker(engine=Slow()))
    until(lambda: steps_of(workshop, started.model_id) > 0)
    assert workshop.archive(workshop.alice, started.model_id).status == "ARCHIVED"
    assert workshop.statuses(started.model_id)[-2:] == [("ERRORED", "FAILED"), ("ARCHIVED", "FAILED")]
    until(lambda: not running.loop.holdings.all())
    seen = workshop.model(workshop.alice, started.model_id)
    until(lambda: not running.loop._engine.busy())
    running.end()
    assert workshop.model(workshop.alice, started.model_id) == seen
    assert workshop.job(kind="train").status == "FAILED"


def test_archiving_one_that_waits_for_another_attempt(workshop: Workshop) -> None:
    """It has a checkpoint behind it: a worker that took it up would finish it into a model that is archived."""
    started = workshop.start(workshop.alice, advanced=AdvancedAsk(training_steps=100, lora_rank=64))
    run_id = workshop.model(workshop.alice, started.model_id).runs[0].run_id
    first = workshop.worker("first")
    while not list(workshop.runtime.workspace(run_id).rglob("fake-checkpoint.json")):
        first.turn()
    until(first.publisher.idle)
    workshop.lose_leases()
    reaper.reap(workshop.db, ids.now(), close_failed_job)
    workshop.archive(workshop.alice, started.model_id)
    second = workshop.worker("second")
    assert second.turn()
    assert second.holdings.all() == [], "it is not taken up"
    second.run_until_idle()
    model = workshop.model(workshop.alice, started.model_id)
    assert (model.status, model.runs[0].status) == ("ARCHIVED", "FAILED")
    assert workshop.job(kind="train").status == "FAILED"
