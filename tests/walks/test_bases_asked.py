"""Every place that asks something of a base, on a server of several: readiness, imports, reports, health, cards."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.api.live import running
from tests.lora_files.lora_support import by_hand
from tests.walks.test_importing import send
from tests.walks.test_several_bases import Two, key_of, model_on, other_base

from linocut import ids
from linocut.accounts import administrators
from linocut.bases import MINI
from linocut.cli import checks
from linocut.client import Client
from linocut.db.tables import workers
from linocut.lora_files.targets import targets_in
from linocut.runtime import Runtime, ready_folder
from linocut.settings import Settings
from linocut.workers.presence import Presence

READY = b"linocut_ready 1\n"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    inside = Two(tmp_path)
    yield inside
    inside.close()


def draws(two: Two, identity: str, stack: ExitStack) -> None:
    """An engine process of this machine that has loaded a base."""
    path = ready_folder(two.runtime.settings) / f"of {identity}"
    path.parent.mkdir(parents=True, exist_ok=True)
    held = stack.enter_context(path.open("w"))
    fcntl.flock(held, fcntl.LOCK_EX)
    held.write(f"1\n{identity}\n")
    held.flush()


def far(server: Runtime, folder: Path, name: str, state: str = "serving") -> Runtime:
    """A worker elsewhere that has a base of which this server has no copy; its runtime, closed."""
    base = str(other_base(folder, name=name, known_as=name))
    settings = server.settings.for_a_worker().model_copy(update={"base": base})
    runtime = Runtime.open(settings)
    with server.db.transaction() as tx:
        Presence(runtime, f"far {name}").tell(tx, state)
    runtime.close()
    return runtime


def test_readyz_is_200_while_any_base_draws_and_says_how_each_is(two: Two) -> None:
    """A proxy must not take a server away because one of its bases still loads; a script may ask for that one."""
    first, second = two.runtime.base, two.second
    assert two.ask("", "GET", "/readyz").status == 503
    with ExitStack() as stack:
        draws(two, second.identity, stack)
        told = two.ask("", "GET", "/readyz")
        assert (told.status, told.json) == (200, {
            "status": "ready",
            "bases": [{"name": first.name, "state": "loading"}, {"name": second.name, "state": "serving"}],
        })  # fmt: skip
        assert two.ask("", "GET", f"/readyz?base={second.name}").json == {"status": "ready"}
        assert two.ask("", "GET", f"/readyz?base={second.identity}").status == 200
        assert two.ask("", "GET", f"/readyz?base={first.name}").status == 503
        known = two.ask("", "GET", "/readyz?base=sdxl")
        assert (known.status, "the base sdxl" in known.json["error"]) == (503, True)
        unknown = two.ask("", "GET", "/readyz?base=nosuch")
        assert (unknown.status, "no base 'nosuch'" in unknown.json["error"]) == (400, True)
        draws(two, first.identity, stack)
        assert {one["state"] for one in two.ask("", "GET", "/readyz").json["bases"]} == {"serving"}
    assert two.ask("", "GET", "/readyz").status == 503


def test_readyz_counts_workers_elsewhere_for_the_bases_that_only_they_have(tmp_path: Path) -> None:
    two = Two(tmp_path, base_legacy="sdxl")
    try:
        with ExitStack() as stack:
            draws(two, two.runtime.base.identity, stack)
            draws(two, two.second.identity, stack)
            of_sdxl = lambda: two.ask("", "GET", "/readyz").json["bases"][-1]  # noqa: E731
            assert of_sdxl() == {"name": "sdxl", "state": "loading"}
            assert two.ask("", "GET", "/readyz?base=sdxl").status == 503
            far(two.runtime, tmp_path / "far", "sdxl")
            assert of_sdxl() == {"name": "sdxl", "state": "serving"}
            assert two.ask("", "GET", "/readyz?base=sdxl").status == 200
            with two.runtime.db.transaction() as tx:
                tx.execute(workers.update().values(state="gone"))
            assert of_sdxl()["state"] == "loading"
    finally:
        two.close()


def test_a_server_without_engines_of_its_own_goes_by_the_roster(tmp_path: Path) -> None:
    two = Two(tmp_path, workers=0)
    try:
        assert two.ask("", "GET", "/readyz").status == 503
        two._worker.heart.tell()
        assert [one["state"] for one in two.ask("", "GET", "/readyz").json["bases"]] == ["serving", "loading"]
        assert READY in two.ask("", "GET", "/metrics").content
        two._worker.presence.end()
        assert READY not in two.ask("", "GET", "/metrics").content
    finally:
        two.close()


def lora() -> bytes:
    """A LoRA of mini's linears."""
    targets = targets_in(MINI, "ideogram4")
    down = {f"transformer.{n}.lora_A.weight": np.ones((2, i), "f4") for n, (i, _) in targets.items()}
    up = {f"transformer.{n}.lora_B.weight": np.ones((o, 2), "f4") for n, (_, o) in targets.items()}
    return by_hand(down | up)


def test_a_lora_that_fits_several_bases_goes_to_the_one_that_is_named(tmp_path: Path) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(MINI, twin)
    (twin / "model_index.json").write_text('{"which": "twin"}')
    facts = (twin / "linocut.json").read_text()
    (twin / "linocut.json").write_text(facts.replace('"name": "mini"', '"name": "twin"'))
    third = other_base(tmp_path / "third")
    with running(tmp_path, base=str(MINI), more_bases=f"{twin}, {third}") as live:
        account = live.account()
        account.http.timeout = 120
        of_mini, of_twin, _ = live.runtime.served
        assert of_mini.identity != of_twin.identity
        plain = send(account, lora(), alpha="2").json()["model"]["x_linocut"]
        assert plain["base"] == of_mini.identity
        assert [note for note in plain["notes"] if of_twin.identity in note and "base chooses" in note]
        with Client(account.api_key, live.url) as client:
            by_name = client.import_model(lora(), "Tea posters", alpha=2.0, base="twin")["x_linocut"]
        by_identity = send(account, lora(), alpha="2", base=of_twin.identity).json()["model"]["x_linocut"]
        for named in (by_name, by_identity):
            assert named["base"] == of_twin.identity
            assert not [note for note in named.get("notes", []) if "base chooses" in note]
        assert send(account, lora(), alpha="2", base="third").status_code == 400, "it does not fit that one"
        assert [send(account, lora(), base=word).status_code for word in ("sdxl", "nosuch")] == [503, 400]
        far(live.runtime, tmp_path / "far", "sdxl")
        elsewhere = send(account, lora(), base="sdxl")
        assert (elsewhere.status_code, "not on this server" in elsewhere.json()["error"]) == (503, True)


def test_a_dataset_s_report_is_for_the_base_that_is_named(two: Two) -> None:
    key = key_of(two)
    dataset_id = two.ask(key, "POST", "/datasets", {"name": "Tea"}).json["dataset_id"]
    path = f"/datasets/{dataset_id}/report"
    told = {word: two.ask(key, "GET", f"{path}?base={word}") for word in (two.second.name, "sdxl", "nosuch")}
    assert [answer.status for answer in told.values()] == [200, 503, 400]
    assert told[two.second.name].json["base"] == two.second.identity
    assert two.ask(key, "GET", path).json["base"] == two.runtime.base.identity


def test_cards_and_weights_know_a_base_that_only_a_worker_elsewhere_has(two: Two, tmp_path: Path) -> None:
    person = two.person("owner")
    _, key = two.key(*person)
    base = far(two.runtime, tmp_path / "far", "sdxl").base
    model_on(two, person, base.identity)
    (model,) = two.ask(key, "GET", "/models?scope=owned").json["models"]
    card = two.ask(key, "GET", f"/models/{model['model_id']}/card").content.decode()
    assert f"{base.native_pixels}" in card or base.licence.name in card


def test_health_and_the_status_page_tell_of_a_base_that_nobody_draws_with(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    from linocut.api.board import Watcher
    from linocut.api.routes.manage.api.health import _problems
    from linocut.wire import BaseHealth, Disk, Queue

    monkeypatch.setattr(administrators, "is_administrator", lambda _tx, _user: True)
    with ExitStack() as stack:
        draws(two, two.runtime.base.identity, stack)
        part = two._loop.run_until_complete(Watcher(two.runtime)._workers())
        assert (part.status, "one of the bases" in part.why) == ("partial_outage", True)
        draws(two, two.second.identity, stack)
        assert two._loop.run_until_complete(Watcher(two.runtime)._workers()).status == "operational"
    queue = Queue(waiting=0, in_work=0, oldest_seconds=None, trainings_waiting=0, trainings_in_work=0)
    disk = Disk(total_gib=100, free_gib=90, low=False)
    how: dict[str, Any] = {"a": "serving", "b": "loading"}
    bases = [BaseHealth(name=name, identity=ids.new_id(), state=state) for name, state in how.items()]
    assert _problems([], bases, queue, disk, damaged=False) == [
        "No engine draws with the base b: it loads, hangs, or none runs."
    ]
    assert _problems([], bases[:1], queue, disk, damaged=False) == []
    none = _problems([], bases[1:], queue, disk, damaged=False)
    assert none == ["No engine is ready: it loads its base, or none runs."]


def test_the_doctor_looks_at_every_base(tmp_path: Path) -> None:
    one, broken = other_base(tmp_path / "one"), tmp_path / "broken"
    broken.mkdir()
    good = checks.base(Settings(data=tmp_path / "data", base=str(one), more_bases="mini", engine="fake"))
    assert good.ok
    assert good.found.count("pixels native") == 2
    bad = checks.base(Settings(data=tmp_path / "data", base=str(one), more_bases=str(broken), engine="fake"))
    assert (bad.ok, str(broken) in bad.found) == (False, True)


def test_a_cluster_that_starts_a_worker_for_whoever_waits_refuses_nobody(tmp_path: Path) -> None:
    """With a least of none, a request that is refused would never start the worker that it needs."""
    for cluster, status in (("", 503), ("local", 200)):
        two = Two(tmp_path / (cluster or "none"), no_worker="refuse", cluster=cluster, cluster_least=0)
        try:
            key = key_of(two)
            answer = two.ask(key, "POST", "/v1/ideogram-v3/generate", {"prompt": "tea"}, working=bool(cluster))
            assert answer.status == status, answer.json
        finally:
            two.close()
