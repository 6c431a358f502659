"""One line when a job starts and one when it ends: ids, numbers, the outcome; no word of what was asked."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from tests.runs.workshop import Workshop
from tests.workers.running import LONG, Running, Slow, steps_of, until

from linocut.jobs import reaper
from linocut.observe import set_up_logs
from linocut.runs.reports import close_failed_job

Logged = Callable[[], list[dict[str, Any]]]
SECRET = "a very secret teapot"


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    """The lines of the room ``jobs`` since the last look; each line must be JSON."""
    set_up_logs(as_json=True)

    def look() -> list[dict[str, Any]]:
        text = capfd.readouterr().err
        assert SECRET not in text
        return [line for line in map(json.loads, text.splitlines()) if line["room"] == "jobs"]

    yield look
    structlog.reset_defaults()


def test_an_image(workshop: Workshop, logged: Logged) -> None:
    placed = workshop.place(workshop.alice, prompt=SECRET, num_images=3)
    workshop.worker().run_until_idle()
    started, ended = logged()
    whose = {
        "job_id": placed.job_id,
        "kind": "generate",
        "organization_id": workshop.alice.organization_id,
        "user_id": workshop.alice.user_id,
        "api_key_id": workshop.alice.api_key_id,
        "images": 3,
        "room": "jobs",
        "level": "info",
    }
    assert started.items() >= {**whose, "event": "job started", "attempt": 1}.items()
    assert ended.items() >= {**whose, "event": "job ended", "outcome": "done"}.items()
    assert 0 <= started["waited_seconds"] < 60
    assert 0 <= ended["run_seconds"] < 60


def test_a_failed_image_and_a_custom_model_s(workshop: Workshop, logged: Logged) -> None:
    model = workshop.trained(workshop.alice)
    logged()
    workshop.place(workshop.alice, prompt=f"[fail] {SECRET}", custom_model_uri=model.custom_model_uri)
    workshop.worker("second").run_until_idle()
    started, ended = logged()
    assert started["model_id"] == ended["model_id"] == model.model_id
    assert (ended["outcome"], ended["code"]) == ("failed", "run_failed")


def test_a_training(workshop: Workshop, logged: Logged) -> None:
    dataset_id = workshop.dataset(workshop.alice, caption=f"{SECRET} {{}}".format)
    model = workshop.trained(workshop.alice, dataset_id=dataset_id)
    started, ended = logged()
    run, steps = model.runs[0], model.runs[0].training_steps
    facts = {"kind": "train", "model_id": model.model_id, "run_id": run.run_id, "steps": steps, "pictures": 15}
    assert started.items() >= facts.items()
    assert ended.items() >= {**facts, "outcome": "done", "last_step": steps}.items()
    assert "images" not in started


def test_a_cancel_a_stop_and_a_loss(workshop: Workshop, logged: Logged) -> None:
    waiting = workshop.start(workshop.alice)
    workshop.cancel(workshop.alice, waiting.model_id)
    (line,) = logged()
    assert (line["event"], line["outcome"]) == ("job ended", "cancelled while it waited")

    going = workshop.start(workshop.alice, advanced=LONG)
    worker = Running(workshop.worker(engine=Slow()))
    until(lambda: steps_of(workshop, going.model_id) > 0)
    worker.end()
    started, ended = logged()
    assert (started["event"], ended["outcome"]) == ("job started", "given back")

    worker = Running(workshop.worker("third", engine=Slow()))
    until(lambda: worker.loop.holdings.all())
    workshop.archive(workshop.alice, going.model_id)
    until(lambda: not worker.loop.holdings.all())
    worker.end()
    assert logged()[-1]["outcome"] == "lost"


def test_what_the_reaper_takes_back(workshop: Workshop, logged: Logged) -> None:
    placed = workshop.place(workshop.alice)
    for number in range(3):
        loop = workshop.worker(f"w{number}", engine=Slow())
        while not loop.turn():
            pass
        workshop.lose_leases()
        logged()
        loop.heart.close()
        reaper.bury(workshop.db, f"w{number}", close_failed_job)
        line = logged()[-1]
        assert line["job_id"] == placed.job_id
        loop.holdings.drop(loop.holdings.all()[0].key)
    assert (line["event"], line["outcome"], line["code"]) == ("job ended", "given up", "run_failed")


def test_an_order_that_cannot_be_read(workshop: Workshop, logged: Logged) -> None:
    workshop.place(workshop.alice)
    workshop.write(lambda tx: tx.exec_driver_sql("UPDATE jobs SET \"order\" = '{}'"))
    workshop.worker().run_until_idle()
    (line,) = logged()
    assert (line["event"], line["outcome"], line["code"]) == ("job ended", "failed", "run_failed")
