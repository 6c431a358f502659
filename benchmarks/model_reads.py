"""How many ``GET /models/{model_id}`` a second, beside a bare route of the same server and beside MLflow's registry.

The bare route is mounted here, in the same application on the same server: it parses the key header and answers.
Between the two lie authorisation and the reading of the rows, on every request. At least 0.75 of it is asked for, and
at least 20 times the ``registered-models/get`` of MLflow, which is installed into a virtual environment of its own in
the system's folder for temporary files. 32 connections ask, in alternating rounds. CPU is that of the API process.

Run by ``make bench``; writes model_reads.md beside this file.
"""

import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from load import cpu_seconds, load, serving, where
from starlette.responses import Response

from linocut.accounts import keys, organizations
from linocut.api import serve
from linocut.api.app import create_app
from linocut.api.call import Call
from linocut.api.discovery import OPERATIONS
from linocut.api.operation import Operation, Serves
from linocut.custom_models import repository
from linocut.custom_models import service as registry
from linocut.ids import new_id
from linocut.jobs import queue
from linocut.jobs.types import NewJob
from linocut.orders import AdapterRef
from linocut.runtime import Runtime
from linocut.settings import Settings

CONNECTIONS, ROUNDS, SECONDS = 32, 5, 3.0
MLFLOW = Path(tempfile.gettempdir()) / "linocut-benchmark-mlflow"
MLFLOW_ROUNDS = 3


async def bare(call: Call) -> Response:
    """What no route can do without."""
    key = call.request.headers.get("api-key", "")
    return Response(b'{"key":%d}' % len(key), media_type="application/json")


def serve_with_bare_route() -> None:
    """The API as it is shipped, and one route more."""
    route = Operation("bare", "Nothing", "benchmark", Serves(bare), key_needed=False, ours=True, path="/bare")
    operations = (*OPERATIONS, route)
    serve.create_app = lambda runtime: create_app(runtime, operations)  # type: ignore[assignment]
    serve.run(Settings())


def fill(data: Path) -> tuple[str, str]:
    """A finished model with its run, and its owner's key -> (model id, key)."""
    with contextlib.closing(Runtime.open(Settings(data=data))) as runtime, runtime.db.transaction() as tx:
        user = organizations.ensure_user(tx, "benchmark")
        organization = organizations.ensure_organization(tx, "benchmark")
        organizations.add_member(tx, organization, user, "OWNER")
        key = keys.create_key(tx, user_id=user, organization_id=organization)
        model_id = registry.create(
            tx, user_id=user, dataset_id="", name="Tea posters", base=runtime.base.identity, first_version=1
        )
        repository.update_model(tx, model_id, {"dataset_id": None})
        job_id = queue.enqueue(tx, NewJob(kind="train", organization_id=organization, order="{}", images=0))
        run: dict[str, Any] = {
            "run_id": new_id(), "model_id": model_id, "job_id": job_id, "status": "COMPLETED", "training_steps": 120,
            "lora_rank": 16, "ema": 0.99, "learning_rate": 0.002, "seed": 1,
            "scores": {str(step): 0.5 for step in range(0, 130, 12)},
        }  # fmt: skip
        repository.insert_run(tx, run, [])
        registry.complete(tx, model_id, AdapterRef(sha256="0" * 64, size_bytes=1_000_000))
    return model_id, key.api_key


def ours(data: Path) -> dict[str, tuple[float, float]]:
    """(requests a second, CPU microseconds a request) of each of our routes, medians of the rounds."""
    model_id, key = fill(data)
    routes = {"bare": "/bare", "model": f"/models/{model_id}"}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in routes}
    with serving(data, [__file__, "--serve"]) as (url, pid):
        for number in range(ROUNDS + 1):
            for name, path in routes.items():
                before, began = cpu_seconds(pid), time.perf_counter()
                count = len(load(url + path, {"Api-Key": key}, CONNECTIONS, SECONDS if number else 0.5))
                if number:  # the first only warms up
                    rate = count / (time.perf_counter() - began)
                    found[name].append((rate, 1e6 * (cpu_seconds(pid) - before) / count))
    return {
        name: (statistics.median(rate for rate, _ in rounds), statistics.median(cost for _, cost in rounds))
        for name, rounds in found.items()
    }


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """The address of MLflow's server as it comes, with one registered model, on SQLite."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [MLFLOW / "bin/python", "-m", "mlflow", "server", "--port", str(port), "--host", "127.0.0.1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=folder, **quiet)  # type: ignore[call-overload]
    url = f"http://127.0.0.1:{port}"
    try:
        _create_registered_model(url)
        yield url
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.terminate()
        process.terminate()
        process.wait(30)


def _create_registered_model(url: str) -> None:
    request = urllib.request.Request(
        f"{url}/api/2.0/mlflow/registered-models/create",
        data=json.dumps({"name": "tea"}).encode(),
        headers={"content-type": "application/json"},
    )
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(request, timeout=30).read()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def mlflow() -> tuple[str, float]:
    """(version, requests a second) of MLflow's own read. ``RuntimeError`` when it cannot be installed here."""
    python = MLFLOW / "bin/python"
    if not python.exists():
        venv.create(MLFLOW, with_pip=True)
    have = subprocess.run([python, "-m", "pip", "install", "--quiet", "mlflow"], capture_output=True, text=True)
    if have.returncode:
        raise RuntimeError(have.stderr.strip().splitlines()[-1])
    version = subprocess.run([python, "-m", "mlflow", "--version"], capture_output=True, text=True).stdout.split()[-1]
    with tempfile.TemporaryDirectory() as folder, mlflow_server(Path(folder)) as url:
        address = f"{url}/api/2.0/mlflow/registered-models/get?name=tea"
        load(address, {}, CONNECTIONS, 1.0)
        rates = [len(load(address, {}, CONNECTIONS, SECONDS)) / SECONDS for _ in range(MLFLOW_ROUNDS)]
    return version, statistics.median(rates)


def main() -> None:
    """Measure, print and write the result."""
    with tempfile.TemporaryDirectory() as folder:
        found = ours(Path(folder))
    (bare_rate, bare_cost), (rate, cost) = found["bare"], found["model"]
    try:
        version, theirs = mlflow()
        beside = f"| MLflow {version}, `registered-models/get` as it comes (SQLite) | {theirs:.0f} | |\n"
        times = f"**{rate / theirs:.0f} times** MLflow's (at least 20 asked for)"
    except (RuntimeError, OSError) as missing:
        beside, times = "", f"MLflow could not be measured here: {missing}"
    text = f"""# Reading a model

| what | requests a second | CPU of the process, µs |
|---|---|---|
| `GET /models/{{model_id}}`, its owner's key, one run | {rate:.0f} | {cost:.0f} |
| a bare route of the same server that parses the key header | {bare_rate:.0f} | {bare_cost:.0f} |
{beside}
**{rate / bare_rate:.2f}** of the bare route's requests (at least 0.75 asked for); {bare_cost / cost:.2f} by CPU.
{times}.

{CONNECTIONS} connections, medians of {ROUNDS} alternating rounds of {SECONDS:.0f} s; authorisation and rows are read on
every request. {where("model_reads.py")}
"""
    Path(__file__).with_suffix(".md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve_with_bare_route()
    else:
        main()
