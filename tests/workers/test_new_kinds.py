"""From the queue through a worker and the fake engine to the job's result, for kinds that the product does not have."""

from typing import Any

import msgspec
import pytest
from tests.engine.new_kinds import IndexOrder, LayerizeOrder, ReciteOrder, UpscaleOrder, new_kinds
from tests.runs.workshop import BASE, Workshop, picture
from tests.workers.running import Running, Slow, until

from linocut.db.tables import images
from linocut.errors import Cancelled
from linocut.jobs import queue
from linocut.jobs.types import JobStatus
from linocut.orders import Order
from linocut.workers.answers import Answers
from linocut.workers.deliveries import DELIVERIES

__all__ = ["new_kinds"]
pytestmark = pytest.mark.usefixtures("new_kinds")


@pytest.fixture(autouse=True)
def _delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("recite", "upscale", "layerize", "index"):
        monkeypatch.setitem(DELIVERIES, name, Answers())


def common(house: Workshop) -> dict[str, Any]:
    return {"base": BASE.identity, "organization_id": house.alice.organization_id}


def put(house: Workshop, order: Order) -> str:
    return house.write(lambda tx: queue.place(tx, order, user_id=house.alice.user_id))


def result(house: Workshop, job_id: str) -> Any:
    row = house.read(lambda tx: queue.get(tx, job_id))
    assert row is not None
    assert row.status is JobStatus.DONE, row.error
    return row.result


def test_a_description_has_no_seeds_and_no_image(house: Workshop) -> None:
    sha256 = house.runtime.store.put(picture(1))
    job_id = put(house, ReciteOrder(**common(house), picture_sha256=sha256, sentences=2))
    assert (house.job(job_id=job_id).kind, house.job(job_id=job_id).images) == ("recite", 1)
    house.worker().run_until_idle()
    assert result(house, job_id) == {"descriptions": [f"{sha256[:8]} 0", f"{sha256[:8]} 1"], "images": []}
    assert house.count(images) == 0


def test_an_upscale_makes_an_image_of_a_stored_picture(house: Workshop) -> None:
    sha256 = house.runtime.store.put(picture(1))
    job_id = put(house, UpscaleOrder(**common(house), picture_sha256=sha256, width=96, height=64))
    house.worker().run_until_idle()
    [drawn] = result(house, job_id)["images"]
    assert (drawn["native_width"], drawn["native_height"]) == (96, 64)
    assert house.count(images) == 1


def test_layers_are_images_and_data(house: Workshop) -> None:
    sha256 = house.runtime.store.put(picture(1))
    order = LayerizeOrder(**common(house), picture_sha256=sha256, layers=3)
    job_id = put(house, order)
    assert house.read(lambda tx: queue.images_in_flight(tx, house.alice.organization_id)) == 3
    house.worker().run_until_idle()
    found = result(house, job_id)
    assert found["texts"] == ["TEA"]
    assert len(found["images"]) == house.count(images) == 3


def test_what_is_missing_fails_the_job_with_a_sentence(house: Workshop) -> None:
    job_id = put(house, ReciteOrder(**common(house), picture_sha256="0" * 64, sentences=1))
    house.worker().run_until_idle()
    row = house.read(lambda tx: queue.get(tx, job_id))
    assert row is not None
    assert row.status is JobStatus.FAILED


def test_a_new_kind_is_fair_with_the_others_that_are_waited_for(house: Workshop) -> None:
    """The organisation with least in work comes first, whatever the kinds."""
    sha256 = house.runtime.store.put(picture(1))
    order = LayerizeOrder(**common(house), picture_sha256=sha256, layers=3)
    first, second = put(house, order), put(house, order)
    away = msgspec.structs.replace(order, organization_id=house.bob.organization_id)
    other = put(house, away)
    index = put(house, IndexOrder(**common(house), pictures=("a",)))
    kinds = ["index", "recite", "layerize"]

    def lease() -> str:
        taken = house.write(lambda tx: queue.lease(tx, "w", kinds, house.job(job_id=first).created_at, 90))
        assert taken is not None
        return str(taken.job_id)

    assert [lease() for _ in range(4)] == [first, other, second, index]


def test_the_background_goes_one_at_a_time(house: Workshop) -> None:
    names = tuple(f"{n}" for n in range(40))
    jobs = [put(house, IndexOrder(**common(house), pictures=names)) for _ in range(2)]
    loop = house.worker(engine=Slow())
    worker = Running(loop)
    until(lambda: house.job(job_id=jobs[0]).status == "RUNNING")
    assert house.job(job_id=jobs[1]).status == "QUEUED"
    until(lambda: house.job(job_id=jobs[1]).status == "DONE")
    worker.end()
    assert worker.fault is None
    assert result(house, jobs[0]) == {"indexed": 40, "images": []}


def test_what_cannot_be_resumed_is_cancelled_at_once_while_it_waits_for_another_attempt(house: Workshop) -> None:
    job_id = put(house, IndexOrder(**common(house), pictures=("a",)))
    leased = house.write(lambda tx: queue.lease(tx, "w", ["index"], house.job(job_id=job_id).created_at, 90))
    assert leased is not None
    house.write(lambda tx: queue.release(tx, "w"))
    assert house.write(lambda tx: queue.request_cancel(tx, job_id)) is JobStatus.FAILED
    row = house.read(lambda tx: queue.get(tx, job_id))
    assert row is not None
    assert isinstance(row.error, Cancelled)
