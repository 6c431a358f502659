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


def test_an_image(house: Workshop, logged: Logged) -> None:
    placed = house.place(house.alice, prompt=SECRET, num_images=3)
    house.worker().run_until_idle()
    started, ended = logged()
    whose = {
        "job_id": placed.job_id,
        "kind": "generate",
        "organization_id": house.alice.organization_id,
        "user_id": house.alice.user_id,
        "api_key_id": house.alice.api_key_id,
        "images": 3,
        "room": "jobs",
        "level": "info",
    }
    assert started.items() >= {**whose, "event": "job started", "attempt": 1}.items()
    assert ended.items() >= {**whose, "event": "job ended", "outcome": "done"}.items()
    assert 0 <= started["waited_seconds"] < 60
    assert 0 <= ended["run_seconds"] < 60


def test_a_failed_image_and_a_custom_model_s(house: Workshop, logged: Logged) -> None:
    model = house.trained(house.alice)
    logged()
    house.place(house.alice, prompt=f"[fail] {SECRET}", custom_model_uri=model.custom_model_uri)
    house.worker("second").run_until_idle()
    started, ended = logged()
    assert started["model_id"] == ended["model_id"] == model.model_id
    assert (ended["outcome"], ended["code"]) == ("failed", "run_failed")


def test_a_training(house: Workshop, logged: Logged) -> None:
    dataset_id = house.dataset(house.alice, caption=f"{SECRET} {{}}".format)
    model = house.trained(house.alice, dataset_id=dataset_id)
    started, ended = logged()
    run, steps = model.runs[0], model.runs[0].training_steps
    facts = {"kind": "train", "model_id": model.model_id, "run_id": run.run_id, "steps": steps, "pictures": 15}
    assert started.items() >= facts.items()
    assert ended.items() >= {**facts, "outcome": "done", "last_step": steps}.items()
    assert "images" not in started


def test_a_cancel_a_stop_and_a_loss(house: Workshop, logged: Logged) -> None:
    waiting = house.start(house.alice)
    house.cancel(house.alice, waiting.model_id)
    (line,) = logged()
    assert (line["event"], line["outcome"]) == ("job ended", "cancelled while it waited")

    going = house.start(house.alice, advanced=LONG)
    worker = Running(house.worker(engine=Slow()))
    until(lambda: steps_of(house, going.model_id) > 0)
    worker.end()
    started, ended = logged()
    assert (started["event"], ended["outcome"]) == ("job started", "given back")

    worker = Running(house.worker("third", engine=Slow()))
    until(lambda: worker.loop.holdings.all())
    house.archive(house.alice, going.model_id)
    until(lambda: not worker.loop.holdings.all())
    worker.end()
    assert logged()[-1]["outcome"] == "lost"


def test_what_the_reaper_takes_back(house: Workshop, logged: Logged) -> None:
    placed = house.place(house.alice)
    for number in range(3):
        loop = house.worker(f"w{number}", engine=Slow())
        while not loop.turn():
            pass
        house.lose_leases()
        logged()
        loop.heart.close()
        reaper.bury(house.db, f"w{number}", close_failed_job)
        line = logged()[-1]
        assert line["job_id"] == placed.job_id
        loop.holdings.drop(loop.holdings.all()[0].key)
    assert (line["event"], line["outcome"], line["code"]) == ("job ended", "given up", "run_failed")


def test_an_order_that_cannot_be_read(house: Workshop, logged: Logged) -> None:
    house.place(house.alice)
    house.write(lambda tx: tx.exec_driver_sql("UPDATE jobs SET \"order\" = '{}'"))
    house.worker().run_until_idle()
    (line,) = logged()
    assert (line["event"], line["outcome"], line["code"]) == ("job ended", "failed", "run_failed")
