"""deploy/compose.yaml and its kin: read by Docker's own tool, with settings that exist, and no secret in them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.reading import (
    DEPLOY,
    IS_SECRET,
    OF_AWS,
    OF_OTHERS,
    SECRETS,
    SETTINGS,
    compose,
    filled,
    holes,
    longest_stop,
    program,
    variables_of,
)

from linocut.settings import Settings

FILES = ("compose.yaml", "compose.cuda.yaml")
OURS = ("migrate", "make-bucket", "api1", "api2", "worker1", "worker2", "admin")


@pytest.fixture
def docker_compose() -> str:
    """Docker's own program."""
    found = program("docker-compose")
    if found is None:
        pytest.skip("NOT RUN: there is no docker-compose (pip install 'linocut[deploy]')")
    return found


def told(program: str, folder: Path, *files: str, secrets: str) -> subprocess.CompletedProcess[str]:
    """What ``docker compose config`` makes of the files."""
    (folder / "env").write_text(secrets)
    given = [word for name in files for word in ("--file", str(DEPLOY / name))]
    command = [program, "--env-file", str(folder / "env"), *given, "--profile", "admin", "config", "--format", "json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize("files", [FILES[:1], FILES])
def test_docker_reads_the_files(docker_compose: str, tmp_path: Path, files: tuple[str, ...]) -> None:
    secrets = "".join(f"{name}={value}\n" for name, value in SECRETS.items())
    read = told(docker_compose, tmp_path, *files, secrets=secrets)
    assert read.returncode == 0, read.stderr
    services = json.loads(read.stdout)["services"]
    assert set(OURS) < set(services)
    for name in OURS:
        dockerfile = "deploy/Dockerfile.cuda" if name.startswith("worker") and len(files) > 1 else "deploy/Dockerfile"
        assert services[name]["build"]["dockerfile"] == dockerfile
        assert services[name]["read_only"] is True
        assert services[name]["environment"]["LINOCUT_DATABASE_URL"] == "postgresql://linocut:pw@db:5432/linocut"
    if len(files) > 1:
        gpus = [services[name]["deploy"]["resources"]["reservations"]["devices"][0] for name in ("worker1", "worker2")]
        assert [one["device_ids"] for one in gpus] == [["0"], ["1"]], "two workers on one GPU"


@pytest.mark.parametrize("missing", SECRETS)
def test_nothing_starts_without_a_secret(docker_compose: str, tmp_path: Path, missing: str) -> None:
    secrets = "".join(f"{name}={value}\n" for name, value in SECRETS.items() if name != missing)
    read = told(docker_compose, tmp_path, "compose.yaml", secrets=secrets)
    assert read.returncode != 0
    assert f"{missing} is missing a value: is not set; see deploy/env.example" in read.stderr


def test_no_secret_has_a_value() -> None:
    """Each is a hole that must be filled, and the example fills none."""
    met = set()
    for file in FILES:
        for name, service in compose(file)["services"].items():
            for variable, value in service.get("environment", {}).items():
                if IS_SECRET.search(variable):
                    found = list(holes(value))
                    assert found, f"{name}: {variable} is written down"
                    assert {kind for _, kind in found} == {"?"}, f"{name}: {variable} has a default"
                    met |= {hole for hole, _ in found}
    assert met == set(SECRETS)
    example = variables_of((DEPLOY / "env.example").read_text())
    assert {name: example[name] for name in SECRETS} == dict.fromkeys(SECRETS, "")
    with pytest.raises(LookupError, match="POSTGRES_PASSWORD is not set"):
        filled("${POSTGRES_PASSWORD:?is not set}", {"POSTGRES_PASSWORD": ""})


def test_every_variable_is_read_by_somebody() -> None:
    for file in FILES:
        for name, service in compose(file)["services"].items():
            known = SETTINGS | OF_AWS if name in OURS else OF_AWS | OF_OTHERS
            assert set(service.get("environment", {})) <= known, name
    asked = {hole for file in FILES for hole, _ in holes((DEPLOY / file).read_text())}
    told = set(variables_of((DEPLOY / "env.example").read_text()))
    assert asked - {"LINOCUT_CUDA_IMAGE"} == told - {"LINOCUT_CUDA_IMAGE"}, "env.example names what the files ask for"
    assert set(variables_of((DEPLOY / "linocut.env.example").read_text())) <= SETTINGS


def test_the_settings_are_good_ones() -> None:
    """Each process's environment makes settings, and the time to stop leaves room for what must end before."""
    for name in OURS:
        service = compose()["services"][name]
        values = {variable: filled(value, SECRETS) for variable, value in service["environment"].items()}
        given = {name.removeprefix("LINOCUT_").lower(): value for name, value in values.items() if name in SETTINGS}
        settings = Settings(**given)
        grace = int(re.fullmatch(r"(\d+)s", service["stop_grace_period"])[1])  # type: ignore[index]
        assert grace >= longest_stop(settings)
        assert settings.workers == (0 if name.startswith("api") else 1)


def test_our_processes_may_write_to_their_folders_alone() -> None:
    services = compose()["services"]
    for name in OURS:
        service = services[name]
        assert (service["read_only"], service["user"], service["cap_drop"]) == (True, "10001:10001", ["ALL"]), name
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert [place.partition(":")[0] for place in service["tmpfs"]] == ["/tmp"]
    written = {name: [one for one in services[name].get("volumes", []) if not one.endswith(":ro")] for name in OURS}
    assert written["admin"] == ["admin:/data", "bases:/bases"]  # it fetches bases
    assert [written[name] for name in OURS[2:6]] == [[f"{name}:/data"] for name in OURS[2:6]], "a folder of its own"


def test_every_long_lived_service_is_watched_and_started_again() -> None:
    for name, service in compose()["services"].items():
        once = name in ("migrate", "make-bucket", "admin")
        assert service["restart"] == ("no" if once else "unless-stopped"), name
        from_the_image = name in ("api1", "api2")  # HEALTHCHECK of the Dockerfile
        assert once or from_the_image or service["healthcheck"]["test"], name


def test_images_are_pinned() -> None:
    for name, service in compose()["services"].items():
        tag = re.fullmatch(r"(?:\$\{LINOCUT_IMAGE:-)?[a-z/]+:([\w.-]+)\}?", service["image"])
        assert tag is not None, name
        assert tag[1] != "latest"


def first(services: dict[str, Any], name: str) -> set[str]:
    """What must be there before a service starts, by its ``depends_on``."""
    before = services[name].get("depends_on", {})
    return set(before) | {deeper for one in before for deeper in first(services, one)}


def test_the_order_of_starting() -> None:
    services = compose()["services"]
    for name in ("api1", "api2", "worker1", "worker2"):
        assert first(services, name) == {"migrate", "make-bucket", "db", "s3"}
    assert {"api1", "api2"} < first(services, "proxy")
