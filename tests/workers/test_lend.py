"""``linocut lend``: what it needs, what it says where that is missing, and what it leaves behind."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.api.processes import environment, settings_of, until
from tests.engine.lender import lent

from linocut.bases import MINI, load_base
from linocut.engine.ranks.greeting import Unwelcome, receive
from linocut.observe import set_up_logs
from linocut.parent import EXIT_UNFIT
from linocut.settings import Settings
from linocut.workers.lend import _features, run

SECRET = SecretStr("what all of them know")


@pytest.mark.parametrize(
    ("leader", "given", "sentence"),
    [
        ("10.0.0.5", {}, "'10.0.0.5' is no address and port of a worker; give its LINOCUT_TRAINING_LISTEN."),
        ("http://10.0.0.5:80/", {}, "is no address and port"),
        ("10.0.0.5:8800", {"training_secret": SecretStr("")}, "Set LINOCUT_TRAINING_SECRET to what the worker has"),
        ("10.0.0.5:8800", {"base": "no-such-base"}, "no-such-base"),
    ],
)
def test_what_is_missing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], leader: str, given: dict[str, Any], sentence: str
) -> None:
    set_up_logs("INFO")
    assert run(Settings(data=tmp_path, **{"training_secret": SECRET, **given}), leader) == EXIT_UNFIT
    said = capsys.readouterr()
    assert sentence in said.out + said.err
    assert not (tmp_path / "lent").exists()


def test_pictures_of_processes_that_are_gone_go(tmp_path: Path) -> None:
    place = tmp_path / "lent"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (str(gone.pid), str(os.getppid())):
        (place / name).mkdir(parents=True)
        (place / name / "x.safetensors").touch()
    mine = _features(place)
    assert sorted(path.name for path in place.iterdir()) == sorted([str(os.getppid()), str(os.getpid())])
    assert mine.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("secret", ["what all of them know", "what only others know"])
def test_a_process_comes_with_its_base_or_is_refused_and_ends(tmp_path: Path, secret: str) -> None:
    """The embedded base, as the process itself finds it."""
    settings = settings_of(tmp_path, engine="torch", base="mini", training_secret=SECRET)
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"127.0.0.1:{door.getsockname()[1]}"
        command = [sys.executable, "-m", "linocut.cli.main", "lend", address]
        process = subprocess.Popen(command, env=environment(settings), stderr=subprocess.PIPE, text=True)
        try:
            door.settimeout(60)
            connection, _ = door.accept()
            with connection:
                wanted = lent(base=load_base(MINI).identity)
                if secret == SECRET.get_secret_value():
                    assert receive(connection, secret, wanted).kind == "cpu"
                    mine = settings.data / "lent" / str(process.pid)
                    until(mine.is_dir, "its folder")
                    process.send_signal(signal.SIGTERM)
                    assert process.wait(20) == 0
                    assert not mine.exists(), "it cleans up behind itself"
                else:
                    with pytest.raises(Unwelcome):
                        receive(connection, secret, wanted)
                    assert process.wait(20) != 0
                    assert process.stderr is not None
                    assert "it does not know the secret (LINOCUT_TRAINING_SECRET)" in process.stderr.read()
        finally:
            process.kill()
            process.wait()
