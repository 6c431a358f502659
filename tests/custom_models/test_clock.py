"""A clock that was set back: no time that a client reads runs backwards."""

from datetime import timedelta

import pytest
from tests.runs.workshop import Workshop, picture

from linocut import ids
from linocut.datasets import repository, service
from linocut.db.tables import assets

BACK = timedelta(hours=3)


@pytest.fixture
def set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    real = ids.now
    for where in ("linocut.ids.now", "linocut.datasets.service.now", "linocut.jobs.queue.present"):
        monkeypatch.setattr(where, lambda: real() - BACK)


def test_a_model_and_its_run(workshop: Workshop, request: pytest.FixtureRequest) -> None:
    first = workshop.start(workshop.alice)
    before = workshop.model(workshop.alice, first.model_id)
    request.getfixturevalue("set_back")
    second = workshop.start(workshop.alice, "Later one", dataset_id=before.dataset_id)
    workshop.worker().run_until_idle()
    now = workshop.model(workshop.alice, first.model_id)
    assert now.status == "COMPLETED"
    assert now.created_at == before.created_at
    assert now.updated_at >= before.updated_at
    assert now.runs[0].created_at >= now.created_at
    assert now.runs[0].updated_at >= before.runs[0].updated_at
    later = workshop.model(workshop.alice, second.model_id)
    assert later.created_at >= before.created_at, "newest first stays newest first"
    assert later.runs[0].created_at >= later.created_at


def test_an_image(workshop: Workshop, request: pytest.FixtureRequest) -> None:
    placed = workshop.place(workshop.alice)
    asked_at = workshop.job(job_id=placed.job_id).created_at
    request.getfixturevalue("set_back")
    workshop.worker().run_until_idle()
    job = workshop.job(job_id=placed.job_id)
    assert job.status == "DONE"
    assert job.finished_at >= asked_at


def test_a_dataset_and_its_pictures(workshop: Workshop, request: pytest.FixtureRequest) -> None:
    first = workshop.write(lambda tx: service.create(tx, workshop.alice.user_id, "first"))
    dataset_id = workshop.dataset(workshop.alice)
    before = workshop.read(lambda tx: repository.dataset_of(tx, workshop.alice.user_id, dataset_id))
    request.getfixturevalue("set_back")
    second = workshop.write(lambda tx: service.create(tx, workshop.alice.user_id, "second"))
    kept = workshop.read(lambda tx: repository.dataset_of(tx, workshop.alice.user_id, second.dataset_id))
    assert second.created_at == kept.created_at == kept.updated_at >= max(first.created_at, before.created_at)
    workshop.write(lambda tx: repository.hold(tx, workshop.alice.user_id, dataset_id, ids.now()))
    now = workshop.read(lambda tx: repository.dataset_of(tx, workshop.alice.user_id, dataset_id))
    assert now.updated_at >= before.updated_at
    sha256 = workshop.runtime.store.put(picture(99))
    values = {"asset_id": ids.new_id(), "source_sha256": sha256, "image_sha256": sha256, "width": 48, "height": 48}
    more = {"file_size_bytes": 9, "created_at": ids.now()}
    workshop.write(lambda tx: repository.insert_asset(tx, dataset_id, "late.png", values | more))
    times = workshop.read(lambda tx: tx.scalars(assets.select().with_only_columns(assets.c.created_at)).all())
    assert len(set(times)) == 1, "no picture is older than one that was there before it"
