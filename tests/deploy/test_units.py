"""The units of systemd: verified by systemd's own program, closed by default, and patient enough to drain."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy.reading import (
    DEPLOY,
    IS_SECRET,
    OF_AWS,
    OF_PROCESSES,
    SETTINGS,
    environment_of,
    longest_stop,
    unit,
    variables_of,
)

from linocut.engine.ranks.greeting import GREETING_SECONDS
from linocut.environment import settings_with
from linocut.parent import EXIT_UNFIT
from linocut.settings import Settings

SERVICES = {
    "linocut.service": "",
    "linocut-api@.service": "8731",
    "linocut-worker@.service": "0",
    "linocut-lend@.service": "0",
    "linocut-migrate.service": "",
}
LEND = "linocut-lend@.service"
MOST_EXPOSED = 20
"""Of 100, as ``systemd-analyze security`` counts: 0 is closed, 96 a service without any line about it."""


@pytest.fixture
def analyze(tmp_path: Path) -> tuple[str, Path, list[str]]:
    """The program; a folder with the units, their program put where there is one; their names with instances."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("NOT RUN: there is no systemd-analyze (apt-get install systemd)")
    for file in (DEPLOY / "systemd").iterdir():
        text = file.read_text().replace("/opt/linocut/bin/linocut", sys.executable)
        (tmp_path / file.name).write_text(text)
    names = [name.replace("@", f"@{instance}") if instance else name for name, instance in SERVICES.items()]
    return found, tmp_path, [*names, "linocut.target"]


def test_systemd_takes_them(analyze: tuple[str, Path, list[str]]) -> None:
    program, folder, names = analyze
    for name, instance in SERVICES.items():
        if instance:
            shutil.copy(folder / name, folder / name.replace("@", f"@{instance}"))
    told = subprocess.run(
        [program, "verify", "--man=no", *(str(folder / name) for name in names)], capture_output=True, text=True
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    (folder / "linocut.service").write_text((folder / "linocut.service").read_text() + "\n[Service]\nKilMode=mixed\n")
    worse = subprocess.run([program, "verify", "--man=no", str(folder / names[0])], capture_output=True, text=True)
    assert "KilMode" in worse.stderr, "a word that systemd does not know goes unnoticed"


def test_they_are_closed(analyze: tuple[str, Path, list[str]]) -> None:
    program, folder, names = analyze
    for name in names[:-1]:
        template = re.sub(r"@\w+", "@", name)
        file = folder / name
        if template != name:
            shutil.copy(folder / template, file)
        command = [program, "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", str(file)]
        told = subprocess.run(command, capture_output=True, text=True)
        figure = told.stdout.strip().splitlines()[-1]
        assert told.returncode == 0, figure
        print(figure)
    bare = folder / "bare.service"
    bare.write_text("[Service]\nExecStart=/bin/true\n")
    assert subprocess.run([*command[:-1], str(bare)], capture_output=True).returncode != 0


@pytest.mark.parametrize("name", SERVICES)
def test_what_they_set_is_read_and_what_they_start_is_ours(name: str) -> None:
    service = unit(name, SERVICES[name])["Service"]
    told = environment_of(service)
    assert set(told) <= SETTINGS | OF_PROCESSES
    command = service["ExecStart"][0].split()
    assert command[0] == "/opt/linocut/bin/linocut"
    folder = told["LINOCUT_DATA"].removeprefix("/var/lib/")
    assert folder in service["StateDirectory"][0].split(), "it may write only there"
    for closed in (
        "NoNewPrivileges",
        "ProtectSystem",
        "CapabilityBoundingSet",
        "SystemCallFilter",
        "RestrictNamespaces",
    ):
        assert closed in service


@pytest.mark.parametrize("name", [name for name in SERVICES if "migrate" not in name])
def test_they_stop_as_the_server_wants_it(name: str) -> None:
    service = unit(name)["Service"]
    assert (service["KillSignal"], service["KillMode"]) == (["SIGTERM"], ["mixed"])
    patience = GREETING_SECONDS if name == LEND else longest_stop(Settings())  # a lender has nothing to finish
    assert int(service["TimeoutStopSec"][0]) > patience
    assert service["Restart"] == (["always"] if "worker" in name else ["on-failure"]), "a drained worker ends well"


def test_a_lender_that_is_refused_is_not_started_again() -> None:
    service = unit(LEND)["Service"]
    assert service["RestartPreventExitStatus"] == [str(EXIT_UNFIT)]
    assert service["ExecStart"] == ["/opt/linocut/bin/linocut lend ${LEND_TO}"]
    assert "LEND_TO" in variables_of((DEPLOY / "systemd" / "linocut.env.example").read_text())


def test_the_example_names_settings_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DEPLOY / "systemd" / "linocut.env.example").read_text()
    told = variables_of(text)
    assert set(told) <= SETTINGS | OF_AWS | {"LEND_TO"}
    assert all(value == "" or "PASSWORD" in value for name, value in told.items() if IS_SECRET.search(name))
    live = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    for name, value in live.items():
        monkeypatch.setenv(name, value)
    assert settings_with().base == "mini"


@pytest.mark.parametrize("name", ["linocut.service", "linocut-worker@.service", LEND])
def test_devices_that_learn_together_may_look_up_network_interfaces(name: str) -> None:
    """The system tells them over a socket of its own kind; gloo and ``ranks/moving.py`` ask for them by name."""
    (families,) = re.findall(r"^RestrictAddressFamilies=(.*)$", (DEPLOY / "systemd" / name).read_text(), re.MULTILINE)
    assert "AF_NETLINK" in families.split()
