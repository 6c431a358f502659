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
from linocut.datasets import garbage
from linocut.db.tables import assets, job_inputs
from linocut.errors import Lost
from linocut.storage.keys import blob_key
from linocut.storage.remote import RemoteStore
from linocut.storage.store import Store
from linocut.workers import inventory

HOW = {"missing": None, "damaged": b"rubbish"}


def harm(house: Workshop, sha256: str, how: str) -> bytes:
    """Take a stored file away, or change its bytes; what it held."""
    place = house.runtime.settings.data / "store" / blob_key(sha256)
    kept, other = place.read_bytes(), HOW[how]
    place.unlink() if other is None else place.write_bytes(other)
    return kept


def weights_of(house: Workshop, model: ModelView) -> str:
    return str(house.read(lambda tx: registry.weights_of(tx, house.alice, model.model_id)).sha256)


def asked(house: Workshop, model: ModelView) -> Any:
    return house.place(house.alice, custom_model_uri=model.custom_model_uri)


@pytest.mark.parametrize("how", HOW)
def test_a_generation_whose_weights_are_lost_takes_the_model_out_of_use(house: Workshop, how: str) -> None:
    model = house.trained(house.alice)
    other = house.trained(house.alice, "Another one", dataset_id=house.dataset(house.alice, 16))
    sha256 = weights_of(house, model)
    kept = harm(house, sha256, how)
    placed = asked(house, model)
    house.worker("second").run_until_idle()
    job = house.job(job_id=placed.job_id)
    assert (job.status, job.error["code"]) == ("FAILED", "lost")
    assert "weights of this custom model" in job.error["message"]
    assert sha256 not in job.error["message"]
    now = house.model(house.alice, model.model_id)
    assert (now.status, now.is_available) == ("COMPLETED", False)
    assert len(now.notes) == 1
    assert how in now.notes[0]
    assert now.updated_at >= model.updated_at
    assert house.model(house.alice, other.model_id).is_available
    with pytest.raises(Lost):
        asked(house, model)
    asked(house, other)

    assert inventory.look_for_lost(house.db, house.runtime.store) == []
    house.runtime.store.put(kept)
    assert inventory.look_for_lost(house.db, house.runtime.store) == [model.model_id]
    healed = house.model(house.alice, model.model_id)
    assert (healed.is_available, healed.notes) == (True, ())
    asked(house, model)


def test_who_only_shares_a_model_sees_no_reason(house: Workshop) -> None:
    model = house.trained(house.alice)
    house.write(lambda tx: registry.share(tx, house.alice, model.model_id, house.alice.organization_id))
    harm(house, weights_of(house, model), "missing")
    inventory.take(house.db, house.runtime.store)
    shared = house.model(house.carol, model.model_id)
    assert (shared.is_available, shared.notes) == (False, ())


@pytest.mark.parametrize("how", HOW)
def test_a_run_whose_picture_is_lost_ends_with_its_sentence(house: Workshop, how: str) -> None:
    dataset_id = house.dataset(house.alice)
    started = house.start(house.alice, dataset_id=dataset_id)
    (sha256, *_) = house.read(lambda tx: tx.scalars(assets.select().with_only_columns(assets.c.image_sha256)).all())
    harm(house, sha256, how)
    house.worker().run_until_idle()
    model = house.model(house.alice, started.model_id)
    assert model.status == "ERRORED"
    assert how in str(model.error)
    assert sha256 not in str(model.error)


def test_the_inventory_names_whose_each_lost_file_is(house: Workshop) -> None:
    model = house.trained(house.alice)
    asked(house, model)
    house.worker("second").run_until_idle()
    whole = inventory.take(house.db, house.runtime.store)
    assert whole.missing == ()
    picture = house.read(lambda tx: tx.execute(assets.select().limit(1)).one())
    drawn = house.job(kind="generate").result["images"][0]["image_id"]
    shas = dict(_owners(house).items())
    lost = {
        "missing": [sha for sha, whose in shas.items() if f"the weights of model {model.model_id}" in whose],
        "damaged": [
            sha
            for sha, whose in shas.items()
            if f"picture {picture.asset_id} of dataset {picture.dataset_id}" in whose or f"image {drawn}" in whose
        ],
    }
    kept = [harm(house, sha256, how) for how, some in lost.items() for sha256 in some]
    found = inventory.take(house.db, house.runtime.store)
    assert found.files == whole.files
    assert {one.sha256: one.how for one in found.missing} == {sha: how for how, some in lost.items() for sha in some}
    assert not house.model(house.alice, model.model_id).is_available
    for data in kept:
        house.runtime.store.put(data)
    assert inventory.take(house.db, house.runtime.store) == inventory.Inventory(whole.files, (), (model.model_id,))
    assert house.model(house.alice, model.model_id).is_available


def test_the_inventory_reads_what_a_job_works_on(house: Workshop) -> None:
    sha256 = house.runtime.store.put(b"a picture")
    placed = house.place(house.alice)

    def keep(tx: Any) -> None:
        row = {"job_id": placed.job_id, "role": "image", "position": 0, "bytes": 9, "width": 1, "height": 1}
        tx.execute(job_inputs.insert().values(row | {"picture_sha256": sha256}))

    house.write(keep)
    harm(house, sha256, "missing")
    (lost,) = inventory.take(house.db, house.runtime.store).missing
    assert lost == inventory.Missing(sha256, "missing", (f"the image of job {placed.job_id}",))


def test_the_inventory_looks_at_whatever_refers_to_a_blob() -> None:
    named = {"adapter_sha256", "image_sha256", "picture_sha256"}
    others = {"source_sha256", "body_sha256"}  # what was sent, which is not kept
    assert {column.name for column in garbage._references()} == named | others


def _owners(house: Workshop) -> dict[str, list[str]]:
    return dict(house.read(inventory._owners))


def test_the_same_weights_again_heal_the_model_that_lost_them(open_workshop: Callable[..., Workshop]) -> None:
    house = open_workshop()
    model = house.trained(house.alice)
    sha256 = weights_of(house, model)
    kept = harm(house, sha256, "missing")
    inventory.take(house.db, house.runtime.store)
    again = house.start(house.alice, "The very same", dataset_id=house.dataset(house.alice, 17))
    house.runtime.store.put(kept)

    def complete(tx: Any) -> None:
        ref = registry.AdapterRef(sha256=sha256, size_bytes=len(kept))
        registry.complete(tx, again.model_id, ref)

    house.write(complete)
    assert house.model(house.alice, model.model_id).is_available


def test_what_the_disk_cannot_read(house: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = house.runtime.store.put(b"ink")

    def fails(self: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(Lost, match="unreadable"):
        house.runtime.store.get(sha256)


def test_a_bucket_is_looked_through_alike(house: Workshop) -> None:
    model = house.trained(house.alice)
    local, bucket = house.runtime.store, Store(RemoteStore(MemoryStore()))
    for sha256, _ in local.listing():
        bucket.put(local.get(sha256))
    assert inventory.take(house.db, bucket).missing == ()
    weights = weights_of(house, model)
    bucket.delete(weights)
    picture = next(sha256 for sha256, _ in local.listing() if sha256 != weights)
    bucket._backend.write(blob_key(picture), b"rubbish")
    found = {one.sha256: one.how for one in inventory.take(house.db, bucket).missing}
    assert found == {weights: "missing", picture: "damaged"}
    assert not house.model(house.alice, model.model_id).is_available


def test_the_doctor_looks_at_every_stored_file(house: Workshop) -> None:
    model = house.trained(house.alice)
    place = house.runtime.settings
    found = checks.blobs(place)
    assert (found.ok, "all whole" in found.found) == (True, True)
    sha256 = weights_of(house, model)
    kept = harm(house, sha256, "missing")
    found = checks.blobs(place)
    assert not found.ok
    assert f"missing: the weights of model {model.model_id}" in found.found
    assert "1 of" in found.found
    assert "linocut doctor --blobs" in found.mend
    house.runtime.store.put(kept)
    found = checks.blobs(place)
    assert (found.ok, f"back: the weights of model {model.model_id}" in found.found) == (True, True)
    assert house.model(house.alice, model.model_id).is_available


def test_a_store_that_is_not_there_marks_no_model(house: Workshop) -> None:
    model = house.trained(house.alice)
    (house.runtime.settings.data / "store").rename(house.runtime.settings.data / "elsewhere")
    found = checks.blobs(house.runtime.settings)
    assert (found.ok, "there is no" in found.found) == (False, True)
    assert house.model(house.alice, model.model_id).is_available
