"""Every process of a service is replaced, one after the other, while clients go on: none of them notices."""

import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.api.processes import account_of, settings_of, until
from tests.cluster.nodes import serving
from tests.cluster.rolling import Load, Proxy, asks, listening, program, wait_for
from tests.db.postgres import Postgres
from tests.walks.steps import fill, finish, model, train

from linocut.settings import Settings

pytestmark = [pytest.mark.cluster, pytest.mark.postgresql]

REQUESTS, CLIENTS = 10_000, 8
API, WORKER = "linocut.api.serve", ("linocut.cli.main", "worker")
DRAIN_SECONDS = 1.0
"""Ten looks of the proxy."""


@pytest.mark.timeout(400)
def test_no_request_of_ten_thousand_fails_while_every_process_is_replaced(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two API processes behind a proxy, two workers, PostgreSQL, a training under way all the time."""
    monkeypatch.setenv("LINOCUT_FAKE_STEP_SECONDS", "0.005")
    shared = {
        "database_url": postgres.create("rolling"), "storage_url": f"file://{tmp_path}/store", "workers": 0,
        "checkpoints": "store", "heartbeat_seconds": 1.0, "drain_seconds": DRAIN_SECONDS, "min_training_images": 4,
        "max_images_in_flight": 200,
    }  # fmt: skip
    of = {name: settings_of(tmp_path, **shared, data=tmp_path / name) for name in ("a", "b", "one", "two")}
    with ExitStack() as stack:
        account = stack.enter_context(account_of(of["a"], stack))
        proxy = Proxy()
        stack.callback(proxy.close)
        workers = {name: stack.enter_context(program(of[name], *WORKER)) for name in ("one", "two")}
        until(lambda: len(serving(of["a"])) == 2, "two workers")
        apis = {name: stack.enter_context(program(of[name], API)) for name in ("a", "b")}
        for name, process in apis.items():
            proxy.add(listening(of[name], process))
        owner = account(f"http://127.0.0.1:{proxy.port}")
        dataset_id = fill(owner)
        model_id = train(owner, dataset_id)
        load = Load(proxy.port, owner.api_key, asks(dataset_id, model_id), REQUESTS)
        began = time.monotonic()
        clients = load.start(CLIENTS)
        replaced = []
        for share, name in ((0.1, "a"), (0.3, "one"), (0.5, "b"), (0.7, "two")):
            wait_for(load, share)
            if name in apis:
                apis[name].send_signal(signal.SIGTERM)
                assert apis[name].wait(60) == 0
                apis[name] = stack.enter_context(program(of[name], API))
                proxy.add(listening(of[name], apis[name]))
            else:
                workers[name] = replaced_worker(of[name], workers[name], stack)
            replaced.append(name)
        load.finish()
        for client in clients:
            client.join()
        took = time.monotonic() - began
        reached = int(model(owner, model_id)["x_linocut"].get("step") or 0)
        print(
            f"rolling restart: {load.answered:,} requests in {took:.0f} s ({dict(load.counted)}), replaced {replaced}, "
            f"{len(load.failed)} failed; the training reached step {reached}"
        )
        assert load.failed == []
        assert load.answered >= REQUESTS
        assert len(load.counted) == 8
        assert min(load.counted.values()) > REQUESTS / 20, "of each kind many"
        assert finish(owner, model_id)["status"] == "COMPLETED", "the training went on at both workers that came"


def replaced_worker(
    settings: Settings, process: "subprocess.Popen[bytes]", stack: ExitStack
) -> "subprocess.Popen[bytes]":
    """Drain a worker, as an operator does, and start another."""
    before = serving(settings)
    (mine,) = [name for name in before if f"-{process.pid}-" in name]
    with program(settings, "linocut.cli.main", "workers", "drain", mine) as asked:
        assert asked.wait(60) == 0
    assert process.wait(60) == 0
    another = stack.enter_context(program(settings, *WORKER))
    until(lambda: len(serving(settings) - before) == 1, "another worker")
    return another
