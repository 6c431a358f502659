"""Idempotency-Key on every POST: one effect, one answer, whoever else asks at once, leaves, or dies."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Table, func, select
from tests.api.every import OPERATIONS, asked, body_of, label
from tests.api.live import Account, Live, running
from tests.api.pictures import png
from tests.api.processes import until
from tests.contract.documents import MINE
from tests.db.state_fixtures import database_for_a_server
from tests.marks import long_but
from tests.walks.steps import FEWEST, V3_GENERATE, fill, finish, ok, train

from linocut import ids
from linocut.accounts import idempotency
from linocut.accounts.idempotency import HELD, Keyed
from linocut.api.operation import Draws, Operation
from linocut.db.tables import datasets, idempotency_keys, jobs, models

POSTS = sorted((one for one in OPERATIONS if one.takes_idempotency_key and not one.is_console), key=label)
"""Those of the console keep the same rule by the same runner; what tells a secret is not remembered."""
ONE_OF_A_KIND = list({type(one.does): one for one in POSTS}.values())


def pictures(*numbers: int) -> dict[str, Any]:
    """A multipart body; each time it is sent, its boundary is another one."""
    return {"files": [("files", (f"{number}.png", png(number))) for number in numbers]}


def everything(live: Live, account: Account) -> tuple[int, ...]:
    """How much of each thing there is: what no repetition may add to."""
    counts: list[int] = []
    with live.runtime.db.read() as tx:
        for table in (datasets, models, jobs):
            counts.append(rows(tx, table))
    for one in ok(account.http.get("/datasets"))["datasets"]:
        counts.append(ok(account.http.get(f"/datasets/{one['dataset_id']}"))["file_count"])
    return tuple(counts)


def rows(tx: Any, table: Table) -> int:
    return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Live]:
    """A server whose rows are these tests' own, because they are counted; a test that needs a worker starts one."""
    folder = tmp_path_factory.mktemp("once")
    with (
        database_for_a_server(database_kind, request) as database,
        running(folder, min_training_images=FEWEST, **database) as live,
    ):
        yield live


@pytest.fixture(scope="module")
def owner(server: Live) -> Account:
    return server.account()


def post(account: Account, path: str, key: str, **how: Any) -> httpx2.Response:
    return account.http.post(path, headers={"Idempotency-Key": key}, **how)


@pytest.mark.parametrize("operation", long_but(ONE_OF_A_KIND, POSTS), ids=label)
def test_every_post_has_one_effect_and_one_answer(server: Live, owner: Account, operation: Operation) -> None:
    dataset_id = fill(owner)
    known: dict[str, Any] = {"dataset_id": dataset_id, "model_id": train(owner, dataset_id)}
    path, key = asked(operation, known), f"of {label(operation)}"
    if operation.path.endswith("/promote"):  # which takes a checkpoint that a training has left
        with server.working():
            [run] = finish(owner, known["model_id"])["training_runs"]
        known["step"] = run["x_linocut"]["checkpoints"][0]
    with server.working() if isinstance(operation.does, Draws) else nullcontext():
        first = post(owner, path, key, **body_of(operation, known))
    assert first.status_code == 200, first.text
    after = everything(server, owner)
    again = post(owner, path, key, **body_of(operation, known))
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    if operation.body is not None:
        refused = post(owner, path, key, **body_of(operation, known, another=True))
        assert refused.status_code == 400
        assert "another body" in refused.json()["error"]
    assert everything(server, owner) == after
    for bad in ("", "k" * 256):
        refused = post(owner, path, bad, **body_of(operation, known))
        assert refused.status_code == 400
        assert "Idempotency-Key must have 1 to 255 characters" in refused.json()["error"]
    assert everything(server, owner) == after


@pytest.mark.parametrize("operation", POSTS, ids=label)
def test_every_post_says_so(operation: Operation) -> None:
    (header,) = [p for p in MINE[label(operation)]["parameters"] if p["in"] == "header"]
    assert (header["name"], header["required"], header["schema"]["maxLength"]) == ("Idempotency-Key", False, 255)


def test_a_slash_at_the_end_is_the_same_address(owner: Account, server: Live) -> None:
    first = post(owner, "/datasets", "slash", json={"name": "once"})
    assert post(owner, "/datasets/", "slash", json={"name": "once"}).content == first.content


def test_images_that_failed_may_be_asked_for_again(server: Live, owner: Account) -> None:
    before = everything(server, owner)
    with server.working():
        for _ in range(2):
            assert post(owner, V3_GENERATE, "fails", json={"prompt": "tea [fail]"}).status_code == 500
    assert everything(server, owner)[2] == before[2] + 2


def test_who_comes_back_gets_the_images_that_were_drawn_meanwhile(tmp_path: Path) -> None:
    """With a key the client is expected back: neither its leaving nor too long a wait cancels the job."""
    with running(tmp_path, generate_timeout_seconds=0.5) as live:
        account, body = live.account(), {"prompt": "tea", "num_images": 2}
        with suppress(httpx2.TimeoutException):
            account.http.post(V3_GENERATE, json=body, headers={"Idempotency-Key": "k"}, timeout=0.2)
        assert post(account, V3_GENERATE, "k", json=body).status_code == 503
        with live.runtime.db.read() as tx:
            assert [str(status) for status in tx.execute(select(jobs.c.status)).scalars()] == ["QUEUED"]
        with live.working():
            first = until(lambda: _if_ok(post(account, V3_GENERATE, "k", json=body)), "the image")
        assert len(first.json()["data"]) == 2
        assert post(account, V3_GENERATE, "k", json=body).content == first.content
        with live.runtime.db.read() as tx:
            assert rows(tx, jobs) == 1
        assert live.public.get(first.json()["data"][1]["url"]).status_code == 200


def _if_ok(answer: httpx2.Response) -> httpx2.Response | None:
    return answer if answer.status_code == 200 else None


def test_an_upload_is_in_one_hand_and_the_others_wait(
    server: Live, owner: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten at once: the pictures are looked at once, and nobody is answered before they are taken."""
    from linocut.api import uploads

    may_go_on, calls = threading.Event(), []
    ingest: Callable[..., Any] = uploads.datasets.ingest

    def slow(*arguments: Any) -> Any:
        calls.append(1)
        assert may_go_on.wait(60)
        return ingest(*arguments)

    monkeypatch.setattr(uploads.datasets, "ingest", slow)
    path = f"/datasets/{ok(owner.http.post('/datasets', json={'name': 'slow'}))['dataset_id']}/upload_assets"
    with ThreadPoolExecutor(10) as threads:
        answers = [threads.submit(post, owner, path, "k", **pictures(5, 6)) for _ in range(10)]
        until(lambda: calls, "an ingest")
        assert post(owner, path, "k", **pictures(7)).status_code == 400, "another body does not wait"
        may_go_on.set()
        bodies = {answer.result().content for answer in answers}
    assert len(bodies) == 1
    assert len(calls) == 1


def test_an_upload_whose_process_died_is_begun_again(server: Live, owner: Account) -> None:
    path = f"/datasets/{ok(owner.http.post('/datasets', json={'name': 'dead'}))['dataset_id']}/upload_assets"
    first = post(owner, path, "k", **pictures(8))
    with server.runtime.db.transaction() as tx:  # as if its process had died after the pictures, before the answer
        told = tx.execute(select(idempotency_keys.c.body_sha256).filter_by(route=path)).scalar_one()
        keyed = Keyed(owner.api_key_id, path, "k", told)
        tx.execute(idempotency_keys.delete().filter_by(route=path))
        idempotency.hold(tx, keyed, "the dead", ids.now() - HELD + timedelta(seconds=1))
    again = post(owner, path, "k", **pictures(8))
    assert again.content == first.content
    assert ok(owner.http.get(path.removesuffix("/upload_assets")))["file_count"] == 1


def test_an_upload_that_fails_lets_go_of_its_key(server: Live, owner: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from linocut.api import uploads

    path = f"/datasets/{ok(owner.http.post('/datasets', json={'name': 'fails'}))['dataset_id']}/upload_assets"
    with monkeypatch.context() as patched:
        patched.setattr(uploads.datasets, "ingest", lambda *_: 1 / 0)
        assert post(owner, path, "k", **pictures(9)).status_code == 500
    with server.runtime.db.read() as tx:
        assert tx.execute(select(idempotency_keys).filter_by(route=path)).all() == []
    assert ok(post(owner, path, "k", **pictures(9)))["success_count"] == 1
