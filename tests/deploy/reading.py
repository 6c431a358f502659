"""The files of deploy/, read: as their own tools read them, as far as the tests need it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from linocut.settings import Settings
from linocut.workers.supervise import STOP_MARGIN_SECONDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OF_AWS = {"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
OF_OTHERS = {
    *("POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "ROOT_ACCESS_KEY", "ROOT_SECRET_KEY"),
    *("LINOCUT_SITE", "LINOCUT_UPSTREAMS"),
}
"""What the other services of the compose file read: PostgreSQL, the store, Caddy."""
SETTINGS = {f"LINOCUT_{name.upper()}" for name in Settings.model_fields}
OF_PROCESSES = {"HOME", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "CUDA_VISIBLE_DEVICES"} | {
    "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "TRITON_CACHE_DIR",
}  # fmt: skip
IS_SECRET = re.compile(r"PASSWORD|SECRET|ACCESS_KEY|API_KEY|TOKEN|DATABASE_URL|_KEY$")
SECRETS = {"POSTGRES_PASSWORD": "pw", "S3_ACCESS_KEY": "test:tester", "S3_SECRET_KEY": "a-secret-of-the-tests"}
_HOLE = re.compile(r"\$\{(\w+)(?::(-|\?)([^}]*))?\}")


def compose(name: str = "compose.yaml") -> dict[str, Any]:
    """A compose file with its anchors merged, its holes still open."""
    return dict(yaml.safe_load((DEPLOY / name).read_text()))


def filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?why}`` filled; ``LookupError`` where one of the
    last kind has no value."""

    def value(hole: re.Match[str]) -> str:
        name, kind, rest = hole.groups()
        if values.get(name):
            return values[name]
        if kind != "-":
            raise LookupError(f"{name} {rest or 'is not set'}")
        return str(rest)

    return _HOLE.sub(value, text)


def holes(text: str) -> Iterator[tuple[str, str]]:
    """(name, kind) of each hole: kind is ``?`` where a value must be given, ``-`` where there is another one."""
    return ((name, kind or "") for name, kind, _ in _HOLE.findall(text))


def variables_of(text: str) -> dict[str, str]:
    """The assignments of an environment file, those that are commented out too."""
    found = re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE)
    return dict(found)


def unit(name: str, instance: str = "") -> dict[str, dict[str, list[str]]]:
    """A unit of systemd: the values of each directive, by section, ``%i`` filled with ``instance``."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in (DEPLOY / "systemd" / name).read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value.replace("%i", instance))
    return sections


def environment_of(service: Mapping[str, list[str]]) -> dict[str, str]:
    """What the ``Environment=`` lines of a unit set."""
    words = (word for line in service.get("Environment", []) for word in shlex.split(line))
    return dict(word.split("=", 1) for word in words)


@cache
def instructions(name: str) -> list[tuple[str, list[str]]]:
    """(instruction, words) of a container file, by Docker's own parser, in its own process (as ``helm.py`` says)."""
    read = "import dockerfile, json, sys; read = dockerfile.parse_file(sys.argv[1])"
    look = f"{read}; print(json.dumps([(one.cmd, one.value) for one in read]))"
    command = [sys.executable, "-c", look, str(DEPLOY / name)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [(instruction.upper(), words) for instruction, words in json.loads(told)]


def longest_stop(settings: Settings) -> float:
    """Seconds after which the last child of a server has ended or was killed: first the API, then the engines."""
    return 2 * (settings.stop_seconds + STOP_MARGIN_SECONDS)


def program(name: str) -> str | None:
    """A program beside this Python, or on the PATH."""
    return shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
