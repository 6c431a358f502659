"""A custom model can be used before its run's last previews are drawn, and nothing that happens then takes it back."""

from typing import Any

import pytest
from sqlalchemy import select
from tests.runs.workshop import Workshop
from tests.workers.test_crashes import check_house, short_run, story

from linocut.custom_models import events
from linocut.custom_models import service as registry
from linocut.db.tables import ledger, training_runs
from linocut.engine.fake import STEP_SECONDS_VARIABLE
from linocut.errors import Busy, RunFailed
from linocut.jobs import queue, reaper
from linocut.orders import Failed
from linocut.runs.reports import close_failed_job
from linocut.workers import runs as deliveries
from linocut.workers.loop import WorkerLoop


def until_published(workshop: Workshop, model_id: str, name: str = "first") -> WorkerLoop:
    """A worker that has published the adapter and drawn nothing since."""
    loop = workshop.worker(name)
    while workshop.model(workshop.alice, model_id).status != "COMPLETED":
        loop.turn()
        while not loop.publisher.idle():
            pass
    return loop


def previews(workshop: Workshop, model_id: str) -> list[Any]:
    """Those of its adapter; the bare base's come before the first step."""
    return [one for one in story(workshop, model_id) if one.kind == "preview" and one.data["step"]]


def is_open(workshop: Workshop, model_id: str) -> bool:
    return workshop.read(lambda tx: events.more_may_come(tx, model_id))


@pytest.fixture
def model_id(workshop: Workshop) -> str:
    return short_run(workshop)


def test_the_model_can_be_used_while_its_last_previews_are_missing(workshop: Workshop, model_id: str) -> None:
    loop = until_published(workshop, model_id)
    model = workshop.model(workshop.alice, model_id)
    assert (model.runs[0].status, model.runs[0].step) == ("COMPLETED", 6)
    assert (workshop.job(kind="train").status, previews(workshop, model_id)) == ("RUNNING", [])
    assert is_open(workshop, model_id)
    assert workshop.place(workshop.alice, custom_model_uri=model.custom_model_uri).job_id
    loop.run_until_idle()
    assert [one.data["step"] for one in previews(workshop, model_id)] == [6]
    assert workshop.job(kind="train").status == workshop.job(kind="generate").status == "DONE"
    assert not is_open(workshop, model_id)
    assert workshop.model(workshop.alice, model_id).custom_model_uri == model.custom_model_uri
    check_house(workshop)


def test_a_worker_that_dies_then_is_followed_by_one_that_draws_them(workshop: Workshop, model_id: str) -> None:
    until_published(workshop, model_id).heart.close()
    before = workshop.model(workshop.alice, model_id)
    reaper.bury(workshop.db, "first", close_failed_job)
    assert is_open(workshop, model_id)
    workshop.worker("second").run_until_idle()
    after = workshop.model(workshop.alice, model_id)
    assert before.runs[0].scores.items() <= after.runs[0].scores.items()
    assert (after.status, after.custom_model_uri) == ("COMPLETED", before.custom_model_uri)
    assert len(previews(workshop, model_id)) == 1
    assert workshop.job(kind="train").status == "DONE"
    told = [one.data["status"] for one in story(workshop, model_id) if one.kind == "status"]
    assert told[-1] == "COMPLETED"
    assert told.count("COMPLETED") <= 3, "run and model, each once, and once more at the end"


def test_without_its_checkpoints_a_published_run_is_not_trained_again(workshop: Workshop, model_id: str) -> None:
    """Its folder is on the machine that died: the job is done, without the last previews."""
    until_published(workshop, model_id).heart.close()
    reaper.bury(workshop.db, "first", close_failed_job)
    run_id = workshop.model(workshop.alice, model_id).runs[0].run_id
    deliveries.workspaces.leave(workshop.runtime.workspace(run_id))
    workshop.worker("second").run_until_idle()
    assert (workshop.job(kind="train").status, previews(workshop, model_id)) == ("DONE", [])
    assert workshop.model(workshop.alice, model_id).status == "COMPLETED"


def test_a_model_archived_then_stays_archived_and_its_job_ends(workshop: Workshop, model_id: str) -> None:
    until_published(workshop, model_id).heart.close()
    workshop.write(lambda tx: registry.archive(tx, workshop.alice, model_id))
    reaper.bury(workshop.db, "first", close_failed_job)
    workshop.worker("second").run_until_idle()
    assert workshop.model(workshop.alice, model_id).status == "ARCHIVED"
    assert (workshop.job(kind="train").status, previews(workshop, model_id)) == ("DONE", [])


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_the_device_time_of_the_last_previews_is_in_the_ledger_at_no_cost(
    workshop: Workshop, model_id: str, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    monkeypatch.setenv(STEP_SECONDS_VARIABLE, "0.002")
    loop = until_published(workshop, model_id)
    [charge] = entries(workshop)
    if ends == "badly":
        [held] = loop.holdings.all()
        loop.publisher.put(Failed(key=held.key, error=RunFailed("The engine fell over."), device_seconds=0.25))
    else:
        loop.run_until_idle()
    while not loop.publisher.idle():
        pass
    [first, more] = entries(workshop)
    assert first == charge, "what was charged stays"
    assert (charge.quantity, more.quantity, more.amount, more.job_id) == (1, 0, 0, None)
    assert more.device_us == 250_000 if ends == "badly" else 0 < more.device_us < charge.device_us
    same = ("name", "organization_id", "user_id", "api_key_id", "model_id", "tool", "currency", "unit_price")
    assert [getattr(more, name) for name in same] == [getattr(charge, name) for name in same]


def test_the_device_time_of_a_run_that_is_put_off_is_told(workshop: Workshop, model_id: str) -> None:
    loop = until_published(workshop, model_id)
    [held] = loop.holdings.all()
    loop.publisher.put(Failed(key=held.key, error=Busy("The disk is full."), device_seconds=0.5))
    while not loop.publisher.idle():
        pass
    assert workshop.job(kind="train").status == "QUEUED"
    assert [one.device_us for one in entries(workshop)][1:] == [500_000]


def entries(workshop: Workshop) -> list[Any]:
    return list(workshop.read(lambda tx: tx.execute(select(ledger).order_by(ledger.c.entry_id)).all()))


def test_a_run_that_fails_then_keeps_its_model(workshop: Workshop, model_id: str) -> None:
    loop = until_published(workshop, model_id)
    [held] = loop.holdings.all()
    loop.publisher.put(Failed(key=held.key, error=RunFailed("The engine fell over.")))
    while not loop.publisher.idle():
        pass
    model = workshop.model(workshop.alice, model_id)
    assert (model.status, model.error, model.runs[0].status) == ("COMPLETED", None, "COMPLETED")
    assert workshop.job(kind="train").status == "DONE"


def test_three_deaths_then_cost_the_previews_and_no_model(workshop: Workshop, model_id: str) -> None:
    until_published(workshop, model_id).heart.close()
    for name in ("first", "second", "third"):
        if name != "first":
            assert workshop.worker(name)._lease()
        reaper.bury(workshop.db, name, close_failed_job)
    model = workshop.model(workshop.alice, model_id)
    assert (model.status, model.runs[0].status, model.error) == ("COMPLETED", "COMPLETED", None)
    assert not is_open(workshop, model_id)


def test_the_folder_of_a_published_run_stays_until_its_job_is_done(workshop: Workshop, model_id: str) -> None:
    from linocut.workers.housekeeping import Housekeeping

    until_published(workshop, model_id).heart.close()
    [run] = workshop.read(lambda tx: tx.execute(select(training_runs)).all())
    chores = Housekeeping(workshop.runtime.settings)
    chores.tidy()
    assert workshop.runtime.workspace(run.run_id).exists()
    job = workshop.job(kind="train")
    workshop.write(lambda tx: queue.finish(tx, job.job_id, job.lease_token, {}))
    chores.tidy()
    chores.close()
    assert not workshop.runtime.workspace(run.run_id).exists()
