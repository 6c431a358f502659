"""The loop on the fake engine: images and trainings side by side, progress, and how it stops."""

import time

from sqlalchemy import select
from tests.runs.workshop import Workshop
from tests.workers.running import LONG, Running, Slow, steps_of, until

from linocut.custom_models import service as registry
from linocut.db.tables import images
from linocut.runs.types import AdvancedAsk


def test_images_are_durable_and_listed_in_order(workshop: Workshop) -> None:
    placed = workshop.place(workshop.alice, num_images=3, seed=5)
    workshop.worker().run_until_idle()
    job = workshop.job(job_id=placed.job_id)
    assert job.status == "DONE"
    told = job.result["images"]
    assert [image["seed"] for image in told] == [5, 6, 7]
    assert {(image["native_width"], image["native_height"]) for image in told} == {placed.native}
    for image in told:
        row = workshop.read(lambda tx, one=image: tx.execute(select(images).filter_by(image_id=one["image_id"])).one())
        assert row.job_id == placed.job_id
        assert workshop.runtime.store.get(row.image_sha256).startswith(b"\x89PNG")


def test_a_generation_that_fails_says_why(workshop: Workshop) -> None:
    placed = workshop.place(workshop.alice, prompt="a cat [fail]", magic_prompt="OFF")
    workshop.worker().run_until_idle()
    job = workshop.job(job_id=placed.job_id)
    assert job.status == "FAILED"
    assert job.error["code"] == "run_failed"


def test_images_are_drawn_while_a_run_trains_and_one_run_at_a_time(workshop: Workshop) -> None:
    first = workshop.start(workshop.alice, "first one", advanced=LONG)
    second = workshop.start(workshop.alice, "second one", advanced=LONG)
    running = Running(workshop.worker(engine=Slow()))
    until(lambda: steps_of(workshop, first.model_id) > 0)
    placed = [workshop.place(workshop.alice, seed=n) for n in range(4)]
    until(lambda: all(workshop.job(job_id=one.job_id).status == "DONE" for one in placed))
    assert workshop.model(workshop.alice, first.model_id).status == "TRAINING"
    assert workshop.model(workshop.alice, second.model_id).status == "CREATING"
    running.end()


def test_progress_is_written_a_few_times_a_second_and_the_last_always(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=AdvancedAsk(training_steps=1000, lora_rank=64))
    began = time.monotonic()
    workshop.worker().run_until_idle()
    seconds = time.monotonic() - began
    events = workshop.read(lambda tx: registry.events_after(tx, started.model_id, 0, 10_000))
    steps = [event.data["step"] for event in events if event.kind == "progress"]
    assert steps[-1] == 1000
    scores = sum(event.kind in {"score", "preview", "status"} for event in events)
    assert len(steps) <= seconds / 0.25 + scores + 2
    assert len(steps) < 100


# ---- drain


def test_a_stop_finishes_the_images_and_gives_the_run_back_uncounted(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=LONG)
    engine = Slow()
    running = Running(workshop.worker(engine=engine))
    until(lambda: steps_of(workshop, started.model_id) > 0)
    placed = [workshop.place(workshop.alice, rendering_speed="QUALITY") for _ in range(3)]
    until(lambda: all(workshop.job(job_id=one.job_id).status != "QUEUED" for one in placed))
    running.end()
    assert running.fault is None
    assert [workshop.job(job_id=one.job_id).status for one in placed] == ["DONE"] * 3
    job = workshop.job(kind="train")
    assert (job.status, job.attempts, job.worker_id) == ("QUEUED", 0, None)
    assert workshop.model(workshop.alice, started.model_id).status == "TRAINING"


def test_a_stop_leases_nothing_more_and_gives_back_what_takes_too_long(workshop: Workshop) -> None:
    engine = Slow()
    engine._step_seconds = 1.0
    held = workshop.place(workshop.alice, rendering_speed="QUALITY")
    running = Running(workshop.worker(engine=engine), drain_seconds=0.1)
    until(lambda: workshop.job(job_id=held.job_id).status == "RUNNING")
    running.stop.set()
    waiting = workshop.place(workshop.alice)
    running.end()
    assert [workshop.job(job_id=one.job_id).status for one in (held, waiting)] == ["QUEUED", "QUEUED"]
    workshop.worker("next").run_until_idle()
    assert [workshop.job(job_id=one.job_id).status for one in (held, waiting)] == ["DONE", "DONE"]


def test_a_run_given_back_ends_with_the_adapter_of_one_left_alone(workshop: Workshop) -> None:
    asked = AdvancedAsk(training_steps=100, lora_rank=64, seed=3)
    dataset_id = workshop.dataset(workshop.alice)
    workshop.start(workshop.alice, "left alone", advanced=asked, dataset_id=dataset_id)
    workshop.worker().run_until_idle()
    disturbed = workshop.start(workshop.alice, "left alone", advanced=asked, dataset_id=dataset_id)
    running = Running(workshop.worker(engine=Slow()))
    until(lambda: steps_of(workshop, disturbed.model_id) >= 1)
    running.end()
    workshop.worker("next").run_until_idle()
    model = workshop.model(workshop.alice, disturbed.model_id)
    assert (model.status, model.custom_model_uri) == ("COMPLETED", "model/left-alone/version/2")
    assert model.runs[0].step == 100
