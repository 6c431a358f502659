"""Two nodes, one database and one store: a run goes on at the other node, from its checkpoints in the store."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.runs.workshop import Workshop
from tests.workers.running import Running, Slow, everything, steps_of, until

from linocut import ids
from linocut.db.tables import run_files
from linocut.engine.fake import FakeEngine
from linocut.errors import Unavailable
from linocut.jobs import reaper
from linocut.jobs.types import LeaseLost
from linocut.orders import AdapterRef, TrainFinished, order_from_json
from linocut.runs import carried
from linocut.runs.reports import close_failed_job
from linocut.runs.types import AdvancedAsk
from linocut.workers import carrying
from linocut.workers.loop import WorkerLoop
from linocut.workers.writer import Writer

ASKED = AdvancedAsk(training_steps=100, lora_rank=64, seed=3)


def node(workshop: Workshop, name: str, engine: Any = None, **more: Any) -> WorkerLoop:
    """A worker on a machine of its own: it shares database and store, and nothing else. Each progress that is written
    carries what is new."""
    told = {
        "data": workshop.runtime.settings.data / f"node-{name}", "checkpoints": "store", "checkpoints_seconds": 0.0,
    }  # fmt: skip
    runtime = replace(workshop.runtime, settings=workshop.runtime.settings.model_copy(update=told), **more)
    loop = WorkerLoop(runtime, engine or FakeEngine(runtime.base), name)
    workshop.workers.append(loop)
    return loop


def adapter_of(workshop: Workshop, model_id: str) -> bytes:
    from linocut.custom_models.service import weights_of

    ref: AdapterRef = workshop.read(lambda tx: weights_of(tx, workshop.alice, model_id))
    return workshop.runtime.store.get(ref.sha256)


def rows(workshop: Workshop) -> list[Any]:
    return list(workshop.read(lambda tx: tx.execute(select(run_files)).all()))


def trained_alone(workshop: Workshop, folder: Path) -> bytes:
    """What the run's own order comes to when nobody disturbs it: the adapter's file."""
    order = order_from_json(workshop.job(kind="train").order)
    engine = FakeEngine(workshop.runtime.base)
    engine.admit("alone", order, workshop.runtime.store.get, folder)
    while True:
        for event in engine.step():
            if isinstance(event, TrainFinished):
                return event.path.read_bytes()


def until_carried(workshop: Workshop, loop: WorkerLoop, model_id: str, steps: int = 20) -> None:
    while not rows(workshop) or steps_of(workshop, model_id) < steps:
        loop.turn()
        until(loop.publisher.idle)


def node_is_lost(workshop: Workshop, loop: WorkerLoop) -> None:
    """Its power is cut: nothing more is written, and its lease runs out."""
    loop.heart.close()
    workshop.lose_leases()
    reaper.reap(workshop.db, ids.now(), close_failed_job)


def test_the_other_node_goes_on_where_the_lost_one_was_and_ends_with_the_same_bytes(
    workshop: Workshop, tmp_path: Path
) -> None:
    started = workshop.start(workshop.alice, advanced=ASKED)
    alone = trained_alone(workshop, tmp_path)
    first = node(workshop, "first", Slow())
    until_carried(workshop, first, started.model_id)
    node_is_lost(workshop, first)
    at = steps_of(workshop, started.model_id)
    second = node(workshop, "second")
    second.turn()
    (held,) = second.holdings.all()
    assert (held.workspace / "fake-checkpoint.json").exists(), "it came out of the store"
    second.run_until_idle()
    model = workshop.model(workshop.alice, started.model_id)
    assert (model.status, model.runs[0].step, at >= 20) == ("COMPLETED", 100, True)
    assert adapter_of(workshop, started.model_id) == alone


def test_a_node_that_is_asked_to_stop_carries_its_last_checkpoint_and_the_next_goes_on_from_that_very_step(
    workshop: Workshop,
) -> None:
    started = workshop.start(workshop.alice, advanced=ASKED)
    running = Running(node(workshop, "first", Slow()))
    until(lambda: steps_of(workshop, started.model_id) >= 3)
    running.end()
    assert running.fault is None
    at = steps_of(workshop, started.model_id)
    second = node(workshop, "second", Slow())
    second.turn()
    (held,) = second.holdings.all()
    saved = (held.workspace / "fake-checkpoint.json").read_text()
    assert f'"step": {at}' in saved or int(saved.split('"step":')[1].split(",")[0].strip(" }")) >= at
    second.run_until_idle()
    assert workshop.model(workshop.alice, started.model_id).status == "COMPLETED"


def test_a_node_that_had_the_run_before_takes_the_newer_checkpoints_of_the_other(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=ASKED)
    first = node(workshop, "first", Slow())
    until_carried(workshop, first, started.model_id, 20)
    node_is_lost(workshop, first)
    second = node(workshop, "second", Slow())
    until_carried(workshop, second, started.model_id, 60)
    until(lambda: {row.lease_token for row in rows(workshop)} == {2})
    node_is_lost(workshop, second)
    again = node(workshop, "first")  # its own folder of the first lease is older than what lies in the store
    again.turn()
    (held,) = again.holdings.all()
    (row,) = rows(workshop)
    assert (held.workspace / row.path).read_bytes() == workshop.runtime.store.get(row.file_sha256)
    again.run_until_idle()
    assert workshop.model(workshop.alice, started.model_id).status == "COMPLETED"


def test_a_folder_that_is_as_new_as_the_store_is_kept(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=ASKED)
    first = node(workshop, "first", Slow())
    until_carried(workshop, first, started.model_id)
    (held,) = first.holdings.all()
    own = b'{"its own, a step further"}'
    node_is_lost(workshop, first)
    (held.workspace / "fake-checkpoint.json").write_bytes(own)
    job = workshop.job(kind="train")
    from linocut.workers import workspaces

    folder = workspaces.enter(held.workspace.parent, job.lease_token + 1)
    lease = replace(held.job, lease_token=job.lease_token + 1)
    carrying.fetch(first._runtime, lease, held.order, folder)
    assert (folder / "fake-checkpoint.json").read_bytes() == own


def test_a_sleeper_on_another_node_writes_nothing(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=ASKED)
    sleeper = node(workshop, "sleeper", Slow())
    until_carried(workshop, sleeper, started.model_id)
    node_is_lost(workshop, sleeper)
    node(workshop, "other").run_until_idle()
    before, files = everything(workshop), rows(workshop)
    while sleeper._engine.busy():
        for event in sleeper._engine.step():
            sleeper.publisher.put(event)
    until(lambda: not sleeper.holdings.all())
    until(sleeper.publisher.idle)
    assert (everything(workshop), rows(workshop)) == (before, files)
    assert workshop.model(workshop.alice, started.model_id).status == "COMPLETED"


def test_who_lost_the_lease_carries_nothing(workshop: Workshop) -> None:
    """Whoever calls it, and whatever they have looked at before."""
    started = workshop.start(workshop.alice, advanced=ASKED)
    sleeper = node(workshop, "sleeper", Slow())
    until_carried(workshop, sleeper, started.model_id)
    (held,) = sleeper.holdings.all()
    node_is_lost(workshop, sleeper)
    before = rows(workshop)
    with pytest.raises(LeaseLost):
        workshop.write(lambda tx: carried.carry(tx, held.job, held.order.run_id, ()))
    assert rows(workshop) == before
    assert before


class Gone:
    """A store that is away for a while: it takes nothing and gives nothing."""

    def __init__(self, store: Any) -> None:
        self.store, self.away = store, False

    def __getattr__(self, name: str) -> Any:
        if self.away and name in ("put", "has", "get"):
            raise Unavailable("The store is away.")
        return getattr(self.store, name)


def test_a_store_that_is_gone_for_a_while_stops_no_run_and_costs_no_step(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(carrying, "PATIENCE_SECONDS", 0.0)
    started = workshop.start(workshop.alice, advanced=ASKED)
    alone = trained_alone(workshop, tmp_path)
    store = Gone(workshop.runtime.store)
    loop = node(workshop, "first", Slow(), store=store)
    until_carried(workshop, loop, started.model_id, 10)
    store.away, carried = True, rows(workshop)
    at = steps_of(workshop, started.model_id)
    for _ in range(20):
        loop.turn()
    assert loop.holdings.in_background(), "the run goes on"
    assert rows(workshop) == carried
    store.away = False
    loop.run_until_idle()
    model = workshop.model(workshop.alice, started.model_id)
    assert (model.status, model.runs[0].step > at) == ("COMPLETED", True)
    assert adapter_of(workshop, started.model_id) == alone


def test_what_a_run_needs_no_more_leaves_the_store_and_of_an_ended_run_nothing_stays(workshop: Workshop) -> None:
    from linocut.workers.pruning import prune

    started = workshop.start(workshop.alice, advanced=ASKED)
    loop = node(workshop, "first", Slow())
    until_carried(workshop, loop, started.model_id, 10)
    (early,) = {row.file_sha256 for row in rows(workshop)}
    until_carried(workshop, loop, started.model_id, 60)
    until(lambda: early not in {row.file_sha256 for row in rows(workshop)})
    assert not workshop.runtime.store.has(early)
    loop.run_until_idle()
    prune(workshop.db, ids.now(), 24, 30)
    assert rows(workshop) == []


def test_checkpoints_stay_where_they_are_unless_the_store_is_a_bucket_or_it_is_asked_for(tmp_path: Path) -> None:
    from linocut.settings import Settings

    for told, is_carried in (
        ({}, False),
        ({"storage_url": "s3://bucket"}, True),
        ({"storage_url": "file:///srv/store"}, False),
        ({"storage_url": "s3://bucket", "checkpoints": "folder"}, False),
        ({"checkpoints": "store"}, True),
    ):
        assert Settings(data=tmp_path, **told).carries_checkpoints is is_carried


def test_how_often_it_is_carried_is_a_setting(workshop: Workshop) -> None:
    assert workshop.runtime.settings.checkpoints_seconds == 20.0
    settings = workshop.runtime.settings.model_copy(update={"checkpoints_seconds": 7.0})
    carrier = carrying.Carrier(
        replace(workshop.runtime, settings=settings), Writer(workshop.db, workshop.runtime.store)
    )
    assert carrier._every == 7.0
