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
from sqlalchemy import Connection, select, true, update
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


def doomed_worker(workshop: Workshop, fate: Fate, name: str) -> WorkerLoop:
    doomed = replace(
        workshop.runtime,
        db=DoomedDatabase(workshop.db, fate),  # type: ignore[arg-type]
        store=DoomedStore(workshop.runtime.store, fate),  # type: ignore[arg-type]
    )
    loop = WorkerLoop(doomed, FakeEngine(workshop.runtime.base), name)
    workshop.workers.append(loop)
    return loop


def live_until_it_crashes(workshop: Workshop, fate: Fate, name: str = "doomed") -> bool:
    """True when it crashed. Afterwards its supervisor has seen it die."""
    loop = doomed_worker(workshop, fate, name)
    try:
        loop.run_until_idle()
    except (Crash, RuntimeError) as end:
        if not isinstance(end, Crash) and not isinstance(end.__cause__, Crash):
            raise
        loop.heart.close()
        reaper.bury(workshop.db, name, close_failed_job)
        return True
    return False


def short_run(workshop: Workshop, dataset_id: str | None = None) -> str:
    """A run of six steps with a checkpoint every two and one preview at the end: few enough writes to try them all."""
    started = workshop.start(
        workshop.alice, dataset_id=dataset_id, advanced=AdvancedAsk(training_steps=100, lora_rank=64, seed=3)
    )
    order = order_from_json(workshop.job(kind="train").order)
    assert isinstance(order, TrainOrder)
    short = msgspec.structs.replace(order, steps=6, checkpoint_every=2, preview_every=6, previews=order.previews[:1])
    workshop.write(lambda tx: tx.execute(update(jobs).where(jobs.c.kind == "train").values(order=order_to_json(short))))
    return started.model_id


def check_house(workshop: Workshop, *only: str) -> None:
    """What holds at every moment, whoever has crashed. ``only``: of the models, look at these."""

    def look(tx: Connection) -> None:
        for row in tx.execute(select(images)):
            assert workshop.runtime.store.has(row.image_sha256), "a row that points at nothing"
        for model in tx.execute(select(models).where(models.c.model_id.in_(only) if only else true())):
            run = tx.execute(select(training_runs).filter_by(model_id=model.model_id)).one()
            assert model.status == MODEL_OF_RUN[run.status] or (model.status, run.status) == ("TRAINING", "QUEUED")
            complete = model.status == "COMPLETED"
            assert (model.slug is not None) == (model.adapter_sha256 is not None) == complete
            if complete:
                assert load(workshop.runtime.store.get(model.adapter_sha256))
            events = tx.execute(select(model_events).filter_by(model_id=model.model_id).order_by("event_id"))
            told = [(e.data["status"], e.data["run_status"]) for e in events if e.kind == "status"]
            for (model_before, run_before), (model_after, run_after) in itertools.pairwise(told):
                assert MODEL_RANK[model_after] >= MODEL_RANK[model_before]
                assert RUN_RANK[run_after] >= RUN_RANK[run_before]
        for job in tx.execute(select(jobs).filter_by(kind="generate")):
            drawn = tx.execute(select(images).filter_by(job_id=job.job_id)).all()
            told = job.result["images"] if job.status == "DONE" else []
            assert sorted(row.image_id for row in drawn) == sorted(image["image_id"] for image in told)

    workshop.read(look)


def story(workshop: Workshop, model_id: str) -> list[Any]:
    return list(workshop.read(lambda tx: tx.execute(select(model_events).filter_by(model_id=model_id)).all()))


def writes_of(open_workshop: Any, begin: Any) -> list[str]:
    workshop = open_workshop()
    begin(workshop)
    fate = Fate()
    assert not live_until_it_crashes(workshop, fate)
    return fate.log


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.long
def test_a_training_survives_a_crash_at_every_write(workshop: Workshop, after: bool) -> None:
    adapters, dataset_id = set(), workshop.dataset(workshop.alice)
    for at in itertools.count(1):
        model_id = short_run(workshop, dataset_id)
        crashed = live_until_it_crashes(workshop, Fate(at, after))
        check_house(workshop, model_id)
        workshop.worker(f"rescuer {at}").run_until_idle()
        check_house(workshop, model_id)
        model = workshop.model(workshop.alice, model_id)
        assert (model.status, model.runs[0].step) == ("COMPLETED", 6), f"crash at write {at}"
        assert model.custom_model_uri == f"model/house-style/version/{at}", "a crash spends no version"
        assert workshop.job(kind="train").status == "DONE"
        seen = [(one.data["step"], one.data["index"]) for one in story(workshop, model_id) if one.kind == "preview"]
        assert (6, 0) in seen, f"the last preview, whatever crashed at write {at}"
        assert set(seen) <= {(0, 0), (6, 0)}
        adapters.add(
            workshop.read(lambda tx, one=model_id: tx.scalar(select(models.c.adapter_sha256).filter_by(model_id=one)))
        )
        if not crashed:
            break
    check_house(workshop)
    assert at > 10
    assert len(adapters) == at, "each order is another one (its run id is)"
    assert workshop.read(lambda tx: tx.scalar(select(slugs.c.next_version))) == at + 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_generation_survives_a_crash_at_every_write(workshop: Workshop, after: bool) -> None:
    for at in itertools.count(1):
        placed = workshop.place(workshop.alice, num_images=2, seed=at * 10)
        crashed = live_until_it_crashes(workshop, Fate(at, after))
        check_house(workshop)
        workshop.worker(f"rescuer {at}").run_until_idle()
        check_house(workshop)
        job = workshop.job(job_id=placed.job_id)
        assert job.status == "DONE"
        assert [image["seed"] for image in job.result["images"]] == [at * 10, at * 10 + 1]
        if not crashed:
            break
    assert at > 3


def test_a_crash_at_the_last_write_leaves_a_folder_that_the_next_server_removes(workshop: Workshop) -> None:
    from linocut.workers.housekeeping import Housekeeping

    for _ in range(3):  # progress is written by the clock, so a run may have a write less than the one before it
        count = len(writes_of(lambda: workshop, short_run))
        model_id = short_run(workshop)
        if live_until_it_crashes(workshop, Fate(count, after=True)):
            break
    else:
        pytest.fail("no run crashed at its last write")
    run_id = workshop.model(workshop.alice, model_id).runs[0].run_id
    going = workshop.start(workshop.alice)
    going_run = workshop.model(workshop.alice, going.model_id).runs[0].run_id
    (workshop.runtime.workspace(going_run) / "1").mkdir(parents=True)
    assert workshop.runtime.workspace(run_id).exists()
    chores = Housekeeping(workshop.runtime.settings)
    chores.tidy()
    chores.close()
    assert not workshop.runtime.workspace(run_id).exists()
    assert workshop.runtime.workspace(going_run).exists()


def test_three_crashes_without_progress_end_the_run_with_a_sentence(workshop: Workshop) -> None:
    model_id = short_run(workshop)
    for attempt in range(3):
        assert live_until_it_crashes(workshop, Fate(3), f"doomed {attempt}")
    model = workshop.model(workshop.alice, model_id)
    assert (model.status, model.runs[0].status) == ("ERRORED", "FAILED")
    assert model.error is not None
    assert "stopped 3 times" in model.error
    workshop.worker().run_until_idle()
    assert workshop.model(workshop.alice, model_id) == model
    check_house(workshop)


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


def test_a_picture_that_kills_workers_takes_its_neighbours_along_only_once(workshop: Workshop) -> None:
    neighbours = [workshop.place(workshop.alice, seed=1), workshop.place(workshop.bob, seed=2)]
    deadly = workshop.place(workshop.alice, prompt="a cat [deadly]", magic_prompt="OFF")
    for attempt in range(3):
        loop = workshop.worker(f"doomed {attempt}", engine=Deadly(workshop.runtime.base))
        with pytest.raises(Crash):
            loop.run_until_idle()
        assert [len(loop.holdings.all()), attempt] in ([3, 0], [1, 1], [1, 2])
        loop.heart.close()
        reaper.bury(workshop.db, f"doomed {attempt}", close_failed_job)
        if attempt == 0:
            short_run(workshop)
    assert workshop.job(kind="train").lease_token == 0, "a run, too, waits until the suspicious pictures have ended"
    assert [workshop.job(job_id=one.job_id).status for one in neighbours] == ["DONE", "DONE"]
    ended = workshop.job(job_id=deadly.job_id)
    assert (ended.status, ended.attempts) == ("FAILED", 3)
    assert "stopped 3 times" in ended.error["message"]


def test_a_blob_that_the_collector_took_between_store_and_row_is_put_back(workshop: Workshop) -> None:
    """The picture lay there already, old and unreferenced; it is collected just before the row is written."""
    placed = workshop.place(workshop.alice, seed=4)
    workshop.worker("first").run_until_idle()
    told = workshop.job(job_id=placed.job_id).result["images"][0]
    sha256 = workshop.read(lambda tx: tx.scalar(select(images.c.image_sha256).filter_by(image_id=told["image_id"])))
    workshop.write(lambda tx: tx.execute(images.delete()))
    workshop.place(workshop.alice, seed=4)
    loop = workshop.worker("second")
    real = loop.publisher._desk.writer.write

    def collected_first(held: Any, work: Any) -> None:
        workshop.runtime.store.delete(sha256)
        real(held, work)

    loop.publisher._desk.writer.write = collected_first  # type: ignore[method-assign]
    loop.run_until_idle()
    assert workshop.count(images) == 1
    assert workshop.runtime.store.has(sha256)


def test_a_full_disk_is_waited_out(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter([OSError(28, "No space left on device")] * 3)
    put = type(workshop.runtime.store).put

    def full(store: Any, data: bytes) -> str:
        for failure in failures:
            raise failure
        return put(store, data)

    placed = workshop.place(workshop.alice)
    monkeypatch.setattr(type(workshop.runtime.store), "put", full)
    workshop.worker().run_until_idle()
    assert workshop.job(job_id=placed.job_id).status == "DONE"
    assert workshop.job(job_id=placed.job_id).attempts == 0


def test_a_fault_in_a_thread_ends_the_worker(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an error of a job, not a full disk: the process must end, so that its supervisor can start it anew."""
    workshop.place(workshop.alice)
    loop = workshop.worker()
    monkeypatch.setattr(Answers, "publish", lambda *_: 1 / 0)
    with pytest.raises(RuntimeError) as caught:
        loop.run_until_idle()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_order_that_this_version_cannot_read_fails_with_a_sentence(workshop: Workshop) -> None:
    model_id = short_run(workshop)
    placed = workshop.place(workshop.alice)
    workshop.write(lambda tx: tx.execute(update(jobs).values(order='{"type":"paint"}')))
    workshop.worker().run_until_idle()
    assert [workshop.job(job_id=placed.job_id).status, workshop.job(kind="train").status] == ["FAILED", "FAILED"]
    model = workshop.model(workshop.alice, model_id)
    assert model.status == "ERRORED"
    assert model.error is not None
    assert "ask again" in model.error
