"""No room, or no store: a worker waits for it with what may wait, tells who waits, and never ends for it."""

import errno
import os
from pathlib import Path

import pytest
from tests.runs.workshop import Workshop
from tests.workers.test_crashes import short_run

from linocut.errors import Unavailable
from linocut.storage.store import Store
from linocut.workers import answers, loop, runs, workspaces


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "IMAGE_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(runs, "BACKGROUND_RESTS_SECONDS", 0.05)
    monkeypatch.setattr(loop, "BACKGROUND_RESTS_SECONDS", 0.05)
    monkeypatch.setattr(loop, "LOOK_ANYWAY_SECONDS", 0.05)


def test_a_run_for_whose_folder_there_is_no_room_waits(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))]
    enter = workspaces.enter

    def full_at_first(folder: Path, lease_token: int) -> Path:
        if refusals:
            raise refusals.pop()
        return enter(folder, lease_token)

    monkeypatch.setattr(workspaces, "enter", full_at_first)
    model_id = short_run(workshop)
    worker = workshop.worker()
    while refusals or workshop.model(workshop.alice, model_id).status != "COMPLETED":
        worker.run_until_idle()
    assert workshop.job().attempts == 0


def test_a_run_whose_pictures_cannot_be_had_just_now_waits(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    times, get = [3], Store.get

    def away(store: Store, sha256: str) -> bytes:
        if times[0]:
            times[0] -= 1
            raise Unavailable
        return get(store, sha256)

    monkeypatch.setattr(Store, "get", away)
    model_id = short_run(workshop)
    worker = workshop.worker()
    while times[0] or workshop.model(workshop.alice, model_id).status != "COMPLETED":
        assert workshop.model(workshop.alice, model_id).status != "ERRORED"
        worker.run_until_idle()
    assert workshop.job().attempts == 0


def test_who_waits_for_images_that_cannot_be_kept_is_told(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = workshop.place(workshop.alice, num_images=4)
    worker = workshop.worker()
    with monkeypatch.context() as broken:
        broken.setattr(Store, "put", lambda *_: (_ for _ in ()).throw(Unavailable("The store is away.")))
        worker.run_until_idle()
    job = workshop.job(job_id=placed.job_id)
    assert (job.status, job.error["code"], job.error["message"]) == ("FAILED", "unavailable", "The store is away.")
    again = workshop.place(workshop.alice, num_images=4)
    while workshop.job(job_id=again.job_id).status in ("QUEUED", "RUNNING"):
        worker.run_until_idle()
    assert workshop.job(job_id=again.job_id).status == "DONE"
