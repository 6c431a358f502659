"""Blobs without a row go; a blob with a row, or with one to come, stays."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert
from tests.datasets.shelf import Shelf
from tests.pictures.made import numbered

from linocut.datasets import garbage, service
from linocut.datasets.garbage import collect_garbage, unreferenced
from linocut.db.tables import images, metadata, models, run_images, training_runs
from linocut.errors import Unavailable
from linocut.ids import new_id, now
from linocut.jobs import queue
from linocut.jobs.types import JobInput, NewJob

LONG_AGO = timedelta(days=2)


def _collect(shelf: Shelf, later: timedelta = LONG_AGO) -> int:
    """What is collected so long after now."""
    return collect_garbage(shelf.db, shelf.store, now() + later)


def test_old_unreferenced_blobs_go_and_young_ones_stay(shelf: Shelf) -> None:
    blobs = [shelf.store.put(b"%d" % n) for n in range(120)]
    assert _collect(shelf, timedelta(hours=23)) == 0
    assert all(shelf.store.has(blob) for blob in blobs)
    assert _collect(shelf) == 120
    assert not any(shelf.store.has(blob) for blob in blobs)


def test_young_blobs_are_not_even_looked_up(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a million blobs only the old ones cost the database a question."""
    old, young = shelf.store.put(b"old"), shelf.store.put(b"young")
    at, asked = now(), []

    def look(tx: Connection, sha256s: list[str]) -> list[str]:
        asked.extend(sha256s)
        return []

    monkeypatch.setattr(shelf.store, "listing", lambda: iter([(old, at - LONG_AGO), (young, at)]))
    monkeypatch.setattr("linocut.datasets.garbage.unreferenced", look)
    assert collect_garbage(shelf.db, shelf.store, at) == 0
    assert asked == [old]


def test_a_deleted_datasets_pictures_go_unless_another_has_them(shelf: Shelf) -> None:
    one, two = shelf.create(), shelf.create()
    shelf.upload(one, ("a.png", numbered(1)), ("b.png", numbered(2)))
    shelf.upload(two, ("c.png", numbered(2)))
    blobs = [file.image_sha256 for file in shelf.files(one).values()]
    assert _collect(shelf) == 0
    with shelf.db.transaction() as tx:
        service.delete(tx, shelf.user_id, one)
    assert _collect(shelf) == 1
    assert [shelf.store.has(blob) for blob in blobs] == [False, True]


def _run(tx: Connection, user_id: str, **model: Any) -> tuple[str, str]:
    model_id, run_id, at = new_id(), new_id(), now()
    row = {"model_id": model_id, "user_id": user_id, "name": "m", "status": "TRAINING", "base": "b"}
    tx.execute(insert(models).values(row | {"first_version": 1, "created_at": at, "updated_at": at} | model))
    run = {"run_id": run_id, "model_id": model_id, "job_id": new_id(), "status": "TRAINING", "training_steps": 1}
    run |= {
        "lora_rank": 1,
        "ema": 0.9,
        "learning_rate": 1.0,
        "seed": 1,
        "scores": {},
        "created_at": at,
        "updated_at": at,
    }
    tx.execute(insert(training_runs).values(run))
    return model_id, run_id


def _by_run(tx: Connection, user_id: str, sha256: str) -> None:
    tx.execute(insert(run_images).values(run_id=_run(tx, user_id)[1], image_sha256=sha256))


def _by_image(tx: Connection, user_id: str, sha256: str) -> None:
    tx.execute(insert(images).values(image_id=new_id(), job_id=new_id(), image_sha256=sha256, created_at=now()))


def _by_adapter(tx: Connection, user_id: str, sha256: str) -> None:
    _run(tx, user_id, adapter_sha256=sha256)


def _by_job(tx: Connection, user_id: str, sha256: str) -> None:
    one = JobInput("image", sha256, 4, 64, 64)
    queue.enqueue(tx, NewJob(kind="generate", organization_id="o", order="{}", images=1, inputs=[one]))


@pytest.mark.parametrize("refer", [_by_run, _by_image, _by_adapter, _by_job])
def test_whatever_refers_to_a_blob_keeps_it(shelf: Shelf, refer: Callable[[Connection, str, str], None]) -> None:
    kept, waste = shelf.store.put(b"kept"), shelf.store.put(b"garbage")
    with shelf.db.transaction() as tx:
        refer(tx, shelf.user_id, kept)
    assert _collect(shelf) == 1
    assert shelf.store.has(kept)
    assert not shelf.store.has(waste)


def test_every_column_that_names_a_blob_is_asked() -> None:
    """A new table whose column is called something_sha256 is covered without a line here; another name is not."""
    named = {f"{table.name}.{c.name}" for table in metadata.sorted_tables for c in table.columns if "sha256" in c.name}
    assert named == {
        "assets.source_sha256",
        "assets.image_sha256",
        "models.adapter_sha256",
        "run_images.image_sha256",
        "job_inputs.picture_sha256",
        "images.image_sha256",
        "checkpoints.adapter_sha256",
        "drawing_inputs.picture_sha256",
        "run_files.file_sha256",
        "idempotency_keys.body_sha256",
    }


def test_an_upload_that_finds_an_old_blob_gone_again_writes_it_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blob of a deleted dataset lies there for days; the same picture is uploaded again; and between its blob (seen
    to be there, so not written anew) and its row, the collection runs."""
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("a.png", numbered(1)))
    with shelf.db.transaction() as tx:
        service.delete(tx, shelf.user_id, dataset_id)
    put, collected = shelf.store.put, []

    def put_then_collect(data: bytes) -> str:
        sha256 = put(data)
        if not collected:
            collected.append(_collect(shelf))
        return sha256

    monkeypatch.setattr(shelf.store, "put", put_then_collect)
    second = shelf.create()
    report = shelf.upload(second, ("a.png", numbered(1)))
    assert collected == [1]
    assert (report.success_count, report.failure_count) == (1, 0)
    assert shelf.store.get(shelf.files(second)["a.png"].image_sha256)
    assert shelf.get(second).dataset.image_count == 1


def test_a_row_that_comes_between_the_look_and_the_lock_keeps_its_blob(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = shelf.store.put(b"kept")
    looked: list[int] = []

    def look(tx: Connection, sha256s: list[str]) -> list[str]:
        found = unreferenced(tx, sha256s)
        if not looked:
            looked.append(1)
            with shelf.db.transaction() as other:
                _by_image(other, shelf.user_id, blob)
        return found

    monkeypatch.setattr("linocut.datasets.garbage.unreferenced", look)
    assert _collect(shelf) == 0
    assert shelf.store.has(blob)


def test_what_is_put_again_is_young_again(shelf: Shelf, tmp_path: Path) -> None:
    """Between two uploads of a picture nothing refers to it; the second upload's grace begins with its put."""
    sha256 = shelf.store.put(b"x")
    file = next(tmp_path.rglob(sha256[2:]))
    long_ago = (now() - LONG_AGO).timestamp()
    os.utime(file, (long_ago, long_ago))
    shelf.store.put(b"x")
    assert _collect(shelf, timedelta(0)) == 0
    assert shelf.store.has(sha256)
    os.utime(file, (long_ago, long_ago))
    assert _collect(shelf, timedelta(0)) == 1


def test_a_blob_that_is_put_after_the_listing_was_read_is_kept(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its age is looked at once more, right before it would go."""
    sha256, at = shelf.store.put(b"x"), now()
    monkeypatch.setattr(shelf.store, "listing", lambda: iter([(sha256, at - LONG_AGO)]))
    assert collect_garbage(shelf.db, shelf.store, at) == 0
    assert shelf.store.has(sha256)


@pytest.mark.long
def test_other_writers_are_let_in_between(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store whose removals are slow does not hold the database for longer than one removal and a moment."""
    for number in range(6):
        shelf.store.put(b"%d" % number)
    turns: list[int] = []
    transaction = shelf.db.transaction

    @contextmanager
    def counted() -> Iterator[Connection]:
        turns.append(0)
        with transaction() as tx:
            yield tx

    def slow(_sha256: str) -> None:
        turns[-1] += 1
        time.sleep(garbage.LOCKED_SECONDS)

    monkeypatch.setattr(shelf.db, "transaction", counted)
    monkeypatch.setattr(shelf.store, "delete", slow)
    assert _collect(shelf) == 6
    assert turns == [1] * 6


def test_a_store_that_fails_leaves_the_rest_for_next_time(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = [shelf.store.put(b"%d" % number) for number in range(6)]
    delete, left = shelf.store.delete, [2]

    def failing(sha256: str) -> None:
        if left.pop() == 0:
            raise Unavailable
        left.append(0)
        delete(sha256)

    monkeypatch.setattr(shelf.store, "delete", failing)
    with pytest.raises(Unavailable):
        _collect(shelf)
    monkeypatch.undo()
    assert sum(map(shelf.store.has, blobs)) == 5
    assert _collect(shelf) == 5


def test_it_ends_when_asked_to(shelf: Shelf) -> None:
    shelf.store.put(b"x")
    assert collect_garbage(shelf.db, shelf.store, now() + LONG_AGO, stopping=lambda: True) == 0


@pytest.mark.long
def test_uploads_and_collections_at_once_lose_nothing(shelf: Shelf) -> None:
    """The same picture again and again, while everything counts as old: what was taken is there."""
    over, taken = threading.Event(), 0

    def collect_all_the_time() -> None:
        while not over.is_set():
            _collect(shelf)

    collecting = threading.Thread(target=collect_all_the_time)
    collecting.start()
    try:
        for _ in range(20):
            dataset_id = shelf.create()
            report = shelf.upload(dataset_id, ("a.png", numbered(1)))
            for file in shelf.get(dataset_id).files:
                assert shelf.store.get(file.image_sha256)
                taken += 1
            # Collected three times within one upload, by a collector that never rests: told, and nothing half done.
            assert report.success_count or [failed.reason for failed in report.failed] == ["INTERNAL_ERROR"]
            with shelf.db.transaction() as tx:
                service.delete(tx, shelf.user_id, dataset_id)
    finally:
        over.set()
        collecting.join()
    assert taken
