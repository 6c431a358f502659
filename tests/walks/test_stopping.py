"""SIGTERM in the middle of everything: what is under way is finished, what trains goes on from its step."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from sqlalchemy import select
from tests.api.live import Account, running
from tests.api.pictures import png
from tests.api.processes import account_of, environment, settings_of, until
from tests.walks.steps import FEWEST, V3_GENERATE, fill, finish, model, ok

from linocut.db.database import Database
from linocut.db.tables import jobs, model_events, training_runs
from linocut.engine.fake import STEP_SECONDS_VARIABLE
from linocut.settings import Settings
from linocut.workers import supervise

LINOCUT = [sys.executable, "-m", "linocut.cli.main"]
SLOW = {STEP_SECONDS_VARIABLE: "0.05"}
ASKED = {"model_name": "Tea posters", "training_steps": 2000, "lora_rank": 64}


@contextmanager
def process(settings: Settings, verb: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """``linocut serve`` or ``linocut worker``; killed with its children at the end, if it still lives."""
    started = subprocess.Popen([*LINOCUT, verb], env=environment(settings, **more))
    try:
        yield started
    finally:
        children = psutil.Process(started.pid).children(recursive=True) if started.poll() is None else []
        for one in (started, *children):
            one.kill()
        started.wait()


@contextmanager
def serving(settings: Settings, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The server, once it can draw."""
    with process(settings, "serve", **more) as server:
        url = f"http://{settings.host}:{settings.port}"
        until(lambda: _answers(f"{url}/readyz"), "the server")
        yield server, url


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5).status_code == 200
    except httpx2.TransportError:
        return False


def rows(settings: Settings, query: Any) -> list[Any]:
    db = Database.open(settings.resolved_database_url)
    with db.read() as tx:
        found = list(tx.execute(query))
    db.close()
    return found


def training_job(settings: Settings) -> Any:
    (job,) = rows(settings, select(jobs).where(jobs.c.kind == "train"))
    return job


def steps_told(settings: Settings, after: int = 0) -> list[tuple[int, int]]:
    """(event id, step) of every progress event after the event ``after``."""
    query = select(model_events.c.event_id, model_events.c.data).where(
        model_events.c.kind == "progress", model_events.c.event_id > after
    )
    return [(row.event_id, row.data["step"]) for row in rows(settings, query.order_by(model_events.c.event_id))]


class HalfUpload:
    """An upload of one picture whose second half waits."""

    def __init__(self, account: Account, url: str, dataset_id: str) -> None:
        body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="late.png"\r\n\r\n' + png(77)
        body += b"\r\n--b--\r\n"
        self._rest = body[len(body) // 2 :]
        host, port = url.removeprefix("http://").split(":")
        self._connection = socket.create_connection((host, int(port)), timeout=60)
        head = f"POST /datasets/{dataset_id}/upload_assets HTTP/1.1\r\nHost: x\r\nApi-Key: {account.api_key}\r\n"
        head += f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
        self._connection.sendall(head.encode() + body[: len(body) // 2])

    def end(self) -> bytes:
        """Send the rest; the answer."""
        self._connection.sendall(self._rest)
        with self._connection:
            answer = self._connection.recv(65536)
            while b"}" not in answer and (piece := self._connection.recv(65536)):
                answer += piece
            return answer


def listen_to(account: Account, model_id: str, heard: list[str]) -> threading.Thread:
    """Follows a model's events in a thread until they end; "ended" is heard last if they end as HTTP says."""

    def listen() -> None:
        with account.http.stream("GET", f"/models/{model_id}/events") as stream:
            heard.extend(stream.iter_lines())
        heard.append("ended")

    thread = threading.Thread(target=listen)
    thread.start()
    return thread


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return settings_of(tmp_path, port=port, min_training_images=FEWEST)


@pytest.mark.long
def test_a_server_that_is_asked_to_stop_finishes_what_it_has(settings: Settings) -> None:
    with ExitStack() as stack, account_of(settings, stack) as account:
        drawn: list[httpx2.Response] = []
        heard: list[str] = []
        with serving(settings, **SLOW) as (server, url):
            owner = account(url)
            dataset_id = fill(owner)
            asked = {"dataset_id": dataset_id, **ASKED}
            model_id = ok(owner.http.post("/v1/ideogram-v3/train-model-advanced", json=asked))["model_id"]
            until(lambda: model(owner, model_id)["x_linocut"].get("step", 0) > 5, "a few steps")
            drawing = threading.Thread(
                target=lambda: drawn.append(owner.http.post(V3_GENERATE, json={"prompt": "tea", "num_images": 2}))
            )
            drawing.start()
            listening = listen_to(owner, model_id, heard)
            uploading = HalfUpload(owner, url, dataset_id)
            until(lambda: len(rows(settings, select(jobs))) == 2, "the job of the images")
            until(lambda: heard, "an event")
            until(lambda: list((settings.data / "spool").iterdir()), "the upload")

            server.send_signal(signal.SIGTERM)
            until(lambda: _refuses(url), "the end of accepting")
            server.send_signal(signal.SIGTERM)
            server.send_signal(signal.SIGINT)
            taken_in = uploading.end()
            assert taken_in.startswith(b"HTTP/1.1 200")
            assert b'"success_count":1' in taken_in
            for thread in (drawing, listening):
                thread.join()
            assert heard[-1] == "ended"
            (image, _) = ok(drawn[0])["data"]
            assert server.wait(60) == 0

        job = training_job(settings)
        assert (str(job.status), job.attempts, job.worker_id) == ("QUEUED", 0, None)
        ((reached,),) = rows(settings, select(training_runs.c.step))
        last_event, last_told = steps_told(settings)[-1]
        assert reached == last_told > 5

        with serving(settings) as (server, url):
            owner = account(url)
            assert ok(owner.http.get(f"/datasets/{dataset_id}"))["file_count"] == FEWEST + 1
            assert httpx2.get(image["url"]).headers["content-type"] == "image/png"
            assert finish(owner, model_id)["status"] == "COMPLETED"
            assert steps_told(settings, last_event)[0][1] > reached, "it goes on, and begins nothing again"
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0


def _refuses(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_engines_are_stopped_when_the_api_has_ended() -> None:
    """Else an image that is still in the queue would never be drawn, and its client would wait in vain."""
    said: list[str] = []

    class Recorder:
        def __init__(self, name: str) -> None:
            self.terminate = lambda: said.append(f"{name} is asked")
            self.stop = lambda seconds: said.append(f"{name} has ended")

    supervise._stop_all([Recorder("api")], [Recorder("engine")], 1.0)  # type: ignore[list-item]
    assert said == ["api is asked", "api has ended", "engine is asked", "engine has ended"]


@pytest.mark.long
def test_a_worker_that_is_asked_to_stop_hands_its_run_on(tmp_path: Path) -> None:
    with running(tmp_path, min_training_images=FEWEST) as live:
        owner = live.account()
        with process(live.settings, "worker", **SLOW) as worker:
            asked = {"dataset_id": fill(owner), **ASKED}
            model_id = ok(owner.http.post("/v1/ideogram-v4/train-model-advanced", json=asked))["model_id"]
            until(lambda: model(owner, model_id)["x_linocut"].get("step", 0) > 5, "a few steps")
            worker.send_signal(signal.SIGTERM)
            os.kill(worker.pid, signal.SIGINT)
            assert worker.wait(60) == 0
        job = training_job(live.settings)
        assert (str(job.status), job.attempts, job.worker_id) == ("QUEUED", 0, None)
        last_event, reached = steps_told(live.settings)[-1]
        with live.working():
            assert finish(owner, model_id)["status"] == "COMPLETED"
        assert steps_told(live.settings, last_event)[0][1] > reached
