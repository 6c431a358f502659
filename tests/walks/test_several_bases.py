"""Several bases at once: each worker has one, each request is judged and drawn by its own; nobody waits in vain."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.live import base_folder
from tests.walks.in_process import Answer, Inside

from linocut import ids
from linocut.bases import Licence, Memory
from linocut.db.tables import jobs, models, workers
from linocut.engine.open import open_engine
from linocut.errors import InvalidRequest
from linocut.jobs import roster
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.workers import supervise
from linocut.workers.children import environment_of
from linocut.workers.loop import WorkerLoop

V3 = "/v1/ideogram-v3/generate"
V4 = "/v1/ideogram-v4/generate"


def other_base(folder: Path, **facts: Any) -> Path:
    """A second base: the embedded one's facts with some of its own, so another identity too."""
    base_folder(folder)
    said = json.loads((folder / "linocut.json").read_text()) | {"name": folder.name, **facts}
    (folder / "linocut.json").write_text(json.dumps(said))
    (folder / "model_index.json").write_text(json.dumps({"which": folder.name}))
    return folder


class Two(Inside):
    """A server of two bases: ``base`` and ``other``, whose native size is a half of it; the worker has the first."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.other = other_base(folder / "other", native_pixels=128)
        super().__init__(folder, more_bases=str(self.other), base_v4=str(self.other), **settings)
        self.second = self.runtime.bases[str(self.other)]

    def worker_of(self, word: Path | str, name: str) -> WorkerLoop:
        """One more worker, as another process would be: with a runtime of its own."""
        settings = self.runtime.settings.for_a_worker().model_copy(update={"base": str(word)})
        runtime = Runtime.open(settings)
        return WorkerLoop(runtime, open_engine("fake", runtime.base, runtime.base_folder, 1, 1 << 20), name)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    inside = Two(tmp_path)
    yield inside
    inside.close()


def key_of(inside: Inside) -> str:
    return inside.key(*inside.person("somebody"))[1]


def queued(inside: Inside) -> list[Any]:
    with inside.runtime.db.read() as snapshot:
        return list(snapshot.execute(jobs.select().order_by(jobs.c.created_at)).all())


def drawn(inside: Two, key: str, path: str, body: dict[str, Any], worker: WorkerLoop) -> Answer:
    """A request, answered while that worker works."""
    mine, inside._worker = inside._worker, worker
    try:
        return inside.ask(key, "POST", path, body, working=True)
    finally:
        inside._worker = mine


def test_each_route_is_judged_and_drawn_by_its_base(two: Two) -> None:
    key = key_of(two)
    second = two.worker_of(two.other, "second")
    try:
        of_v3 = two.ask(key, "POST", V3, {"prompt": "tea", "seed": 1}, working=True)
        of_v4 = drawn(two, key, V4, {"text_prompt": "tea", "seed": 1}, second)
        assert (of_v3.status, of_v4.status) == (200, 200)
        said = [answer.json["data"][0]["x_linocut"] for answer in (of_v3, of_v4)]
        assert [one["base"] for one in said] == [two.runtime.base.identity, two.second.identity]
        native = two.runtime.base.native_pixels
        assert [one["native_resolution"] for one in said] == [f"{native}x{native}", "128x128"]
    finally:
        second.close()
        second._runtime.close()


def test_a_worker_leases_only_jobs_of_its_base(two: Two) -> None:
    place(two, two.second.identity)
    two.rest()
    assert [job.status for job in queued(two)] == ["QUEUED"], "the first base's worker has left it"
    second = two.worker_of(two.other, "second")
    try:
        second.run_until_idle()
        assert [job.status for job in queued(two)] == ["DONE"]
    finally:
        second.close()
        second._runtime.close()


def place(inside: Two, identity: str) -> None:
    """A job of one base, in the queue."""
    from tests.orders_for_tests import order_on

    from linocut.jobs import queue

    with inside.runtime.db.transaction() as tx:
        queue.place(tx, order_on(identity, ids.new_id()))


def test_a_custom_model_draws_with_its_own_base_whatever_the_route(two: Two) -> None:
    key_id, key = two.key(*(person := two.person("owner")))
    del key_id
    uri = model_on(two, person, two.second.identity)
    second = two.worker_of(two.other, "second")
    try:
        answer = drawn(two, key, V3, {"prompt": "tea", "custom_model_uri": uri}, second)
        assert answer.status == 200, answer.json
        assert answer.json["data"][0]["x_linocut"]["base"] == two.second.identity
    finally:
        second.close()
        second._runtime.close()


def model_on(inside: Inside, person: tuple[str, str], identity: str) -> str:
    """The uri of a COMPLETED model of a person on a base, with an adapter in the store."""
    sha256, now = inside.runtime.store.put(b"an adapter"), ids.now()
    slug = f"style-{ids.new_id()[:6].lower().replace('_', 'x').replace('-', 'x')}"
    row = {
        "model_id": ids.new_id(), "user_id": person[0], "name": slug, "status": "COMPLETED", "base": identity,
        "first_version": 1, "slug": slug, "version": 1, "adapter_sha256": sha256, "adapter_bytes": 10,
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    with inside.runtime.db.transaction() as tx:
        tx.execute(models.insert().values(**row))
    return f"model/{slug}/version/1"


def test_a_model_of_a_base_that_was_served_once_answers_503_and_of_an_unknown_one_400(tmp_path: Path) -> None:
    Memory(tmp_path / "data" / "bases.json").keep_licence("flux2@once", Licence("Ours"))
    two = Two(tmp_path)
    try:
        _, key = two.key(*(person := two.person("owner")))
        for identity, status, word in (("flux2@once", 503, "no worker"), ("flux2@never", 400, "was trained on")):
            refused = two.ask(key, "POST", V3, {"prompt": "tea", "custom_model_uri": model_on(two, person, identity)})
            assert (refused.status, word in refused.json["error"], identity in refused.json["error"]) == (
                status, True, True,
            )  # fmt: skip
        assert queued(two) == []
    finally:
        two.close()


def test_a_route_whose_base_only_the_catalogue_knows_answers_503_until_a_worker_has_it(tmp_path: Path) -> None:
    inside = Inside(tmp_path, base_v4="sdxl")
    try:
        key = key_of(inside)
        refused = inside.ask(key, "POST", V4, {"text_prompt": "tea"})
        assert (refused.status, "the base sdxl" in refused.json["error"]) == (503, True)
        assert inside.ask(key, "POST", V3, {"prompt": "tea"}, working=True).status == 200
        elsewhere = other_base(tmp_path / "elsewhere", known_as="sdxl", name="sdxl")
        runtime = Runtime.open(inside.runtime.settings.for_a_worker().model_copy(update={"base": str(elsewhere)}))
        worker = WorkerLoop(runtime, open_engine("fake", runtime.base, runtime.base_folder, 1, 1 << 20), "far")
        worker.heart.tell()
        inside._worker, mine = worker, inside._worker
        answer = inside.ask(key, "POST", V4, {"text_prompt": "tea"}, working=True)
        inside._worker = mine
        worker.close()
        runtime.close()
        assert answer.status == 200, answer.json
        assert answer.json["data"][0]["x_linocut"]["base"] == runtime.base.identity
    finally:
        inside.close()


def test_a_base_that_nobody_can_ever_serve_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"LINOCUT_BASE_V4 is 'nosuch'.*LINOCUT_MORE_BASES"):
        Inside(tmp_path, base_v4="nosuch")


def test_jobs_for_a_base_without_a_worker_wait_or_are_refused_by_setting(tmp_path: Path) -> None:
    for setting, status in (("refuse", 503), ("wait", None)):
        two = Two(tmp_path / setting, no_worker=setting, generate_timeout_seconds=0.2)
        try:
            two._worker.heart.tell()
            key = key_of(two)
            answer = two.ask(key, "POST", V4, {"text_prompt": "tea"})
            assert answer.status == 503
            refused = "LINOCUT_NO_WORKER=refuse" in answer.json["error"]
            assert (refused, len(queued(two))) == ((True, 0) if status else (False, 1))
            assert two.ask(key, "POST", V3, {"prompt": "tea"}, working=True).status == 200
            trained = two.ask(key, "POST", "/v1/ideogram-v4/train-model", {"dataset_id": "x", "model_name": "House"})
            assert trained.status == (503 if status else 404)
        finally:
            two.close()


def test_bases_says_which_workers_serve_what(two: Two) -> None:
    key = key_of(two)
    two._worker.heart.tell()
    first, second = two.ask(key, "GET", "/bases").json["bases"][:2]
    assert [(one["identity"], one["routes"]) for one in (first, second)] == [
        (two.runtime.base.identity, ["v3", "legacy"]), (two.second.identity, ["v4"]),
    ]  # fmt: skip
    assert [one["state"] for one in (first, second)] == ["serving", "loading"]
    (worker,) = first["workers"]
    assert (worker["state"], worker["custom_models"], second["workers"]) == ("serving", 0, [])
    assert "worker" not in worker["worker"], "the name says nothing of the machine"
    two._worker.presence.end()
    assert two.ask(key, "GET", "/bases").json["bases"][0]["workers"] == []


def test_a_silent_worker_is_lost_a_hanging_one_hangs_and_housekeeping_forgets_it(two: Two) -> None:
    from datetime import timedelta

    from linocut.workers.pruning import prune

    two._worker.heart.tell()
    key, now = key_of(two), ids.now()
    for values, state in (
        ({"turned_at": now - timedelta(seconds=61)}, "hanging"),
        ({"seen_at": now - timedelta(seconds=91)}, "lost"),
        ({"seen_at": now - timedelta(seconds=91), "state": "loading"}, "loading"),
    ):
        with two.runtime.db.transaction() as tx:
            tx.execute(workers.update().values(**({"seen_at": now, "turned_at": now, "state": "serving"} | values)))
        assert two.ask(key, "GET", "/bases").json["bases"][0]["workers"][0]["state"] == state
    assert prune(two.runtime.db, now, 24, 30)["workers"] == 0
    assert prune(two.runtime.db, now + timedelta(hours=25), 24, 30)["workers"] == 1


def test_a_server_starts_workers_for_each_base_and_each_is_told_of_one(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, base="a", more_bases="b, c", base_v4="b", workers=2)
    told = supervise._engine_environments(settings)
    assert [one["LINOCUT_BASE"] for one in told] == ["a", "a", "b", "b", "c", "c"]
    assert {one["LINOCUT_MORE_BASES"] + one["LINOCUT_BASE_V4"] for one in told} == {""}
    assert {one["LINOCUT_WORKERS"] for one in told} == {"6"}, "they share the cores"
    assert environment_of(settings)["LINOCUT_MORE_BASES"] == "b, c"
    two = {"base": str(other_base(tmp_path / "x")), "more_bases": str(other_base(tmp_path / "y")), "workers": 33}
    with pytest.raises(InvalidRequest, match="more than one server starts"):
        supervise.check_base(Settings(data=tmp_path, engine="fake", **two))


def test_a_worker_that_is_asked_to_drain_says_so_and_ends(two: Two) -> None:
    import threading

    worker = two._worker
    worker.heart.tell()
    with two.runtime.db.transaction() as tx:
        assert roster.ask_to_drain(tx, ["worker"]) == 1
        assert roster.ask_to_drain(tx, ["nobody"]) == 0
    assert two.ask(key_of(two), "GET", "/bases").json["bases"][0]["workers"][0]["state"] == "draining"
    worker.heart.tell()
    worker.run(threading.Event(), drain_seconds=1.0)  # ends by itself
    assert worker.presence.asked_to_drain.is_set()
