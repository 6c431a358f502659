"""Each way in, by hand: processes with its commands and environment draw a picture, are drained, and stop in time."""

import json
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.api.processes import until
from tests.db.postgres import Postgres
from tests.deploy.contained import PROGRAMS, House, Way, house, why_not_contained
from tests.deploy.helm import WHY_NOT, chart_at
from tests.deploy.reading import DEPLOY, SECRETS, compose
from tests.deploy.ways import alone, lender, of_chart, of_compose, of_systemd
from tests.engine.lender import lent
from tests.faults.server import free_port
from tests.storage.store_fixtures import BUCKET, Swift, swift  # noqa: F401

from linocut.bases import MINI, load_base
from linocut.db import schema
from linocut.engine.ranks.greeting import receive

pytestmark = [pytest.mark.long, pytest.mark.postgresql, pytest.mark.timeout(600)]
PATIENCE = 180.0
GENERATE = "/v1/ideogram-v3/generate"
LINOCUT = str(PROGRAMS / "linocut")


@pytest.fixture(autouse=True)
def _told() -> Iterator[None]:
    yield
    if (reason := why_not_contained()) is not None:
        warnings.warn(f"NOT RUN: as user 10001 with a read-only root: {reason}", stacklevel=1)


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """An empty database, whose server's socket everybody may reach."""
    os.chmod(postgres._folder, 0o755)
    name = f"by_hand_{os.getpid()}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture
def given(database: str, swift: Swift) -> dict[str, str]:  # noqa: F811
    """What stands for the services of other machines, and what keeps the tests quick."""
    quick = {"LINOCUT_HEARTBEAT_SECONDS": "1", "LINOCUT_SAFETY_PICTURES": "off", "OMP_NUM_THREADS": "1"}
    return {"LINOCUT_DATABASE_URL": database, **swift.environment(), **quick}


def of_way(kind: str, folder: Path, given: Mapping[str, str]) -> dict[str, Way]:
    """The processes of a way in, where the services that they name are put in their place."""
    ports = (free_port(), free_port())
    if kind == "compose":
        ways = of_compose(folder, SECRETS, {})
        expected = "postgresql://linocut:pw@db:5432/linocut", "http://s3:7070", f"s3://{BUCKET}"
        for way in ways.values():
            told = way.environment
            assert (told["LINOCUT_DATABASE_URL"], told["AWS_ENDPOINT_URL"], told["LINOCUT_STORAGE_URL"]) == expected
        ways = {name: replace(way, environment={**way.environment, **given}) for name, way in ways.items()}
    elif kind == "helm":
        if WHY_NOT:
            pytest.skip(WHY_NOT)
        storage = {"url": f"s3://{BUCKET}", "endpoint": given["AWS_ENDPOINT_URL"], "region": given["AWS_REGION"]}
        with chart_at(DEPLOY / "helm" / "linocut") as chart:
            rendered = chart.render({"existingSecret": "linocut", "storage": storage})
        ways = of_chart(folder, {name: text for name, text in rendered.items() if name.endswith(".yaml")}, given)
    else:
        ways = of_systemd(folder, {**given, "LINOCUT_STORAGE_URL": f"s3://{BUCKET}"}, ports)
    on_ports = zip(("api1", "api2"), ports, strict=True)
    mine = {name: {"LINOCUT_PORT": str(port), "LINOCUT_HOST": "127.0.0.1"} for name, port in on_ports}
    # Two engines of the real base for compose; the others show the processes, not the pictures.
    engine = {"LINOCUT_ENGINE": "torch" if kind == "compose" else "fake"}
    told = {name: {**way.environment, **engine, **mine.get(name, {})} for name, way in ways.items()}
    return {name: replace(way, environment=told[name]) for name, way in ways.items()}


def urls(ways: Mapping[str, Way]) -> list[str]:
    return [f"http://127.0.0.1:{ways[name].environment['LINOCUT_PORT']}" for name in ("api1", "api2")]


def is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", timeout=30).status_code == 200
    except httpx2.TransportError:
        return False


def serving(built: House, way: Way) -> list[str]:
    """The names of the workers that serve, as an operator reads them."""
    told = built.run(way, LINOCUT, "workers", "list", "--json")
    assert told.returncode == 0, told.stderr
    return [one["worker_id"] for one in json.loads(told.stdout)["workers"] if one["state"] == "serving"]


def drawn(url: str, key: str, fetched_at: str) -> bytes:
    """A picture that one API process has drawn, fetched through the other."""
    answer = httpx2.post(f"{url}{GENERATE}", headers={"Api-Key": key}, json={"prompt": "a red cup"}, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    link = answer.json()["data"][0]["url"].replace(url, fetched_at)
    picture = httpx2.get(link, timeout=60)
    assert picture.status_code == 200
    return picture.content


def patiently(fact: Callable[[], Any], what: str, built: House) -> Any:
    try:
        return until(fact, what, PATIENCE)
    except AssertionError as late:
        raise AssertionError(f"{late}\n{built.log()[-4000:]}") from late


@pytest.mark.parametrize("kind", ["compose", "systemd", "helm"])
def test_the_processes_of_a_way_in(kind: str, given: dict[str, str], postgres: Postgres, tmp_path: Path) -> None:
    ways = of_way(kind, tmp_path, given)
    living = [ways[name] for name in ("api1", "api2", "worker1", "worker2")]
    with house(tmp_path, [postgres._folder]) as built:
        done = built.run(ways["migrate"], *ways["migrate"].command)
        assert (done.returncode, f"is at {schema.HEAD} now" in done.stdout) == (0, True), done.stderr
        for way in living:
            built.start(way)
        left, right = urls(ways)
        patiently(lambda: is_ready(left) and is_ready(right), "two API processes that are ready", built)
        before = patiently(lambda: len(found := serving(built, living[0])) == 2 and found, "two workers", built)
        for way in living:
            if way.check:
                assert built.run(way, *way.check).returncode == 0, f"{way.name} is well, and its check says no"
        made = built.run(ways.get("admin", living[0]), LINOCUT, "keys", "create", "--json")
        key = json.loads(made.stdout)["api_key"]
        assert drawn(left, key, right).startswith(b"\x89PNG")
        assert drawn(right, key, left).startswith(b"\x89PNG")

        first = built.running["worker1"]
        drained = next(name for name in before if f"-{first.pid}-" in name)
        asked = built.run(living[0], LINOCUT, "workers", "drain", drained)
        assert asked.returncode == 0, asked.stderr
        assert patiently(lambda: first.poll() is not None, "a drained worker that ends", built)
        assert first.returncode == 0
        assert drawn(left, key, left).startswith(b"\x89PNG"), "the other worker draws on"
        built.start(ways["worker1"])  # as `restart: unless-stopped`, `Restart=always` and a Deployment do
        patiently(lambda: len(set(serving(built, living[0])) - {drained}) == 2, "a worker in its place", built)

        ended = built.stop(living)
        print({name: f"{code} after {seconds:.1f} s" for name, (code, seconds) in ended.items()})
        for way in living:
            code, seconds = ended[way.name]
            late = f"{way.name}: {code} after {seconds:.1f} s\n{built.log()[-4000:]}"
            assert (code, seconds < way.grace_seconds) == (0, True), late
        said = built.log()
        assert "Traceback" not in said
        assert "reads no variable" not in said


def test_one_service_needs_nothing_beside_it(tmp_path: Path) -> None:
    """linocut.service with the example's environment: SQLite, the store in its folder, a worker of its own."""
    port = free_port()
    example = (DEPLOY / "systemd" / "linocut.env.example").read_text()
    told = dict(line.split("=", 1) for line in example.splitlines() if line and not line.startswith("#"))
    way = alone(tmp_path, {**told, "LINOCUT_PORT": str(port), "LINOCUT_ENGINE": "fake", "OMP_NUM_THREADS": "1"})
    with house(tmp_path) as built:
        built.start(way)
        url = f"http://127.0.0.1:{port}"
        patiently(lambda: is_ready(url), "a server", built)
        made = built.run(way, LINOCUT, "keys", "create", "--json")
        assert drawn(url, json.loads(made.stdout)["api_key"], url).startswith(b"\x89PNG")
        code, seconds = built.stop([way])["alone"]
        assert (code, seconds < way.grace_seconds) == (0, True)


def test_a_device_is_lent_by_its_service(tmp_path: Path) -> None:
    """It proves the secret of its environment file, has the base, and ends in time, also while its worker is silent."""
    secret = "what both machines know"
    with socket.create_server(("127.0.0.1", 0)) as door, house(tmp_path) as built:
        door.settimeout(PATIENCE)
        told = {"LEND_TO": f"127.0.0.1:{door.getsockname()[1]}", "LINOCUT_TRAINING_SECRET": secret}
        way = lender(tmp_path, {**told, "LINOCUT_BASE": "mini", "OMP_NUM_THREADS": "1"})
        built.start(way)
        connection, _ = door.accept()
        with connection:
            assert receive(connection, secret, lent(base=load_base(MINI).identity)).kind == "cpu"
            code, seconds = built.stop([way])["lender"]
        assert (code, seconds < way.grace_seconds) == (0, True), built.log()
        assert not list((tmp_path / "linocut" / "lend-0" / "lent").iterdir()), "it cleans up behind itself"


def test_a_root_that_is_read_only_is_one(tmp_path: Path) -> None:
    """The simulation itself: nothing may be written but /tmp and the folders that are given."""
    if why_not_contained() is not None:
        pytest.skip(f"NOT RUN: {why_not_contained()}")
    way = Way("x", [], {"PATH": "/usr/bin:/bin"}, 1.0, {"/data": tmp_path / "data"})
    with house(tmp_path) as built:
        for place in ("/x", "/usr/x", "/etc/x", str(DEPLOY / "x"), "/var/x"):
            assert built.run(way, "touch", place).returncode != 0, place
        for place in ("/data/x", "/tmp/x"):
            assert built.run(way, "touch", place).returncode == 0, place
        assert built.run(way, "id", "-u").stdout == "10001\n"


def test_a_bucket_is_made_once(swift: Swift, tmp_path: Path) -> None:  # noqa: F811
    """As compose.yaml has it done, at a server that checks signatures."""
    (service,) = [one for name, one in compose()["services"].items() if name == "make-bucket"]
    program, script, bucket = service["entrypoint"]
    script = str(DEPLOY / script.lstrip("/"))
    assert (program, bucket) == ("python", BUCKET)
    environment = {"PATH": f"{PROGRAMS}:/usr/bin:/bin", **swift.environment()}
    way, name = Way("make-bucket", [], environment, 1.0), f"made-{time.time_ns()}"
    with house(tmp_path) as built:
        said = [built.run(way, program, script, name) for _ in range(2)]
        assert [(one.returncode, one.stdout) for one in said] == [
            (0, f"the bucket {name} is made\n"),
            (0, f"the bucket {name} is there\n"),
        ], said[0].stderr
        stranger = replace(way, environment={**environment, "AWS_SECRET_ACCESS_KEY": "another"})
        nobody = replace(way, environment={**environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
        for other, reason in ((stranger, "answered 403"), (nobody, "does not answer")):
            refused = built.run(other, program, script, f"{name}-x")
            assert (refused.returncode, reason in refused.stderr) == (1, True), refused.stderr
            assert "another" not in refused.stderr
