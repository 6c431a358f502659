"""One database, two API processes: many calls at once under one key have one effect, also through SIGKILLs."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select
from tests.api.live import Account
from tests.api.pictures import png
from tests.api.processes import account_of, api_process, settings_of, until
from tests.marks import long_but
from tests.walks.steps import FEWEST, V3_GENERATE, V3_TRAIN, fill, ok

from linocut.db.database import Database
from linocut.db.tables import assets, datasets, jobs, models
from linocut.engine.open import open_engine
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.workers.loop import WorkerLoop


@dataclass
class Pair:
    """Two API processes; ``left`` and ``right`` are one owner's clients of them."""

    settings: Settings
    left: Account
    right: Account

    def count(self, *tables: Any) -> list[int]:
        """How many rows each table has."""
        db = Database.open(self.settings.resolved_database_url)
        with db.read() as tx:
            found = [int(tx.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables]
        db.close()
        return found

    def post(self, path: str, key: str, times: int, **how: Any) -> set[tuple[int, bytes]]:
        """The different answers to so many calls at once, half of them at each server."""

        def one(number: int) -> httpx2.Response:
            http = (self.left, self.right)[number % 2].http
            return http.post(path, headers={"Idempotency-Key": key}, **how)

        with ThreadPoolExecutor(times) as threads:
            return {(answer.status_code, answer.content) for answer in threads.map(one, range(times))}


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return settings_of(tmp_path, database_url=database_url, min_training_images=FEWEST, stop_seconds=1.0)


@contextmanager
def pair(settings: Settings, account: Any) -> Iterator[Pair]:
    """Both processes, killed with SIGKILL at the end."""
    with api_process(settings) as (_, one), api_process(settings) as (_, two):
        yield Pair(settings, account(one), account(two))


@contextmanager
def worker(settings: Settings) -> Iterator[None]:
    """A worker on the fake engine, as long as the block lasts."""
    runtime, stop = Runtime.open(settings), threading.Event()
    loop = WorkerLoop(runtime, open_engine("fake", runtime.base, runtime.base_folder, 1, 1 << 20), "worker")
    thread = threading.Thread(target=lambda: loop.run(stop, drain_seconds=0.0))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        loop.close()
        runtime.close()


@pytest.mark.parametrize("at_once", long_but([24], [24, 100]))
@pytest.mark.long
def test_so_many_at_once_have_one_effect_also_through_kills(settings: Settings, at_once: int) -> None:
    """The order of the story matters: the images are asked for, both servers die, and only then is anything drawn."""
    draw = {"files": {"prompt": (None, "tea"), "num_images": (None, "2")}}
    with ExitStack() as stack, account_of(settings, stack) as account:
        with pair(settings, account) as servers:
            dataset_id = fill(servers.left)
            before = servers.count(datasets, assets)
            assert before == [1, FEWEST]
            answers: dict[str, set[tuple[int, bytes]]] = {
                "make": servers.post("/datasets", "make", at_once, json={"name": "once"}),
                "fill": servers.post(f"/datasets/{dataset_id}/upload_assets", "fill", at_once, **_pictures()),
                "train": servers.post(V3_TRAIN, "train", at_once, **_training(dataset_id)),
            }
            for name, different in answers.items():
                assert [status for status, _ in different] == [200], f"{name}: {different}"
            assert servers.count(datasets, assets, models, jobs) == [2, FEWEST + 2, 1, 1]
            waiting = [threading.Thread(target=_ask_and_lose, args=(at, draw)) for at in (servers.left, servers.right)]
            for thread in waiting:
                thread.start()
            until(lambda: servers.count(jobs) == [2], "the job of the images")
        for thread in waiting:
            thread.join()

        with pair(settings, account) as servers, worker(settings):
            drawn = servers.post(V3_GENERATE, "draw", at_once, **draw)
            assert [status for status, _ in drawn] == [200], drawn
            assert servers.count(jobs) == [2]
            again = {
                "make": servers.post("/datasets", "make", 2, json={"name": "once"}),
                "fill": servers.post(f"/datasets/{dataset_id}/upload_assets", "fill", 2, **_pictures()),
                "train": servers.post(V3_TRAIN, "train", 2, **_training(dataset_id)),
            }
            assert again == answers, "what was answered before the servers died"
            refused = servers.left.http.post("/datasets", json={"name": "x"}, headers={"Idempotency-Key": "make"})
            assert refused.status_code == 400
            assert servers.count(datasets, assets, models) == [2, FEWEST + 2, 1]
            assert ok(servers.right.http.get(f"/datasets/{dataset_id}"))["file_count"] == FEWEST + 2


def _pictures() -> dict[str, Any]:
    return {"files": [("files", (f"{number}.png", png(number))) for number in (101, 102)]}


def _training(dataset_id: str) -> dict[str, Any]:
    return {"json": {"dataset_id": dataset_id, "model_name": "once only"}}


def _ask_and_lose(account: Account, draw: dict[str, Any]) -> None:
    with pytest.raises(httpx2.TransportError):
        account.http.post(V3_GENERATE, headers={"Idempotency-Key": "draw"}, **draw)
