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
from linocut.jobs.types import Asking, JobStatus
from linocut.orders import Order
from linocut.workers.answers import Answers
from linocut.workers.deliveries import DELIVERIES

__all__ = ["new_kinds"]
pytestmark = pytest.mark.usefixtures("new_kinds")


@pytest.fixture(autouse=True)
def _delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("recite", "upscale", "layerize", "index"):
        monkeypatch.setitem(DELIVERIES, name, Answers())


def common(workshop: Workshop) -> dict[str, Any]:
    return {"base": BASE.identity, "organization_id": workshop.alice.organization_id}


def put(workshop: Workshop, order: Order) -> str:
    return workshop.write(lambda tx: queue.place(tx, order, user_id=workshop.alice.user_id))


def result(workshop: Workshop, job_id: str) -> Any:
    row = workshop.read(lambda tx: queue.get(tx, job_id))
    assert row is not None
    assert row.status is JobStatus.DONE, row.error
    return row.result


def test_a_description_has_no_seeds_and_no_image(workshop: Workshop) -> None:
    sha256 = workshop.runtime.store.put(picture(1))
    job_id = put(workshop, ReciteOrder(**common(workshop), picture_sha256=sha256, sentences=2))
    assert (workshop.job(job_id=job_id).kind, workshop.job(job_id=job_id).images) == ("recite", 1)
    workshop.worker().run_until_idle()
    assert result(workshop, job_id) == {"descriptions": [f"{sha256[:8]} 0", f"{sha256[:8]} 1"], "images": []}
    assert workshop.count(images) == 0


def test_an_upscale_makes_an_image_of_a_stored_picture(workshop: Workshop) -> None:
    sha256 = workshop.runtime.store.put(picture(1))
    job_id = put(workshop, UpscaleOrder(**common(workshop), picture_sha256=sha256, width=96, height=64))
    workshop.worker().run_until_idle()
    [drawn] = result(workshop, job_id)["images"]
    assert (drawn["native_width"], drawn["native_height"]) == (96, 64)
    assert workshop.count(images) == 1


def test_layers_are_images_and_data(workshop: Workshop) -> None:
    sha256 = workshop.runtime.store.put(picture(1))
    order = LayerizeOrder(**common(workshop), picture_sha256=sha256, layers=3)
    job_id = put(workshop, order)
    assert workshop.read(lambda tx: queue.images_in_flight(tx, workshop.alice.organization_id)) == 3
    workshop.worker().run_until_idle()
    found = result(workshop, job_id)
    assert found["texts"] == ["TEA"]
    assert len(found["images"]) == workshop.count(images) == 3


def test_what_is_missing_fails_the_job_with_a_sentence(workshop: Workshop) -> None:
    job_id = put(workshop, ReciteOrder(**common(workshop), picture_sha256="0" * 64, sentences=1))
    workshop.worker().run_until_idle()
    row = workshop.read(lambda tx: queue.get(tx, job_id))
    assert row is not None
    assert row.status is JobStatus.FAILED


def test_a_new_kind_is_fair_with_the_others_that_are_waited_for(workshop: Workshop) -> None:
    """The organisation with least in work comes first, whatever the kinds."""
    sha256 = workshop.runtime.store.put(picture(1))
    order = LayerizeOrder(**common(workshop), picture_sha256=sha256, layers=3)
    first, second = put(workshop, order), put(workshop, order)
    away = msgspec.structs.replace(order, organization_id=workshop.bob.organization_id)
    other = put(workshop, away)
    index = put(workshop, IndexOrder(**common(workshop), pictures=("a",)))
    kinds = ["index", "recite", "layerize"]

    def lease() -> str:
        taken = workshop.write(
            lambda tx: queue.lease(tx, Asking("w", kinds, BASE.identity), workshop.job(job_id=first).created_at, 90)
        )
        assert taken is not None
        return str(taken.job_id)

    assert [lease() for _ in range(4)] == [first, other, second, index]


def test_the_background_goes_one_at_a_time(workshop: Workshop) -> None:
    names = tuple(f"{n}" for n in range(40))
    jobs = [put(workshop, IndexOrder(**common(workshop), pictures=names)) for _ in range(2)]
    loop = workshop.worker(engine=Slow())
    worker = Running(loop)
    until(lambda: workshop.job(job_id=jobs[0]).status == "RUNNING")
    assert workshop.job(job_id=jobs[1]).status == "QUEUED"
    until(lambda: workshop.job(job_id=jobs[1]).status == "DONE")
    worker.end()
    assert worker.fault is None
    assert result(workshop, jobs[0]) == {"indexed": 40, "images": []}


def test_what_cannot_be_resumed_is_cancelled_at_once_while_it_waits_for_another_attempt(workshop: Workshop) -> None:
    job_id = put(workshop, IndexOrder(**common(workshop), pictures=("a",)))
    leased = workshop.write(
        lambda tx: queue.lease(tx, Asking("w", ["index"], BASE.identity), workshop.job(job_id=job_id).created_at, 90)
    )
    assert leased is not None
    workshop.write(lambda tx: queue.release(tx, "w"))
    assert workshop.write(lambda tx: queue.request_cancel(tx, job_id)) is JobStatus.FAILED
    row = workshop.read(lambda tx: queue.get(tx, job_id))
    assert row is not None
    assert isinstance(row.error, Cancelled)
