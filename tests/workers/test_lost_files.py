"""A stored file that is gone or damaged: the job ends with its sentence, the model says so, and it heals."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore
from tests.runs.workshop import Workshop

from linocut.cli import checks
from linocut.custom_models import service as registry
from linocut.custom_models.types import ModelView
from linocut.db.tables import assets, file_columns, job_inputs, metadata
from linocut.errors import Lost
from linocut.storage.keys import blob_key
from linocut.storage.remote import RemoteStore
from linocut.storage.store import Store
from linocut.workers import inventory

HOW = {"missing": None, "damaged": b"rubbish"}


def harm(workshop: Workshop, sha256: str, how: str) -> bytes:
    """Take a stored file away, or change its bytes; what it held."""
    place = workshop.runtime.settings.data / "store" / blob_key(sha256)
    kept, other = place.read_bytes(), HOW[how]
    place.unlink() if other is None else place.write_bytes(other)
    return kept


def weights_of(workshop: Workshop, model: ModelView) -> str:
    return str(workshop.read(lambda tx: registry.weights_of(tx, workshop.alice, model.model_id)).sha256)


def asked(workshop: Workshop, model: ModelView) -> Any:
    return workshop.place(workshop.alice, custom_model_uri=model.custom_model_uri)


@pytest.mark.parametrize("how", HOW)
def test_a_generation_whose_weights_are_lost_takes_the_model_out_of_use(workshop: Workshop, how: str) -> None:
    model = workshop.trained(workshop.alice)
    other = workshop.trained(workshop.alice, "Another one", dataset_id=workshop.dataset(workshop.alice, 16))
    sha256 = weights_of(workshop, model)
    kept = harm(workshop, sha256, how)
    placed = asked(workshop, model)
    workshop.worker("second").run_until_idle()
    job = workshop.job(job_id=placed.job_id)
    assert (job.status, job.error["code"]) == ("FAILED", "lost")
    assert "weights of this custom model" in job.error["message"]
    assert sha256 not in job.error["message"]
    now = workshop.model(workshop.alice, model.model_id)
    assert (now.status, now.is_available) == ("COMPLETED", False)
    assert len(now.notes) == 1
    assert how in now.notes[0]
    assert now.updated_at >= model.updated_at
    assert workshop.model(workshop.alice, other.model_id).is_available
    with pytest.raises(Lost):
        asked(workshop, model)
    asked(workshop, other)

    assert inventory.look_for_lost(workshop.db, workshop.runtime.store) == []
    workshop.runtime.store.put(kept)
    assert inventory.look_for_lost(workshop.db, workshop.runtime.store) == [model.model_id]
    healed = workshop.model(workshop.alice, model.model_id)
    assert (healed.is_available, healed.notes) == (True, ())
    asked(workshop, model)


def test_who_only_shares_a_model_sees_no_reason(workshop: Workshop) -> None:
    model = workshop.trained(workshop.alice)
    workshop.write(lambda tx: registry.share(tx, workshop.alice, model.model_id, workshop.alice.organization_id))
    harm(workshop, weights_of(workshop, model), "missing")
    inventory.take(workshop.db, workshop.runtime.store)
    shared = workshop.model(workshop.carol, model.model_id)
    assert (shared.is_available, shared.notes) == (False, ())


@pytest.mark.parametrize("how", HOW)
def test_a_run_whose_picture_is_lost_ends_with_its_sentence(workshop: Workshop, how: str) -> None:
    dataset_id = workshop.dataset(workshop.alice)
    started = workshop.start(workshop.alice, dataset_id=dataset_id)
    (sha256, *_) = workshop.read(lambda tx: tx.scalars(assets.select().with_only_columns(assets.c.image_sha256)).all())
    harm(workshop, sha256, how)
    workshop.worker().run_until_idle()
    model = workshop.model(workshop.alice, started.model_id)
    assert model.status == "ERRORED"
    assert how in str(model.error)
    assert sha256 not in str(model.error)


def test_the_inventory_names_whose_each_lost_file_is(workshop: Workshop) -> None:
    model = workshop.trained(workshop.alice)
    asked(workshop, model)
    workshop.worker("second").run_until_idle()
    whole = inventory.take(workshop.db, workshop.runtime.store)
    assert whole.missing == ()
    picture = workshop.read(lambda tx: tx.execute(assets.select().limit(1)).one())
    drawn = workshop.job(kind="generate").result["images"][0]["image_id"]
    shas = dict(_owners(workshop).items())
    lost = {
        "missing": [sha for sha, whose in shas.items() if f"the weights of model {model.model_id}" in whose],
        "damaged": [
            sha
            for sha, whose in shas.items()
            if f"picture {picture.asset_id} of dataset {picture.dataset_id}" in whose or f"image {drawn}" in whose
        ],
    }
    kept = [harm(workshop, sha256, how) for how, some in lost.items() for sha256 in some]
    found = inventory.take(workshop.db, workshop.runtime.store)
    assert found.files == whole.files
    assert {one.sha256: one.how for one in found.missing} == {sha: how for how, some in lost.items() for sha in some}
    assert not workshop.model(workshop.alice, model.model_id).is_available
    for data in kept:
        workshop.runtime.store.put(data)
    assert inventory.take(workshop.db, workshop.runtime.store) == inventory.Inventory(
        whole.files, (), (model.model_id,)
    )
    assert workshop.model(workshop.alice, model.model_id).is_available


def test_the_inventory_reads_what_a_job_works_on(workshop: Workshop) -> None:
    sha256 = workshop.runtime.store.put(b"a picture")
    placed = workshop.place(workshop.alice)

    def keep(tx: Any) -> None:
        row = {"job_id": placed.job_id, "role": "image", "position": 0, "bytes": 9, "width": 1, "height": 1}
        tx.execute(job_inputs.insert().values(row | {"picture_sha256": sha256}))

    workshop.write(keep)
    harm(workshop, sha256, "missing")
    (lost,) = inventory.take(workshop.db, workshop.runtime.store).missing
    assert lost == inventory.Missing(sha256, "missing", (f"the image of job {placed.job_id}",))


def test_the_inventory_looks_at_whatever_refers_to_a_blob() -> None:
    named = {"adapter_sha256", "image_sha256", "picture_sha256", "file_sha256"}
    assert {column.name for column in file_columns()} == named
    every = {column.name for table in metadata.sorted_tables for column in table.columns}
    hashes = {name for name in every if name.endswith("sha256")}
    assert hashes - named == {"source_sha256", "body_sha256"}  # what was sent, which is not kept


def _owners(workshop: Workshop) -> dict[str, list[str]]:
    return dict(workshop.read(inventory._owners))


def test_the_same_weights_again_heal_the_model_that_lost_them(open_workshop: Callable[..., Workshop]) -> None:
    workshop = open_workshop()
    model = workshop.trained(workshop.alice)
    sha256 = weights_of(workshop, model)
    kept = harm(workshop, sha256, "missing")
    inventory.take(workshop.db, workshop.runtime.store)
    again = workshop.start(workshop.alice, "The very same", dataset_id=workshop.dataset(workshop.alice, 17))
    workshop.runtime.store.put(kept)

    def complete(tx: Any) -> None:
        ref = registry.AdapterRef(sha256=sha256, size_bytes=len(kept))
        registry.complete(tx, again.model_id, ref)

    workshop.write(complete)
    assert workshop.model(workshop.alice, model.model_id).is_available


def test_what_the_disk_cannot_read(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = workshop.runtime.store.put(b"ink")

    def fails(self: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(Lost, match="unreadable"):
        workshop.runtime.store.get(sha256)


def test_a_bucket_is_looked_through_alike(workshop: Workshop) -> None:
    model = workshop.trained(workshop.alice)
    local, bucket = workshop.runtime.store, Store(RemoteStore(MemoryStore()))
    for sha256, _ in local.listing():
        bucket.put(local.get(sha256))
    assert inventory.take(workshop.db, bucket).missing == ()
    weights = weights_of(workshop, model)
    bucket.delete(weights)
    picture = next(sha256 for sha256, _ in local.listing() if sha256 != weights)
    bucket._backend.write(blob_key(picture), b"rubbish")
    found = {one.sha256: one.how for one in inventory.take(workshop.db, bucket).missing}
    assert found == {weights: "missing", picture: "damaged"}
    assert not workshop.model(workshop.alice, model.model_id).is_available


def test_the_doctor_looks_at_every_stored_file(workshop: Workshop) -> None:
    model = workshop.trained(workshop.alice)
    place = workshop.runtime.settings
    found = checks.blobs(place)
    assert (found.ok, "all whole" in found.found) == (True, True)
    sha256 = weights_of(workshop, model)
    kept = harm(workshop, sha256, "missing")
    found = checks.blobs(place)
    assert not found.ok
    assert f"missing: the weights of model {model.model_id}" in found.found
    assert "1 of" in found.found
    assert "linocut doctor --blobs" in found.mend
    workshop.runtime.store.put(kept)
    found = checks.blobs(place)
    assert (found.ok, f"back: the weights of model {model.model_id}" in found.found) == (True, True)
    assert workshop.model(workshop.alice, model.model_id).is_available


def test_a_store_that_is_not_there_marks_no_model(workshop: Workshop) -> None:
    model = workshop.trained(workshop.alice)
    (workshop.runtime.settings.data / "store").rename(workshop.runtime.settings.data / "elsewhere")
    found = checks.blobs(workshop.runtime.settings)
    assert (found.ok, "there is no" in found.found) == (False, True)
    assert workshop.model(workshop.alice, model.model_id).is_available
