"""From the train call to the uri, on the fake engine, without HTTP."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, update
from tests.runs.workshop import BASE, OTHER_BASE, Workshop

from linocut import ids
from linocut.custom_models.service import events_after, resolve_uri
from linocut.db.tables import assets, datasets, images, jobs, models, run_images, training_runs
from linocut.errors import InvalidRequest, NotFound, RunFailed
from linocut.jobs import queue
from linocut.orders import TrainOrder, order_from_json
from linocut.runs import reports
from linocut.runs.types import AdvancedAsk

WHOLE_STORY = [
    ("CREATING", "PREPARING_DATA"),
    ("CREATING", "QUEUED"),
    ("TRAINING", "QUEUED"),
    ("TRAINING", "TRAINING"),
    ("TRAINING", "FINALIZING"),
    ("TRAINING", "COMPLETED"),
    ("COMPLETED", "COMPLETED"),
    ("COMPLETED", "COMPLETED"),  # once more behind the last previews, as the last that is heard of the run
]


def test_a_train_call_ends_in_a_model_that_draws(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, "House Style")
    assert (started.training_status, started.model_name) == ("CREATING", "House Style")
    waiting = workshop.model(workshop.alice, started.model_id)
    assert (waiting.status, waiting.custom_model_uri, waiting.is_available) == ("CREATING", None, False)
    assert [run.status for run in waiting.runs] == ["QUEUED"]

    workshop.worker().run_until_idle()

    model = workshop.model(workshop.alice, started.model_id)
    assert (model.status, model.custom_model_uri) == ("COMPLETED", "model/house-style/version/1")
    assert (model.is_available, model.is_owned, model.error) == (True, True, None)
    run = model.runs[0]
    assert (run.status, run.step, run.stopped_at_step, run.eta_seconds) == ("COMPLETED", run.training_steps, None, None)
    assert run.loss is not None
    assert {"0", str(run.training_steps), "effect", "chosen_step"} <= set(run.scores)
    assert workshop.statuses(started.model_id) == WHOLE_STORY
    adapter = workshop.read(lambda tx: resolve_uri(tx, workshop.alice, "model/house-style/version/1", BASE))
    assert len(workshop.runtime.store.get(adapter.sha256)) == adapter.size_bytes
    assert not workshop.runtime.workspace(run.run_id).exists()


def test_the_order_is_complete_and_says_what_the_rows_say(workshop: Workshop) -> None:
    asked = AdvancedAsk(training_steps=200, lora_rank=64, ema=0.99, learning_rate=2e-4, seed=11)
    started = workshop.start(workshop.alice, advanced=asked, dataset_id=workshop.dataset(workshop.alice, 31))
    order = order_from_json(workshop.job(kind="train").order)
    assert isinstance(order, TrainOrder)
    run = workshop.model(workshop.alice, started.model_id).runs[0]
    assert (order.run_id, order.seed, order.steps, order.rank) == (run.run_id, 11, 200, 64)
    assert (run.seed, run.training_steps, run.lora_rank) == (11, 200, 64)
    assert (run.ema, run.learning_rate) == (order.ema, order.learning_rate) == (0.99, 2e-4)
    assert len(order.samples) == 31
    assert len(order.holdout) == 3
    keys = [sample.image_sha256 for sample in order.samples]
    assert keys == sorted(keys)
    assert workshop.count(run_images) == len(set(keys))
    assert (order.base, order.organization_id) == (BASE.identity, workshop.alice.organization_id)
    assert len(order.previews) == 3
    assert order.preview_sampling == BASE.sampling["TURBO"]  # a run waits while its previews are drawn
    assert {sample.caption for sample in order.samples} == {workshop.runtime.restate(f"caption {n}") for n in range(31)}


def test_a_plain_caption_is_learned_without_anything_made_up(workshop: Workshop) -> None:
    """A colour, a ground or a place that the caption leaves out may be another one in the picture."""
    workshop.start(
        workshop.alice, dataset_id=workshop.dataset(workshop.alice, caption=lambda n: f"a cat and a fish {n}")
    )
    order = order_from_json(workshop.job(kind="train").order)
    assert isinstance(order, TrainOrder)
    for sample in order.samples:
        parts = json.loads(sample.caption)["compositional_deconstruction"]
        elements = [{"type": "obj", "desc": "a cat"}, {"type": "obj", "desc": "a fish"}]
        assert parts == {"background": "", "elements": elements}


def test_without_a_seed_a_random_one_is_recorded(workshop: Workshop) -> None:
    seeds = set()
    for _ in range(3):
        started = workshop.start(workshop.alice)
        run = workshop.model(workshop.alice, started.model_id).runs[0]
        order = order_from_json(workshop.job(job_id=_job_id(workshop, run.run_id)).order)
        assert isinstance(order, TrainOrder)
        assert order.seed == run.seed
        assert 0 <= run.seed < 2**31
        seeds.add(run.seed)
    assert len(seeds) == 3


def test_a_run_is_frozen_when_it_starts(workshop: Workshop) -> None:
    """The dataset is deleted and its pictures' rows with it; the run trains on what it had."""
    dataset_id = workshop.dataset(workshop.alice)
    started = workshop.start(workshop.alice, dataset_id=dataset_id)

    def forget(tx):  # type: ignore[no-untyped-def]
        tx.execute(assets.delete().where(assets.c.dataset_id == dataset_id))
        tx.execute(update(models).values(dataset_id=None))
        tx.execute(datasets.delete().where(datasets.c.dataset_id == dataset_id))

    workshop.write(forget)
    workshop.worker().run_until_idle()
    model = workshop.model(workshop.alice, started.model_id)
    assert (model.status, model.dataset_id) == ("COMPLETED", None)


@pytest.mark.parametrize(
    ("count", "least", "word"), [(0, 15, "Upload 15 more"), (14, 15, "Upload 1 more"), (4, 5, "5 to 100")]
)
def test_too_few_pictures_are_refused_with_the_way_out(
    open_workshop: Callable[..., Workshop], count: int, least: int, word: str
) -> None:
    workshop = open_workshop(min_training_images=least)
    with pytest.raises(InvalidRequest, match=word):
        workshop.start(workshop.alice, dataset_id=workshop.dataset(workshop.alice, count))
    assert [workshop.count(table) for table in (models, training_runs, jobs, run_images)] == [0, 0, 0, 0]


def test_more_pictures_than_a_dataset_may_have_are_refused(open_workshop: Callable[..., Workshop]) -> None:
    workshop = open_workshop(max_dataset_images=20)
    with pytest.raises(InvalidRequest, match="at most 20"):
        workshop.start(workshop.alice, dataset_id=workshop.dataset(workshop.alice, 21))


def test_a_start_that_fails_at_its_end_leaves_nothing(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_id = workshop.dataset(workshop.alice)
    monkeypatch.setattr("linocut.runs.service.registry.move_run", _break)
    with pytest.raises(ZeroDivisionError):
        workshop.start(workshop.alice, dataset_id=dataset_id)
    assert [workshop.count(table) for table in (models, training_runs, jobs, run_images)] == [0, 0, 0, 0]


def test_another_user_s_dataset_and_one_that_does_not_exist_look_the_same(workshop: Workshop) -> None:
    mine = workshop.dataset(workshop.alice)
    sentences = []
    for dataset_id in (mine, "A" * 22):
        with pytest.raises(NotFound) as caught:
            workshop.start(workshop.bob, dataset_id=dataset_id)
        sentences.append(caught.value.to_json())
    assert sentences[0] == sentences[1]


@pytest.mark.parametrize("name", ["abcd", "a" * 31, "tea_brand"])
def test_a_bad_name_is_refused(workshop: Workshop, name: str) -> None:
    with pytest.raises(InvalidRequest, match="model_name"):
        workshop.start(workshop.alice, name)


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_out_of_range_is_refused(workshop: Workshop, seed: int) -> None:
    with pytest.raises(InvalidRequest, match="seed must be"):
        workshop.start(workshop.alice, advanced=AdvancedAsk(seed=seed))


def test_events_tell_the_whole_story_and_resume_anywhere(workshop: Workshop) -> None:
    model = workshop.trained(workshop.alice)
    events = workshop.read(lambda tx: events_after(tx, model.model_id, 0, 10_000))
    kinds = [event.kind for event in events]
    assert {"status", "progress", "preview", "score", "likeness"} == set(kinds)
    assert [event.event_id for event in events] == sorted({event.event_id for event in events})
    half = events[len(events) // 2].event_id
    assert workshop.read(lambda tx: events_after(tx, model.model_id, half, 10_000)) == [
        event for event in events if event.event_id > half
    ]
    assert workshop.read(lambda tx: events_after(tx, model.model_id, 0, 3)) == events[:3]
    last = [event.data for event in events if event.kind == "progress"][-1]
    assert last["step"] == last["total_steps"] == model.runs[0].training_steps
    previews = [event.data for event in events if event.kind == "preview"]
    assert {(p["step"], p["index"]) for p in previews} >= {(last["step"], index) for index in range(3)}
    for preview in previews:
        row = workshop.read(lambda tx, p=preview: tx.execute(select(images).filter_by(image_id=p["image_id"])).one())
        assert workshop.runtime.store.get(row.image_sha256).startswith(b"\x89PNG")


def test_a_failed_run_leaves_one_sentence_for_its_owner(workshop: Workshop) -> None:
    broken = workshop.dataset(workshop.alice, caption=lambda n: "[nan]" if n == 3 else f"fine {n}")
    started = workshop.start(workshop.alice, dataset_id=broken)
    workshop.worker().run_until_idle()
    model = workshop.model(workshop.alice, started.model_id)
    run = model.runs[0]
    assert (model.status, run.status, model.custom_model_uri) == ("ERRORED", "FAILED", None)
    assert model.error == run.error
    assert model.error is not None
    assert "loss of sample" in model.error
    assert model.error.endswith(".")
    assert workshop.job(kind="train").status == "FAILED"
    assert not workshop.runtime.workspace(run.run_id).exists()


def test_an_unusual_learning_rate_is_noted_on_the_run(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice, advanced=AdvancedAsk(learning_rate=1e30))
    (note,) = workshop.model(workshop.alice, started.model_id).runs[0].notes
    assert note.startswith("learning_rate 1e+30 is more than 100 times the base's own (0.001).")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_failed_run_names_its_pictures_by_their_files(workshop: Workshop, is_there: bool) -> None:
    started = workshop.start(workshop.alice)
    order = order_from_json(workshop.job(kind="train").order)
    assert isinstance(order, TrainOrder)
    sha256 = order.samples[5].image_sha256
    named = f"picture 6 of 15 (sha256 {sha256[:8]})"
    lease = workshop.write(lambda tx: queue.lease(tx, queue.Asking("w", ("train",), BASE.identity), ids.now(), 90.0))
    if not is_there:
        workshop.write(lambda tx: tx.execute(delete(assets).where(assets.c.image_sha256 == sha256)))
    file_name = workshop.read(lambda tx: tx.scalar(select(assets.c.file_name).filter_by(image_sha256=sha256)))
    error = RunFailed(f"The loss on {named} was not a finite number, as on {named}.")
    workshop.write(lambda tx: reports.failed(tx, lease, order.run_id, error))
    shown = f"picture {file_name}" if is_there else named
    told = workshop.model(workshop.alice, started.model_id).error
    assert told == f"The loss on {shown} was not a finite number, as on {shown}."


def test_an_order_for_another_base_waits_for_a_worker_that_has_it(open_workshop: Callable[..., Workshop]) -> None:
    before = open_workshop()
    started = before.start(before.alice)
    after = open_workshop(base=OTHER_BASE)
    after.worker().run_until_idle()
    assert after.model(after.alice, started.model_id).status == "CREATING"
    assert after.job(kind="train").status == "QUEUED"
    before.worker().run_until_idle()
    assert after.model(after.alice, started.model_id).status == "COMPLETED"


def _job_id(workshop: Workshop, run_id: str) -> str:
    return str(workshop.read(lambda tx: tx.scalar(select(training_runs.c.job_id).filter_by(run_id=run_id))))


def _break(*_: object, **__: object) -> None:
    raise ZeroDivisionError
