"""The processes of each way in, read out of its own file: commands, environment, folders, and the time to stop."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from tests.deploy.contained import PROGRAMS, Way
from tests.deploy.reading import compose, environment_of, filled, instructions, unit


def image() -> tuple[list[str], dict[str, str], list[str]]:
    """What the image of deploy/Dockerfile runs: its entry point, environment, and check of health."""
    found: dict[str, Any] = dict(instructions("Dockerfile"))
    pairs = [word for word in found["ENV"] if word != "="]
    told = dict(zip(pairs[::2], pairs[1::2], strict=True))
    told["PATH"] = f"{PROGRAMS}:/usr/bin:/bin"
    return list(found["ENTRYPOINT"]), told, list(found["HEALTHCHECK"])[-3:]


def of_compose(folder: Path, values: Mapping[str, str], more: Mapping[str, str]) -> dict[str, Way]:
    """Those of compose.yaml that run our image. ``more``: what linocut.env would say."""
    entry, told, check = image()
    ways = {}
    for name, service in compose()["services"].items():
        if not service["image"].startswith("${LINOCUT_IMAGE") or "entrypoint" in service:
            continue
        own = {key: filled(value, values) for key, value in service["environment"].items()}
        test = service.get("healthcheck", {}).get("test")
        watched = ["sh", "-c", test[1]] if test else check
        seconds = float(service["stop_grace_period"].rstrip("s"))
        command = [*entry, *service.get("command", [])]
        places = {"/data": folder / name, "/bases": folder / "bases"}
        ways[name] = Way(name, command, {**told, **more, **own}, seconds, places, watched)
    return ways


def of_chart(folder: Path, rendered: Mapping[str, str], more: Mapping[str, str]) -> dict[str, Way]:
    """Those of the chart's release: a pod for each replica. ``more``: what the Secret holds."""
    entry, told, _ = image()
    ways = {}
    for text in rendered.values():
        for made in yaml.safe_load_all(text):
            if not made or made["kind"] not in ("Deployment", "Job"):
                continue
            pod = made["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            own = {one["name"]: one["value"] for one in container["env"]}
            probe = container.get("livenessProbe", {}).get("exec", {}).get("command", [])
            for number in range(made["spec"].get("replicas", 1)):
                name = container["name"] + (str(number + 1) if made["kind"] == "Deployment" else "")
                command = [*entry, *container["args"]]
                seconds = float(pod.get("terminationGracePeriodSeconds", 30))
                ways[name] = Way(name, command, {**told, **more, **own}, seconds, {"/data": folder / name}, probe)
    return ways


def of_systemd(folder: Path, more: Mapping[str, str], ports: tuple[int, int]) -> dict[str, Way]:
    """Those that linocut.target has: two API processes, two workers, and the migration before them. ``more``: what
    /etc/linocut/linocut.env says."""
    asked = [("migrate", "linocut-migrate.service", "")]
    asked += [(f"api{at + 1}", "linocut-api@.service", str(port)) for at, port in enumerate(ports)]
    asked += [(f"worker{at + 1}", "linocut-worker@.service", str(at)) for at in range(2)]
    return {name: _unit(name, unit(file, instance)["Service"], folder, more) for name, file, instance in asked}


def alone(folder: Path, more: Mapping[str, str]) -> Way:
    """linocut.service, which needs nothing beside it."""
    return _unit("alone", unit("linocut.service")["Service"], folder, more)


def lender(folder: Path, more: Mapping[str, str]) -> Way:
    """linocut-lend@0.service: ``LEND_TO`` stands in the environment file, and systemd puts it into the command."""
    way = _unit("lender", unit("linocut-lend@.service", "0")["Service"], folder, more)
    return replace(way, command=[more["LEND_TO"] if word == "${LEND_TO}" else word for word in way.command])


def _unit(name: str, service: Mapping[str, list[str]], folder: Path, more: Mapping[str, str]) -> Way:
    own = {**environment_of(service), "PATH": "/usr/bin:/bin"}
    command = service["ExecStart"][0].replace("/opt/linocut/bin", str(PROGRAMS)).split()
    seconds = float(re.sub(r"\D", "", service.get("TimeoutStopSec", ["90"])[0]))
    places = {f"/var/lib/{place}": folder / place for place in service["StateDirectory"][0].split()[1:]}
    return Way(name, command, {**own, **more}, seconds, places)
