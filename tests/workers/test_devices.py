"""How many devices may learn together: what cannot be is refused with a sentence before anything is loaded."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from linocut.bases import MINI, Base, load_base
from linocut.environment import settings_with
from linocut.errors import InvalidRequest
from linocut.observe import set_up_logs
from linocut.parent import EXIT_UNFIT
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.workers import devices, process
from linocut.workers.devices import check_devices
from linocut.workers.process import threads_of


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "devices_here", lambda: (2, "processor cores and no GPU"))


REMOTE: dict[str, Any] = {
    "training_devices": 1,
    "training_remote_devices": 2,
    "training_listen": "10.0.0.5:8800",
    "training_secret": SecretStr("what all of them know"),
}


def mini(batch_size: int) -> Base:
    found = load_base(MINI)
    training = msgspec.structs.replace(found.training, batch_size=batch_size)
    return msgspec.structs.replace(found, training=training)


def settings(tmp_path: Path, **given: Any) -> Settings:
    return Settings(data=tmp_path, **{"training_devices": 2, **given})


@pytest.mark.parametrize(
    ("given", "batch", "sentence"),
    [
        ({"training_devices": 3}, 8, "is 3, and this machine has 2 processor cores and no GPU. Set "
         "LINOCUT_TRAINING_DEVICES to at most 2."),
        ({"workers": 2}, 8, "this server starts 2 engine processes, which would take the same devices."),
        ({"training_devices": 1, "training_shards": "on"}, 8, "LINOCUT_TRAINING_SHARDS is on, and there is one device; "
         "set LINOCUT_TRAINING_DEVICES to 2 or more."),
        ({"engine": "fake"}, 8, "the fake engine has no devices."),
        ({"purpose": "serving"}, 8, "this server does not train (LINOCUT_PURPOSE=serving)."),
        ({**REMOTE, "training_listen": ""}, 8, "LINOCUT_TRAINING_REMOTE_DEVICES is 2, and nothing says where they come "
         "to. Set LINOCUT_TRAINING_LISTEN"),
        ({"training_devices": 1, "training_listen": "10.0.0.5:8800"}, 8, "LINOCUT_TRAINING_LISTEN is set, and nobody "
         "is waited for there."),
        ({**REMOTE, "training_secret": SecretStr("")}, 8, "and anybody could come. Set LINOCUT_TRAINING_SECRET"),
        ({**REMOTE, "training_devices": 2, "training_shards": "on"}, 8, "LINOCUT_TRAINING_SHARDS is on, which divides"),
        ({**REMOTE, "engine": "fake"}, 8, "LINOCUT_TRAINING_REMOTE_DEVICES is 2, and the fake engine has no devices."),
        ({**REMOTE, "purpose": "serving"}, 8, "LINOCUT_TRAINING_REMOTE_DEVICES is 2, and this server does not train"),
        ({**REMOTE, "workers": 2}, 8, "_REMOTE_DEVICES is 2, and this server starts 2 engine processes"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(tmp_path: Path, given: dict[str, Any], batch: int, sentence: str) -> None:
    base = msgspec.structs.replace(mini(batch), name="Mini")
    with pytest.raises(InvalidRequest) as refused:
        check_devices(settings(tmp_path, **given), base)
    assert sentence in refused.value.message


def test_what_can_be_is_not(tmp_path: Path) -> None:
    check_devices(settings(tmp_path), mini(2))
    check_devices(settings(tmp_path, training_shards="on"), mini(1))
    check_devices(settings(tmp_path, training_devices=1, workers=4, engine="fake"), mini(1))
    check_devices(settings(tmp_path, **REMOTE), mini(3))
    check_devices(settings(tmp_path, training_remote_devices=2, cluster="local"), mini(4))


def test_devices_that_the_base_s_recipe_does_not_need_are_said(tmp_path: Path) -> None:
    set_up_logs("INFO")  # whatever a test before this one has set
    with capture_logs() as lines:
        check_devices(settings(tmp_path), mini(2))
        assert lines == []
        check_devices(settings(tmp_path), mini(1))
    (said,) = lines
    assert said["log_level"] == "warning"
    assert "takes 1 picture, and a device needs one at least" in said["event"]
    assert "x_linocut.batch_size" in said["event"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LISTEN", "10.0.0.5", "it takes a name or an IPv4 address, and a port"),
        ("LISTEN", "10.0.0.5:0", "and a port"),
        ("LISTEN", "10.0.0.5:70000", "and a port"),
        ("LISTEN", "http://10.0.0.5:80", "and a port"),
        ("LISTEN", ":8800", "and a port"),
        ("LISTEN", "0.0.0.0:8800", "which each machine takes for itself"),
        ("SECRET", "a few words", "LINOCUT_TRAINING_SECRET is shorter than 16 characters"),
        ("REMOTE_DEVICES", "64", "a whole number from 0 to 63"),
        ("REMOTE_DEVICES", "-1", "a whole number from 0 to 63"),
    ],
)
def test_where_devices_come_and_what_they_know_is_checked(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"LINOCUT_TRAINING_{name}", value)
    with pytest.raises(InvalidRequest) as told:
        settings_with()
    assert sentence in told.value.message
    assert name != "SECRET" or value not in told.value.message


@pytest.mark.parametrize("count", [0, -1, 65])
def test_a_number_out_of_range_is_told(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setenv("LINOCUT_TRAINING_DEVICES", str(count))
    with pytest.raises(InvalidRequest, match="LINOCUT_TRAINING_DEVICES"):
        settings_with()


def test_the_devices_share_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: range(8))
    assert threads_of(settings(tmp_path, training_devices=1)) == 8
    assert threads_of(settings(tmp_path, training_devices=4)) == 2
    assert threads_of(settings(tmp_path, training_devices=4, threads=3)) == 3


def test_a_worker_that_is_refused_closes_what_it_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the next start would take the database for one whose server was killed."""
    closed: list[Runtime] = []
    close = Runtime.close
    monkeypatch.setattr(Runtime, "close", lambda self: (closed.append(self), close(self))[1])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert process.run(settings(tmp_path, training_devices=64)) == EXIT_UNFIT
    assert len(closed) == 1
