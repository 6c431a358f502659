"""A crash before and after every write to the store and every transaction: nothing half-done is ever visible,
nothing acknowledged is lost, and the next worker ends the work as if nothing had happened."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
from safetensors.numpy import load
from sqlalchemy import Connection, select, update
from tests.runs.workshop import Workshop

from linocut.custom_models.states import MODEL_OF_RUN
from linocut.db.tables import images, jobs, model_events, models, slugs, training_runs
from linocut.engine.fake import FakeEngine
from linocut.jobs import reaper
from linocut.orders import GenerateOrder, TrainOrder, order_from_json, order_to_json
from linocut.runs.reports import close_failed_job
from linocut.runs.types import AdvancedAsk
from linocut.workers.answers import Answers
from linocut.workers.loop import WorkerLoop

MODEL_RANK = {"CREATING": 0, "TRAINING": 1, "COMPLETED": 2, "ERRORED": 2}
RUN_RANK = {"PREPARING_DATA": 0, "QUEUED": 1, "TRAINING": 2, "FINALIZING": 3, "COMPLETED": 4, "FAILED": 4}


class Crash(BaseException):
    """SIGKILL, as seen from inside."""


@dataclass
class Fate:
    """Crashes at the ``at``-th write, just before it or just after it; counts writes until then."""

    at: int = 10**9
    after: bool = False
    log: list[str] = field(default_factory=list)

    @contextmanager
    def write(self, name: str) -> Iterator[None]:
        self.log.append(name)
        mine = len(self.log) == self.at
        if mine and not self.after:
            raise Crash(name)
        yield
        if mine:
            raise Crash(name)


class DoomedStore:
    def __init__(self, store: Any, fate: Fate) -> None:
        self._store, self._fate = store, fate
        self.get, self.has = store.get, store.has

    def put(self, data: bytes) -> str:
        with self._fate.write("put"):
            return str(self._store.put(data))


class DoomedDatabase:
    def __init__(self, db: Any, fate: Fate) -> None:
        self._db, self._fate = db, fate
        self.read, self.changes, self.is_damaged = db.read, db.changes, db.is_damaged

    @contextmanager
    def transaction(self, **given: float) -> Iterator[Connection]:
        with self._fate.write("transaction"), self._db.transaction(**given) as tx:
            yield tx


def doomed_worker(house: Workshop, fate: Fate, name: str) -> WorkerLoop:
    doomed = replace(
        house.runtime,
        db=DoomedDatabase(house.db, fate),  # type: ignore[arg-type]
        store=DoomedStore(house.runtime.store, fate),  # type: ignore[arg-type]
    )
    loop = WorkerLoop(doomed, FakeEngine(house.runtime.base), name)
    house.workers.append(loop)
    return loop


def live_until_it_crashes(house: Workshop, fate: Fate, name: str = "doomed") -> bool:
    """True when it crashed. Afterwards its supervisor has seen it die."""
    loop = doomed_worker(house, fate, name)
    try:
        loop.run_until_idle()
    except (Crash, RuntimeError) as end:
        if not isinstance(end, Crash) and not isinstance(end.__cause__, Crash):
            raise
        loop.heart.close()
        reaper.bury(house.db, name, close_failed_job)
        return True
    return False


def short_run(house: Workshop) -> str:
    """A run of six steps with a checkpoint every two and one preview at the end: few enough writes to try them all."""
    started = house.start(house.alice, advanced=AdvancedAsk(training_steps=100, lora_rank=64, seed=3))
    order = order_from_json(house.job(kind="train").order)
    assert isinstance(order, TrainOrder)
    short = msgspec.structs.replace(order, steps=6, checkpoint_every=2, preview_every=6, previews=order.previews[:1])
    house.write(lambda tx: tx.execute(update(jobs).where(jobs.c.kind == "train").values(order=order_to_json(short))))
    return started.model_id


def check_house(house: Workshop) -> None:
    """What holds at every moment, whoever has crashed."""

    def look(tx: Connection) -> None:
        for row in tx.execute(select(images)):
            assert house.runtime.store.has(row.image_sha256), "a row that points at nothing"
        for model in tx.execute(select(models)):
            run = tx.execute(select(training_runs).filter_by(model_id=model.model_id)).one()
            assert model.status == MODEL_OF_RUN[run.status] or (model.status, run.status) == ("TRAINING", "QUEUED")
            complete = model.status == "COMPLETED"
            assert (model.slug is not None) == (model.adapter_sha256 is not None) == complete
            if complete:
                assert load(house.runtime.store.get(model.adapter_sha256))
            events = tx.execute(select(model_events).filter_by(model_id=model.model_id).order_by("event_id"))
            told = [(e.data["status"], e.data["run_status"]) for e in events if e.kind == "status"]
            for (model_before, run_before), (model_after, run_after) in itertools.pairwise(told):
                assert MODEL_RANK[model_after] >= MODEL_RANK[model_before]
                assert RUN_RANK[run_after] >= RUN_RANK[run_before]
        for job in tx.execute(select(jobs)):
            drawn = tx.execute(select(images).filter_by(job_id=job.job_id)).all()
            if job.kind == "generate":
                told = job.result["images"] if job.status == "DONE" else []
                assert sorted(row.image_id for row in drawn) == sorted(image["image_id"] for image in told)

    house.read(look)


def writes_of(open_workshop: Any, begin: Any) -> list[str]:
    house = open_workshop()
    begin(house)
    fate = Fate()
    assert not live_until_it_crashes(house, fate)
    return fate.log


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_training_survives_a_crash_at_every_write(house: Workshop, after: bool) -> None:
    adapters = set()
    for at in itertools.count(1):
        model_id = short_run(house)
        crashed = live_until_it_crashes(house, Fate(at, after))
        check_house(house)
        house.worker(f"rescuer {at}").run_until_idle()
        check_house(house)
        model = house.model(house.alice, model_id)
        assert (model.status, model.runs[0].step) == ("COMPLETED", 6), f"crash at write {at}"
        assert model.custom_model_uri == f"model/house-style/version/{at}", "a crash spends no version"
        assert house.job(kind="train").status == "DONE"
        adapters.add(
            house.read(lambda tx, one=model_id: tx.scalar(select(models.c.adapter_sha256).filter_by(model_id=one)))
        )
        if not crashed:
            break
    assert at > 10
    assert len(adapters) == at, "each order is another one (its run id is)"
    assert house.read(lambda tx: tx.scalar(select(slugs.c.next_version))) == at + 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_generation_survives_a_crash_at_every_write(house: Workshop, after: bool) -> None:
    for at in itertools.count(1):
        placed = house.place(house.alice, num_images=2, seed=at * 10)
        crashed = live_until_it_crashes(house, Fate(at, after))
        check_house(house)
        house.worker(f"rescuer {at}").run_until_idle()
        check_house(house)
        job = house.job(job_id=placed.job_id)
        assert job.status == "DONE"
        assert [image["seed"] for image in job.result["images"]] == [at * 10, at * 10 + 1]
        if not crashed:
            break
    assert at > 3


def test_a_crash_at_the_last_write_leaves_a_folder_that_the_next_server_removes(house: Workshop) -> None:
    from linocut.workers.housekeeping import Housekeeping

    count = len(writes_of(lambda: house, short_run))
    model_id = short_run(house)
    assert live_until_it_crashes(house, Fate(count, after=True))
    run_id = house.model(house.alice, model_id).runs[0].run_id
    going = house.start(house.alice)
    going_run = house.model(house.alice, going.model_id).runs[0].run_id
    (house.runtime.workspace(going_run) / "1").mkdir(parents=True)
    assert house.runtime.workspace(run_id).exists()
    chores = Housekeeping(house.runtime.settings)
    chores.tidy()
    chores.close()
    assert not house.runtime.workspace(run_id).exists()
    assert house.runtime.workspace(going_run).exists()


def test_three_crashes_without_progress_end_the_run_with_a_sentence(house: Workshop) -> None:
    model_id = short_run(house)
    for attempt in range(3):
        assert live_until_it_crashes(house, Fate(3), f"doomed {attempt}")
    model = house.model(house.alice, model_id)
    assert (model.status, model.runs[0].status) == ("ERRORED", "FAILED")
    assert model.error is not None
    assert "stopped 3 times" in model.error
    house.worker().run_until_idle()
    assert house.model(house.alice, model_id) == model
    check_house(house)


class Deadly(FakeEngine):
    """An engine that a certain picture kills, whatever else it draws at the time."""

    dying = False

    def admit(self, key: str, order: Any, *how: Any) -> None:
        super().admit(key, order, *how)
        self.dying |= isinstance(order, GenerateOrder) and "[deadly]" in order.caption

    def step(self) -> list[Any]:
        if self.dying:
            raise Crash("the engine")
        return super().step()


def test_a_picture_that_kills_workers_takes_its_neighbours_along_only_once(house: Workshop) -> None:
    neighbours = [house.place(house.alice, seed=1), house.place(house.bob, seed=2)]
    deadly = house.place(house.alice, prompt="a cat [deadly]", magic_prompt="OFF")
    for attempt in range(3):
        loop = house.worker(f"doomed {attempt}", engine=Deadly(house.runtime.base))
        with pytest.raises(Crash):
            loop.run_until_idle()
        assert [len(loop.holdings.all()), attempt] in ([3, 0], [1, 1], [1, 2])
        loop.heart.close()
        reaper.bury(house.db, f"doomed {attempt}", close_failed_job)
        if attempt == 0:
            short_run(house)
    assert house.job(kind="train").lease_token == 0, "a run, too, waits until the suspicious pictures have ended"
    assert [house.job(job_id=one.job_id).status for one in neighbours] == ["DONE", "DONE"]
    ended = house.job(job_id=deadly.job_id)
    assert (ended.status, ended.attempts) == ("FAILED", 3)
    assert "stopped 3 times" in ended.error["message"]


def test_a_blob_that_the_collector_took_between_store_and_row_is_put_back(house: Workshop) -> None:
    """The picture lay there already, old and unreferenced; it is collected just before the row is written."""
    placed = house.place(house.alice, seed=4)
    house.worker("first").run_until_idle()
    told = house.job(job_id=placed.job_id).result["images"][0]
    sha256 = house.read(lambda tx: tx.scalar(select(images.c.image_sha256).filter_by(image_id=told["image_id"])))
    house.write(lambda tx: tx.execute(images.delete()))
    house.place(house.alice, seed=4)
    loop = house.worker("second")
    real = loop.publisher._desk.writer.write

    def collected_first(held: Any, work: Any) -> None:
        house.runtime.store.delete(sha256)
        real(held, work)

    loop.publisher._desk.writer.write = collected_first  # type: ignore[method-assign]
    loop.run_until_idle()
    assert house.count(images) == 1
    assert house.runtime.store.has(sha256)


def test_a_full_disk_is_waited_out(house: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter([OSError(28, "No space left on device")] * 3)
    put = type(house.runtime.store).put

    def full(store: Any, data: bytes) -> str:
        for failure in failures:
            raise failure
        return put(store, data)

    placed = house.place(house.alice)
    monkeypatch.setattr(type(house.runtime.store), "put", full)
    house.worker().run_until_idle()
    assert house.job(job_id=placed.job_id).status == "DONE"
    assert house.job(job_id=placed.job_id).attempts == 0


def test_a_fault_in_a_thread_ends_the_worker(house: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an error of a job, not a full disk: the process must end, so that its supervisor can start it anew."""
    house.place(house.alice)
    loop = house.worker()
    monkeypatch.setattr(Answers, "publish", lambda *_: 1 / 0)
    with pytest.raises(RuntimeError) as caught:
        loop.run_until_idle()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_order_that_this_version_cannot_read_fails_with_a_sentence(house: Workshop) -> None:
    model_id = short_run(house)
    placed = house.place(house.alice)
    house.write(lambda tx: tx.execute(update(jobs).values(order='{"type":"paint"}')))
    house.worker().run_until_idle()
    assert [house.job(job_id=placed.job_id).status, house.job(kind="train").status] == ["FAILED", "FAILED"]
    model = house.model(house.alice, model_id)
    assert model.status == "ERRORED"
    assert model.error is not None
    assert "ask again" in model.error
