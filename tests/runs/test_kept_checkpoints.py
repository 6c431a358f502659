"""Checkpoints that outlive their run, and versions that are made of them."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.runs.workshop import BASE, Workshop

from linocut import ids
from linocut.custom_models import promoting
from linocut.custom_models import service as registry
from linocut.db.tables import checkpoints, training_runs
from linocut.errors import Conflict, Forbidden, NotFound
from linocut.jobs import queue
from linocut.jobs.types import LeasedJob, LeaseLost
from linocut.orders import AdapterRef
from linocut.runs import service as training
from linocut.runs.checkpoints import Kept, kept


def trained(workshop: Workshop, **advanced: Any) -> Any:
    return workshop.trained(workshop.alice, **advanced)


def steps(workshop: Workshop) -> list[int]:
    return sorted(workshop.read(lambda tx: tx.scalars(select(checkpoints.c.step)).all()))


def run_scores(workshop: Workshop) -> dict[int, float]:
    scores = workshop.read(lambda tx: tx.scalar(select(training_runs.c.scores)))
    return {int(step): score for step, score in scores.items() if step.isdecimal() and step != "0"}


def test_the_best_three_are_kept_and_told(workshop: Workshop) -> None:
    model = trained(workshop)
    scores = run_scores(workshop)
    assert len(scores) > 3
    best = sorted(sorted(scores, key=lambda step: (scores[step], step))[:3])
    assert steps(workshop) == best
    [run] = workshop.model(workshop.alice, model.model_id).runs
    assert run.kept_steps == best
    assert not list(Path(workshop.runtime.settings.data / "runs").rglob("kept-*"))


def test_a_promoted_checkpoint_is_a_version_of_its_own(workshop: Workshop) -> None:
    model = trained(workshop)
    chosen = int(workshop.read(lambda tx: tx.scalar(select(training_runs.c.scores)))["chosen_step"])
    step = next(one for one in steps(workshop) if one != chosen)
    made = workshop.write(lambda tx: promoting.promote(tx, workshop.alice, model.model_id, step))
    slug = model.custom_model_uri.rpartition("/")[0]
    assert made.custom_model_uri == f"{slug}/2"
    assert (made.status, made.name, made.dataset_id) == ("COMPLETED", model.name, model.dataset_id)
    assert (made.promoted.model_id, made.promoted.step) == (model.model_id, step)
    again = workshop.write(lambda tx: promoting.promote(tx, workshop.alice, model.model_id, step))
    assert again.model_id == made.model_id
    weights = [workshop.read(lambda tx, one=one: registry.weights_of(tx, workshop.alice, one.model_id))
               for one in (model, made)]  # fmt: skip
    assert weights[0].sha256 != weights[1].sha256
    stored = workshop.runtime.store.get(weights[1].sha256)
    assert len(stored) == weights[1].size_bytes
    workshop.place(workshop.alice, custom_model_uri=made.custom_model_uri)  # it draws
    assert workshop.archive(workshop.alice, made.model_id).status == "ARCHIVED"
    third = workshop.write(lambda tx: promoting.promote(tx, workshop.alice, model.model_id, step))
    assert third.custom_model_uri == f"{slug}/3"


def test_what_is_gone_says_so_and_only_the_owner_may(workshop: Workshop) -> None:
    model = trained(workshop)
    chosen = int(workshop.read(lambda tx: tx.scalar(select(training_runs.c.scores)))["chosen_step"])
    named = ", ".join(map(str, steps(workshop)))
    gone = min(run_scores(workshop))
    assert gone not in steps(workshop)

    def ask(caller: Any, step: int) -> Any:
        return workshop.write(lambda tx: promoting.promote(tx, caller, model.model_id, step))

    with pytest.raises(NotFound, match=f"step {gone} is gone, or there never was one; kept are those of step {named}"):
        ask(workshop.alice, gone)
    with pytest.raises(Conflict, match=f"draws with the checkpoint of step {chosen} already"):
        ask(workshop.alice, chosen)
    with pytest.raises(NotFound):
        ask(workshop.bob, steps(workshop)[0])
    workshop.write(lambda tx: registry.share(tx, workshop.alice, model.model_id, workshop.alice.organization_id))
    with pytest.raises(Forbidden, match="only its owner"):
        ask(workshop.carol, steps(workshop)[0])
    workshop.archive(workshop.alice, model.model_id)
    assert steps(workshop) == []
    with pytest.raises(Conflict, match="archived"):
        ask(workshop.alice, chosen)


def test_none_is_kept_where_the_operator_wants_none(tmp_path: Path) -> None:
    workshop = Workshop.open(tmp_path, keep_checkpoints=0)
    try:
        model = trained(workshop)
        assert steps(workshop) == []
        with pytest.raises(NotFound, match="LINOCUT_KEEP_CHECKPOINTS"):
            workshop.write(lambda tx: promoting.promote(tx, workshop.alice, model.model_id, 1))
    finally:
        workshop.close()


def test_a_checkpoint_that_there_never_was_is_not_called_gone(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice)
    workshop.write(lambda tx: training.cancel(tx, workshop.alice, started.model_id))
    with pytest.raises(NotFound, match="no checkpoint of step 10: the steps of this model's training were 0"):
        workshop.write(lambda tx: promoting.promote(tx, workshop.alice, started.model_id, 10))


def test_better_ones_push_out_and_a_repetition_is_once_and_a_lost_lease_writes_nothing(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice)
    lease = workshop.write(
        lambda tx: queue.lease(tx, queue.Asking("worker", ("train",), BASE.identity), ids.now(), 90.0)
    )
    assert lease is not None
    run_id = workshop.read(lambda tx: tx.scalar(select(training_runs.c.run_id)))

    def keep(step: int, score: float, by: LeasedJob = lease) -> None:
        one = Kept(step, score, AdapterRef(sha256=f"{step:064d}", size_bytes=1))
        workshop.write(lambda tx: kept(tx, by, run_id, one, 2))

    for step, score in ((10, 0.9), (20, 0.8), (30, 0.85), (30, 0.85)):
        keep(step, score)
    assert steps(workshop) == [20, 30]
    keep(40, 0.1)
    assert steps(workshop) == [20, 40]
    keep(40, 0.95)  # the run went back, and scored it anew
    assert steps(workshop) == [20, 40]
    keep(50, 0.8)
    assert steps(workshop) == [20, 50]
    late = LeasedJob(**{**{name: getattr(lease, name) for name in lease.__dataclass_fields__}, "lease_token": 0})
    with pytest.raises(LeaseLost):
        keep(60, 0.0, late)
    assert steps(workshop) == [20, 50]
    promoted = workshop.write(lambda tx: promoting.promote(tx, workshop.alice, started.model_id, 50))
    assert promoted.custom_model_uri is not None  # while the training goes on
