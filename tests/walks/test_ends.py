"""How things end: cancelled, deleted, asked for twice, over the limit, out of time, without anybody to tell."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select
from tests.api.live import Account, Live, running
from tests.walks.steps import FEWEST, V3_GENERATE, V3_TRAIN, fill, finish, model, ok, train, trained

from linocut.db.tables import jobs
from linocut.jobs import queue


@pytest.fixture
def waiting(idle: Live) -> Iterator[Account]:
    """Somebody on the server without a worker."""
    account = idle.account()
    yield account
    _cancel_all(idle)  # nothing of this test counts for the next one


def test_cancelled_before_its_first_step(waiting: Account) -> None:
    model_id = train(waiting, fill(waiting))
    assert model(waiting, model_id)["status"] == "CREATING"
    cancelled = ok(waiting.http.post(f"/models/{model_id}/cancel"))["model"]
    assert cancelled["status"] == "ERRORED"
    assert "cancelled by its owner" in cancelled["x_linocut"]["error"]
    assert cancelled["training_runs"][0]["status"] == "FAILED"
    again = ok(waiting.http.post(f"/models/{model_id}/cancel"))["model"]
    assert again == cancelled


def test_cancelled_on_its_way_keeps_the_best_so_far(
    live: Live, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = fill(account)
    monkeypatch.setattr("linocut.engine.fake_training._Run.take_step", _slowed_down())
    model_id = train(account, dataset_id)
    deadline = time.monotonic() + 60
    while model(account, model_id)["x_linocut"].get("step", 0) < 15 and time.monotonic() < deadline:
        time.sleep(0.02)
    cancelled = ok(account.http.post(f"/models/{model_id}/cancel"))["model"]
    assert cancelled["status"] == "TRAINING"
    done = finish(account, model_id)
    assert done["status"] == "COMPLETED"
    assert 15 <= done["x_linocut"]["stopped_at_step"] < done["x_linocut"]["total_steps"]
    assert done["training_runs"][0]["x_linocut"]["stopped_at_step"] == done["x_linocut"]["stopped_at_step"]
    late = account.http.post(f"/models/{model_id}/cancel")
    assert late.status_code == 409
    assert "COMPLETED already" in late.json()["error"]


def _slowed_down() -> object:
    from linocut.engine.fake_training import _Run

    step = _Run.take_step

    def slow(run: _Run) -> None:
        time.sleep(0.02)
        step(run)

    return slow


def test_a_deleted_model_draws_nothing_and_its_owner_still_reads_it(account: Account) -> None:
    done = trained(account)
    path = f"/models/{done['model_id']}"
    answer = account.http.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert account.http.delete(path).status_code == 204
    now = model(account, done["model_id"])
    assert (now["status"], now["is_available_for_generation"]) == ("ARCHIVED", False)
    draw = {"prompt": "tea", "custom_model_uri": done["custom_model_uri"]}
    assert account.http.post(V3_GENERATE, json=draw).status_code == 404
    assert account.http.post(f"{path}/cancel").status_code == 409


def test_a_model_deleted_while_it_trains_is_cancelled_first(waiting: Account) -> None:
    model_id = train(waiting, fill(waiting))
    assert waiting.http.delete(f"/models/{model_id}").status_code == 204
    now = model(waiting, model_id)
    assert (now["status"], now["training_runs"][0]["status"]) == ("ARCHIVED", "FAILED")


def test_a_dataset_deleted_under_a_training_does_not_stop_it(account: Account) -> None:
    dataset_id = fill(account)
    model_id = train(account, dataset_id)
    assert account.http.delete(f"/datasets/{dataset_id}").status_code == 204
    done = finish(account, model_id)
    assert (done["status"], done["dataset_id"]) == ("COMPLETED", None)
    refused = account.http.post(V3_TRAIN, json={"dataset_id": dataset_id, "model_name": "tea posters"})
    assert refused.status_code == 404


def test_the_same_call_twice_has_one_effect(account: Account, dataset_id: str) -> None:
    def post(key: str, path: str = V3_TRAIN, **changed: object) -> httpx2.Response:
        body = {"dataset_id": dataset_id, "model_name": "once only"} | changed
        return account.http.post(path, json=body, headers={"Idempotency-Key": key})

    first, second = post("a"), post("a")
    assert first.content == second.content
    spaced = account.http.post(
        V3_TRAIN,
        content=f'{{ "model_name": "once only",\n "dataset_id": "{dataset_id}" }}',
        headers={"Idempotency-Key": "a", "Content-Type": "application/json"},
    )
    assert spaced.content == first.content  # the same body, written otherwise
    assert len(ok(account.http.get("/models"))["models"]) == 1
    other_body = post("a", model_name="another body")
    assert other_body.status_code == 400
    assert "Idempotency-Key" in other_body.json()["error"]
    assert ok(post("b"))["model_id"] != ok(first)["model_id"]
    on_v4 = post("a", "/v1/ideogram-v4/train-model")
    assert ok(on_v4)["model_id"] != ok(first)["model_id"]
    assert post("k" * 256).status_code == 400
    assert len(ok(account.http.get("/models"))["models"]) == 3


def test_the_same_call_many_times_at_once_has_one_effect(account: Account, dataset_id: str) -> None:
    answers: list[bytes] = []

    def post() -> None:
        body = {"dataset_id": dataset_id, "model_name": "once only"}
        answers.append(account.http.post(V3_TRAIN, json=body, headers={"Idempotency-Key": "k"}).content)

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert len(ok(account.http.get("/models"))["models"]) == 1


def test_a_refused_call_is_not_remembered(account: Account) -> None:
    headers = {"Idempotency-Key": "k"}
    few = fill(account, FEWEST - 1)
    body = {"dataset_id": few, "model_name": "tea posters"}
    assert account.http.post(V3_TRAIN, json=body, headers=headers).status_code == 400
    body["dataset_id"] = fill(account)
    assert account.http.post(V3_TRAIN, json=body, headers=headers).status_code == 200


def test_nobody_draws_so_the_wait_ends_and_the_job_with_it(idle: Live, waiting: Account) -> None:
    started = time.monotonic()
    answer = waiting.http.post(V3_GENERATE, json={"prompt": "tea"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert 0.4 < time.monotonic() - started < 10
    assert "QUEUED" not in _all_jobs(idle)


@pytest.fixture
def patient(tmp_path: Path, database_url: str) -> Iterator[Live]:
    """A server without a worker that waits for minutes."""
    with running(tmp_path, database_url=database_url) as server:
        yield server


def test_a_client_that_leaves_cancels_its_images(patient: Live) -> None:
    account = patient.account()
    with pytest.raises(httpx2.ReadTimeout):
        account.http.post(V3_GENERATE, json={"prompt": "tea", "num_images": 4}, timeout=2.0)
    assert _soon(lambda: _all_jobs(patient) == ["FAILED"])


@pytest.mark.long
def test_images_in_progress_are_counted_per_organisation(patient: Live) -> None:
    """Eight wait; four more would be twelve. Another organisation is not held up."""
    account, other = patient.account(), patient.account()
    first: list[httpx2.Response] = []
    slow = threading.Thread(
        target=lambda: first.append(account.http.post(V3_GENERATE, json={"prompt": "tea", "num_images": 8}))
    )
    slow.start()
    assert _soon(lambda: _all_jobs(patient) == ["QUEUED"])
    refused = account.http.post(V3_GENERATE, json={"prompt": "tea", "num_images": 4})
    assert refused.status_code == 429
    body = refused.json()
    assert (body["reject_reason"], body["max_inflight_requests"]) == ("inflight_limit", 10)
    assert int(refused.headers["retry-after"]) >= 1
    with pytest.raises(httpx2.ReadTimeout):  # it was let in; nobody draws here
        other.http.post(V3_GENERATE, json={"prompt": "tea", "num_images": 4}, timeout=2.0)
    _cancel_all(patient)
    slow.join()
    assert first[0].status_code == 409


def _all_jobs(live: Live) -> list[str]:
    with live.runtime.db.read() as tx:
        return [str(status) for status in tx.execute(select(jobs.c.status)).scalars()]


def _cancel_all(live: Live) -> None:
    with live.runtime.db.transaction() as tx:
        for job_id in tx.execute(select(jobs.c.job_id).where(jobs.c.status == "QUEUED")).scalars().all():
            queue.request_cancel(tx, job_id)


def _soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()
