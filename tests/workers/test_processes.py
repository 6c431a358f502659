"""Real processes on the fake engine: readiness, stopping, dying with the parent, and the supervisor of them all."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest
from pydantic import SecretStr
from tests.orders_for_tests import order_on
from tests.runs.workshop import FACTS, Workshop

from linocut.errors import Conflict
from linocut.jobs import queue
from linocut.parent import EXIT_UNFIT
from linocut.runs.types import AdvancedAsk
from linocut.runtime import Engines, ready_folder
from linocut.settings import Settings
from linocut.workers.children import Child, environment_of, pause_after
from linocut.workers.supervise import _watch, lock_folder, worker_ids

PARENT = """
import os, subprocess, sys
parent = sys.argv[1] if len(sys.argv) > 1 else str(os.getpid())
child = subprocess.Popen([sys.executable, "-m", "linocut.workers.process", "--parent", parent])
print(child.pid, flush=True)
child.wait()
"""


def until(fact: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    base = tmp_path / "base"
    base.mkdir()
    (base / "linocut.json").write_text(json.dumps({name: fact for name, fact in FACTS.items() if name != "identity"}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Settings(data=tmp_path / "data", engine="fake", base=str(base), port=port, lease_seconds=60)


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts ``python …`` with the test's settings; whatever still lives at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **given: str) -> "subprocess.Popen[str]":
        environment = {**environment_of(settings), **given}
        pipe = subprocess.PIPE
        process = subprocess.Popen([sys.executable, *arguments], env=environment, stdout=pipe, stderr=pipe, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        family = _tree(process.pid)
        process.kill()  # first: a supervisor would start its children again
        for child in family:
            end(child)
        process.communicate()


def _tree(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def ready(settings: Settings) -> list[Path]:
    folder = ready_folder(settings)
    return list(folder.iterdir()) if folder.is_dir() else []


def test_an_engine_process_says_when_it_is_ready_and_stops_when_asked(
    settings: Settings, start: Callable[..., Any]
) -> None:
    process = start("-m", "linocut.workers.process")
    file = until(lambda: ready(settings))[0]
    until(lambda: int(file.read_text().partition("\n")[0] or 0) == process.pid)
    workshop = Workshop.open(settings.data)
    assert workshop.runtime.ready()
    placed = workshop.place(workshop.alice)  # for another base: it is left to a worker of that one
    order = order_on(file.read_text().partition("\n")[2].strip(), workshop.alice.organization_id)
    mine = workshop.write(lambda tx: queue.place(tx, order))
    until(lambda: workshop.job(job_id=mine).status == "DONE")
    assert workshop.job(job_id=placed.job_id).status == "QUEUED"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert not workshop.runtime.ready()
    assert ready(settings) == []
    workshop.close()


def test_readiness_ends_with_the_process_however_it_ends(settings: Settings, start: Callable[..., Any]) -> None:
    process = start("-m", "linocut.workers.process")
    until(lambda: ready(settings))
    workshop = Workshop.open(settings.data)
    until(workshop.runtime.ready)
    process.kill()
    process.wait()
    assert ready(settings) != [], "a killed process cannot remove its file"
    assert not workshop.runtime.ready()
    workshop.close()


@pytest.mark.long
def test_an_engine_that_hangs_is_not_ready(settings: Settings, start: Callable[..., Any]) -> None:
    """It lives, and its lock with it; but its loop turns no longer. When it goes on, it is ready again."""
    short = settings.model_copy(update={"engine_silent_seconds": 1.0})
    process = start("-m", "linocut.workers.process", LINOCUT_ENGINE_SILENT_SECONDS="1.0")
    workshop = Workshop.open(settings.data)
    runtime = dataclasses.replace(workshop.runtime, settings=short)
    until(runtime.ready)
    process.send_signal(signal.SIGSTOP)
    until(lambda: runtime.engines() is Engines.SILENT)
    assert workshop.runtime.ready(), "sixty seconds are not over yet"
    process.send_signal(signal.SIGCONT)
    until(runtime.ready)
    workshop.close()


@pytest.mark.long
def test_another_engine_that_turns_is_enough(settings: Settings, start: Callable[..., Any]) -> None:
    hung = start("-m", "linocut.workers.process")
    short = settings.model_copy(update={"engine_silent_seconds": 1.0})
    workshop = Workshop.open(settings.data)
    runtime = dataclasses.replace(workshop.runtime, settings=short)
    until(runtime.ready)
    hung.send_signal(signal.SIGSTOP)
    start("-m", "linocut.workers.process", LINOCUT_ENGINE_SILENT_SECONDS="1.0")
    until(lambda: len(ready(settings)) == 2)
    until(runtime.ready)
    hung.send_signal(signal.SIGCONT)
    workshop.close()


def test_a_base_that_is_none_ends_the_process_with_a_sentence(settings: Settings, start: Callable[..., Any]) -> None:
    process = start("-m", "linocut.workers.process", LINOCUT_BASE=str(settings.data))
    _, said = process.communicate(timeout=60)
    assert process.returncode == EXIT_UNFIT
    assert "is not a base" in said
    assert "Traceback" not in said


def test_an_engine_process_dies_with_its_parent(settings: Settings, start: Callable[..., Any]) -> None:
    parent = start("-c", PARENT)
    child = psutil.Process(int(parent.stdout.readline()))
    until(lambda: ready(settings))
    parent.kill()
    parent.wait()
    try:
        until(lambda: gone(child), 5.0)
    finally:
        end(child)


def test_an_engine_process_whose_parent_was_gone_before_dies_too(settings: Settings, start: Callable[..., Any]) -> None:
    parent = start("-c", PARENT, "1")
    child = psutil.Process(int(parent.stdout.readline()))
    try:
        until(lambda: gone(child) or ready(settings))
        assert ready(settings) == []
    finally:
        end(child)


def end(child: psutil.Process) -> None:
    """Leave nobody behind, whatever the test found."""
    if not gone(child):
        child.kill()


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


# ---- the supervisor


def test_settings_reach_the_children_whole(tmp_path: Path) -> None:
    given = Settings(data=Path("relative"), port=9, log_json=True, lease_seconds=1.5, public_url="http://x")
    told = {name: value for name, value in environment_of(given).items() if name.startswith("LINOCUT_")}
    code = "from linocut.settings import Settings; print(Settings().model_dump_json())"
    said = subprocess.run([sys.executable, "-c", code], env={**os.environ, **told}, capture_output=True, text=True)
    again = Settings.model_validate_json(said.stdout)
    assert again == given.model_copy(update={"data": Path("relative").absolute()})


def test_secrets_reach_the_children_as_they_are(tmp_path: Path) -> None:
    """Not as the stars that they print as."""
    secrets = {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
    assert len(secrets) >= 4
    given = Settings(data=tmp_path, **dict.fromkeys(secrets, "p@ss word/&*, a long one"))
    told = {name: value for name, value in environment_of(given).items() if name.startswith("LINOCUT_")}
    code = "import sys; from linocut.settings import Settings; s = Settings(); "
    code += "[print(getattr(s, name).get_secret_value()) for name in sys.argv[1:]]"
    environment = {**os.environ, **told}
    said = subprocess.run([sys.executable, "-c", code, *secrets], env=environment, capture_output=True, text=True)
    assert said.stdout.splitlines() == ["p@ss word/&*, a long one"] * len(secrets)
    assert "p@ss" not in repr(given)


def test_one_server_a_data_folder(tmp_path: Path) -> None:
    with lock_folder(tmp_path), pytest.raises(Conflict, match="Another server uses the data folder"):
        lock_folder(tmp_path)
    lock_folder(tmp_path).close()


def test_names_of_workers_stay_the_same_and_fit_their_column(tmp_path: Path) -> None:
    here, there = Settings(data=tmp_path / "a"), Settings(data=tmp_path / "b")
    assert worker_ids(here) == worker_ids(here)
    assert not set(worker_ids(here)) & set(worker_ids(there))
    assert all(len(name) <= 64 for name in worker_ids(here))


def test_pauses_grow_only_while_a_process_never_gets_ready() -> None:
    assert [pause_after(deaths) for deaths in (0, 1, 2, 3, 4)] == [0, 0, 0.25, 0.5, 1.0]
    assert pause_after(50) == 30.0
    died = {"ready": True}
    child = Child("x", "nothing.of.that.name", [], {"PATH": ""}, lambda: died["ready"])
    for expected in (0, 1, 2):
        child.process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.2)"])
        if expected == 0:
            assert not child.died()  # looks while it lives: it is ready
        died["ready"] = False
        child.was_ready = expected == 0
        child.process.wait()
        assert child.died()
        assert (child.quick_deaths, child.gave_up) == (expected, 0), "it ended without an error"
        assert not child.died()


class BusyChores:
    """A database that is busy whenever a lease is to be released, until it is not."""

    def __init__(self) -> None:
        self.free = False
        self.asked: list[str] = []

    def bury(self, worker_id: str) -> None:
        self.asked.append(worker_id)

    def is_buried(self, worker_id: str) -> bool:
        return self.free or worker_id not in self.asked

    def round(self) -> None:
        pass

    def has_webhooks_due(self) -> bool:
        return False


def test_nobody_takes_the_name_of_a_worker_that_is_not_buried() -> None:
    """Else the leases of the new one would be released in the dead one's place."""
    chores, stop = BusyChores(), threading.Event()
    engine = Child("worker", "json.tool", ["--help"], dict(os.environ), lambda: True)  # a module that ends at once
    api = Child("api", "http.server", ["0"], dict(os.environ), lambda: True)
    deliverer = Child("webhooks", "", [], {}, lambda: True)
    watching = threading.Thread(target=_watch, args=(api, {"worker": engine}, deliverer, chores, stop))
    watching.start()
    try:
        until(lambda: chores.asked)
        time.sleep(0.3)
        assert engine.process is None
        assert chores.asked == ["worker"]
        chores.free = True
        until(lambda: len(chores.asked) > 1)
    finally:
        stop.set()
        watching.join()
        for child in (api, engine):
            child.terminate()
            child.stop(10)


SERVE = """
from linocut.observe import set_up_logs
from linocut.settings import Settings
from linocut.workers import supervise
set_up_logs()
raise SystemExit(supervise.run(Settings()))
"""


class Server:
    def __init__(self, settings: Settings, start: Callable[..., Any]) -> None:
        self.settings, self._start = settings, start
        self.process = start("-c", SERVE, LINOCUT_FAKE_STEP_SECONDS="0.01")

    def answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.settings.port}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def child(self, module: str) -> psutil.Process | None:
        for child in _tree(self.process.pid):
            try:
                if module in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                    return child
            except psutil.NoSuchProcess:
                continue
        return None


@pytest.mark.long
def test_a_server_heals_itself_and_leaves_nobody_behind(settings: Settings, start: Callable[..., Any]) -> None:
    """One server's life: a training; the engine killed, the API killed; asked to stop; killed."""
    server = Server(settings, start)
    until(server.answers)
    workshop = Workshop.open(settings.data, base=_base(settings))
    until(workshop.runtime.ready)
    started = workshop.start(workshop.alice, advanced=AdvancedAsk(training_steps=300, lora_rank=64, seed=1))
    until(lambda: workshop.model(workshop.alice, started.model_id).runs[0].step > 0)

    engine = server.child("linocut.workers.process")
    assert engine is not None
    engine.kill()
    killed_at = time.monotonic()
    until(lambda: workshop.job(kind="train").attempts == 1 or workshop.job(kind="train").lease_token == 2, 10)
    assert time.monotonic() - killed_at < 10, "released at once, not when the lease of 60 s expires"
    api = server.child("linocut.api.serve")
    assert api is not None
    api.kill()
    until(lambda: server.answers() and server.child("linocut.api.serve") is not None)
    until(lambda: workshop.model(workshop.alice, started.model_id).status == "COMPLETED", 60)

    second = start("-c", SERVE)
    assert second.wait(60) == 1
    assert "Another server uses the data folder" in second.stderr.read()

    family = _tree(server.process.pid)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(40) == 0
    assert all(gone(member) for member in family)
    assert not (settings.data / "server.json").exists()

    server = Server(settings, start)
    until(server.answers)
    until(workshop.runtime.ready)
    family = _tree(server.process.pid)
    assert len(family) >= 2
    server.process.kill()
    server.process.wait()
    until(lambda: all(gone(member) for member in family), 8)
    workshop.close()


def test_an_api_that_cannot_start_ends_the_server_with_its_reason(
    settings: Settings, start: Callable[..., Any]
) -> None:
    process = start("-c", SERVE, LINOCUT_STORAGE_URL="ftp://elsewhere", LINOCUT_WORKERS="0")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "LINOCUT_STORAGE_URL" in said
    assert "cannot start" in said


def _base(settings: Settings) -> Any:
    from linocut.bases import load_base

    return load_base(Path(settings.base))
