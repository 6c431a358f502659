"""A server whose engine never gets ready ends with the engine's reason, instead of trying for ever."""

import io
import os
import signal
import sys
import threading
from typing import Any

import pytest
import structlog

from linocut.observe import log, set_up_logs
from linocut.parent import EXIT_UNFIT
from linocut.workers import children
from linocut.workers.children import Child, sentence_of
from linocut.workers.supervise import CONTROLLER, ENGINE_GIVES_UP_AFTER, _is_hopeless, _watch


class NoChores:
    """A database that has nothing to release."""

    def bury(self, worker_id: str) -> None:
        pass

    def is_buried(self, worker_id: str) -> bool:
        return True

    def round(self) -> None:
        pass

    def has_webhooks_due(self) -> bool:
        return False


def idle() -> Child:
    """What delivers webhooks: there are none."""
    return Child("webhooks", "", [], {}, lambda: True)


class Api(Child):
    """An API that is well."""

    def died(self) -> bool:
        return False

    def start_if_due(self) -> None:
        self.was_ready = True


def child(code: str, name: str = "engine", *, ready: bool = False) -> Child:
    """A child that runs ``code``."""
    made = Child(name, "", [], dict(os.environ), lambda: ready)
    made.arguments = [code]
    return made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that run a line of code, and are started again without a pause."""
    popen = children.subprocess.Popen

    def start(command: list[str], **how: Any) -> Any:
        return popen([sys.executable, "-S", "-E", "-c", command[-1]], **how)

    monkeypatch.setattr(children.subprocess, "Popen", start)
    monkeypatch.setattr(children, "FIRST_PAUSE_SECONDS", 0.0)


def watched(engines: dict[str, Child], seconds: float = 20.0) -> int | None:
    """What ``serve`` ends with; None when it still watches after so long."""
    stop, ended = threading.Event(), []
    api = Api("api", "", [], {}, lambda: True)
    watching = threading.Thread(target=lambda: ended.append(_watch(api, engines, idle(), NoChores(), stop)))  # type: ignore[arg-type]
    watching.start()
    watching.join(seconds)
    was_ended = bool(ended)
    stop.set()
    watching.join()
    for engine in engines.values():
        engine.terminate()
        engine.stop(5)
    return ended[0] if was_ended else None


@pytest.mark.usefixtures("quick")
def test_an_engine_that_dies_five_times_before_it_was_ever_ready_ends_the_server(
    capfd: pytest.CaptureFixture[str],
) -> None:
    set_up_logs()
    engine = child("import sys; sys.exit('No room for the weights on this device.')")
    try:
        assert watched({"engine": engine}) == 1
    finally:
        structlog.reset_defaults()
    said = capfd.readouterr().err
    assert engine.deaths_before_ready == ENGINE_GIVES_UP_AFTER == 5
    assert said.count("No room for the weights on this device.\n") == 5  # its own words, as they came
    assert "the engine cannot start: No room for the weights on this device." in said.splitlines()[-1]


@pytest.mark.usefixtures("quick")
def test_an_engine_that_says_that_it_is_not_set_up_right_is_not_tried_again(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logs()
    code = f"import sys; print('The base is gone.', file=sys.stderr); sys.exit({EXIT_UNFIT})"
    try:
        assert watched({"engine": child(code)}) == 1
    finally:
        structlog.reset_defaults()
    said = capfd.readouterr().err
    assert said.count("The base is gone.") == 2
    assert "a process has died" not in said


@pytest.mark.usefixtures("quick")
def test_the_reason_of_a_traceback_a_signal_and_a_silent_end() -> None:
    for code, reason in (
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("import os; os.kill(os.getpid(), 9)", "it was killed by SIGKILL (is there enough memory for it?)"),
        ("import os; os.abort()", "it was killed by SIGABRT (a fault in it)"),
        ("import os; os._exit(3)", "it ended with exit code 3 and said nothing"),
        ("import sys; sys.stderr.write('Said.\\n\\n  \\n'); sys.exit(1)", "Said."),
    ):
        engine = child(code)
        engine.start()
        assert engine.process is not None
        engine.process.wait()
        assert engine.has_ended()
        assert engine.died()
        assert engine.reason() == reason


def test_it_goes_on_as_long_as_any_engine_was_ever_ready() -> None:
    never, once = child(""), child("", "other")
    never.deaths_before_ready = ENGINE_GIVES_UP_AFTER
    assert _is_hopeless(never, {"engine": never})
    once.ever_ready = True
    assert not _is_hopeless(never, {"engine": never, "other": once})
    once.deaths_before_ready = 0
    assert not _is_hopeless(once, {"other": once})
    never.deaths_before_ready -= 1
    assert not _is_hopeless(never, {"engine": never})


def test_a_controller_whose_cluster_is_away_is_tried_for_ever() -> None:
    """Requests are answered and queued meanwhile. One that is not set up right says so and ends the start."""
    controller = child("", CONTROLLER)
    controller.deaths_before_ready = 100 * ENGINE_GIVES_UP_AFTER
    assert not _is_hopeless(controller, {CONTROLLER: controller})
    controller.is_unfit = True
    assert _is_hopeless(controller, {CONTROLLER: controller})


@pytest.mark.usefixtures("quick")
def test_deaths_are_counted_until_it_was_ready_once() -> None:
    engine = child("import time; time.sleep(60)")
    for deaths in (1, 2):
        engine.start()
        assert engine.process is not None
        engine.process.send_signal(signal.SIGKILL)
        engine.process.wait()
        assert engine.died()
        assert engine.deaths_before_ready == deaths
    engine.is_ready = lambda: True
    engine.start()
    assert not engine.died()
    assert engine.process is not None
    engine.process.kill()
    engine.process.wait()
    assert engine.died()
    assert (engine.deaths_before_ready, engine.ever_ready) == (0, True)


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("sentence", ["The base mini is not whole.", "a=b [c] room=mine said {x}", "Größe: 3"])
def test_the_sentence_of_a_log_line(monkeypatch: pytest.MonkeyPatch, sentence: str, as_json: bool) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up_logs(as_json=as_json)
    log("workers").error(sentence)
    structlog.reset_defaults()
    assert sentence_of(stream.getvalue()) == sentence
    assert sentence_of(f"  {sentence}\n") == sentence
    assert sentence_of("") == ""
