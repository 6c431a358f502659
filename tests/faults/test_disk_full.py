"""The disk fills up in the middle of each operation: a clean answer, nothing corrupt, reads go on, and once there is
room again everything goes on by itself."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.api.live import Account, Live, running
from tests.api.pictures import png, zipped
from tests.faults.server import Server
from tests.faults.tiny_disk import TinyDisk
from tests.walks.steps import FEWEST, V3_GENERATE, fill, finish, model, ok, train

TRAIN = {"model_name": "On a full disk", "training_steps": 100}


@pytest.fixture
def live(disk: TinyDisk) -> Iterator[Live]:
    """A server with everything on the small disk."""
    with running(disk.folder, min_training_images=FEWEST, generate_timeout_seconds=60.0) as server:
        yield server


@pytest.fixture
def account(live: Live) -> Account:
    return live.account()


def is_told(answer: httpx2.Response) -> bool:
    """Whether the answer says, as it should, that the disk is full; any other answer must be a success."""
    if answer.status_code == 200:
        return False
    assert answer.status_code == 503, answer.text
    assert "disk is full" in answer.json()["error"]
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    return True


def until_told(call: Any, tries: int = 2000) -> list[httpx2.Response]:
    """Call until the full disk is told (SQLite may have room left in its own files); the successes before."""
    done: list[httpx2.Response] = []
    while not is_told(answer := call()):
        done.append(answer)
        assert len(done) < tries, "the disk is full and nothing says so"
    return done


def sound(live: Live) -> bool:
    with sqlite3.connect(live.settings.data / "linocut.db") as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_datasets(live: Live, account: Account, disk: TinyDisk) -> None:
    def create() -> httpx2.Response:
        return account.http.post("/datasets", json={"name": "x" * 40})

    first = ok(create())["dataset_id"]
    disk.fill()
    made = {first, *(answer.json()["dataset_id"] for answer in until_told(create))}
    listed = ok(account.http.get("/datasets"))["datasets"]
    assert {dataset["dataset_id"] for dataset in listed} == made
    assert ok(account.http.get(f"/datasets/{first}"))["file_count"] == 0
    disk.make_room()
    assert not is_told(create())
    assert sound(live)


@pytest.mark.parametrize("form", ["files", "zip"])
def test_uploads(live: Live, account: Account, disk: TinyDisk, form: str) -> None:
    dataset_id = ok(account.http.post("/datasets", json={"name": "x"}))["dataset_id"]
    pictures = {f"{number}.png": png(number, 300, 200) for number in range(6)}
    files = [("files", item) for item in pictures.items()]
    if form == "zip":
        files = [("files", ("all.zip", zipped(pictures)))]

    def upload() -> httpx2.Response:
        return account.http.post(f"/datasets/{dataset_id}/upload_assets", files=files)

    disk.fill()
    assert is_told(upload())
    assert ok(account.http.get(f"/datasets/{dataset_id}"))["files"] == []
    assert list((live.settings.data / "spool").iterdir()) == []
    assert list((live.settings.data / "store" / "incoming").iterdir()) == []
    disk.make_room()
    assert ok(upload())["success_count"] == 6
    assert sound(live)


@pytest.mark.long
def test_images_whose_store_is_full(disk: TinyDisk, tmp_path: Path) -> None:
    """The worker draws, and cannot keep what it drew: who waits for it is told, and the worker draws on."""
    store = disk.folder / "store"
    with running(tmp_path, storage_url=store.as_uri()) as server, server.working():
        account = server.account()
        link = ok(account.http.post(V3_GENERATE, json={"prompt": "x", "seed": 1}))["data"][0]["url"]
        disk.fill()
        assert is_told(account.http.post(V3_GENERATE, json={"prompt": "x", "seed": 2, "num_images": 2}))
        assert server.public.get(link).status_code == 200
        disk.make_room()
        again = ok(account.http.post(V3_GENERATE, json={"prompt": "x", "seed": 2, "num_images": 2}))
        assert [server.public.get(image["url"]).status_code for image in again["data"]] == [200, 200]


@pytest.mark.long
def test_a_run_waits_for_room_and_goes_on(
    live: Live, account: Account, disk: TinyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINOCUT_FAKE_STEP_SECONDS", "0.02")
    dataset_id = fill(account)
    with live.working():
        model_id = train(account, dataset_id)
        while not (run := model(account, model_id)["x_linocut"])["step"]:
            time.sleep(0.02)
        disk.fill()
        time.sleep(2.0)  # checkpoints, previews and the adapter fall into this time
        seen = model(account, model_id)
        assert seen["status"] == "TRAINING"
        assert seen["x_linocut"]["step"] < run["total_steps"]
        disk.make_room()
        done = finish(account, model_id, 120)
    assert done["status"] == "COMPLETED"
    assert done["x_linocut"]["step"] == run["total_steps"]
    assert account.http.get(f"/models/{model_id}/weights").status_code == 200
    assert sound(live)


def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    program = "from linocut.observe import log, set_up_logs; set_up_logs(); log('x').error('y' * 9000); print('alive')"
    with open("/dev/full", "w") as full:
        ran = subprocess.run([sys.executable, "-c", program], stderr=full, stdout=subprocess.PIPE, text=True)
    assert ran.stdout == "alive\n"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_whole_server_goes_on_by_itself(disk: TinyDisk) -> None:
    """Real processes: none of them ends for want of disk, and none is started again."""
    environment = {"LINOCUT_ENGINE": "fake", "LINOCUT_FAKE_STEP_SECONDS": "0.05", "LINOCUT_MIN_TRAINING_IMAGES": "4"}
    environment["LINOCUT_GENERATE_TIMEOUT_SECONDS"] = "20"
    server = Server(disk.folder / "data", environment)
    server.start()
    try:
        key = server.key()["api_key"]
        server.wait_for("/readyz", key, 60)
        with httpx2.Client(base_url=server.url, headers={"Api-Key": key}, timeout=60.0) as http:
            account = Account(key, "", "", "", http)
            dataset_id = fill(account)
            body = {"dataset_id": dataset_id, **TRAIN}
            model_id = ok(http.post("/v1/ideogram-v3/train-model-advanced", json=body))["model_id"]
            processes = {name: process.pid for name, process in server.children().items()}
            assert set(processes) == {"supervisor", "api", "engine"}
            disk.fill()
            until_told(lambda: http.post("/datasets", json={"name": "x" * 40}))
            drawn = http.post(V3_GENERATE, json={"prompt": "x" * 5000})
            assert drawn.status_code == 200 or (drawn.status_code == 503 and drawn.headers["retry-after"])
            refused = server.try_key()
            assert refused.returncode == 1
            assert "disk is full" in refused.stdout + refused.stderr
            assert "Traceback" not in refused.stdout + refused.stderr
            time.sleep(1.0)
            assert ok(http.get("/datasets"))
            disk.make_room()
            assert finish(account, model_id, 120)["status"] == "COMPLETED"
            assert ok(http.post(V3_GENERATE, json={"prompt": "x"}))["data"]
            assert server.key()["api_key"]
            assert {name: process.pid for name, process in server.children().items()} == processes
    finally:
        server.stop()
