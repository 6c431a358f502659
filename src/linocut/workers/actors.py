"""Engine processes as Ray actors: placed by Ray, watched by it, each on the device that it was given.

The one file that imports Ray. An actor holds one engine process (``process.py``), which is the same as anywhere else:
leases, heartbeats and checkpoints are its own, and Ray is asked for nothing but a place to be. Another kind of actor
lends its device to such a process (``lend.py``).
"""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from linocut.observe import log

NAMESPACE = "linocut"
CALL_SECONDS = 10.0
"""An actor whose process does not answer for so long is taken for lost; one that is not placed yet is waited for."""


@dataclass(frozen=True)
class Place:
    """What one worker takes of a node. ``accelerator``: a type as Ray names them, "" for any."""

    cpus: float
    gpus: float
    memory_bytes: int
    accelerator: str

    def options(self) -> dict[str, Any]:
        """As Ray takes it. An actor is never restarted by Ray: another life has another name, and so other leases."""
        asked: dict[str, Any] = {"num_cpus": self.cpus, "num_gpus": self.gpus, "max_restarts": 0}
        if self.memory_bytes:
            asked["memory"] = self.memory_bytes
        if self.accelerator:
            asked["accelerator_type"] = self.accelerator
        return asked


class Host:
    """What runs inside an actor: one process of linocut, which dies with it. ``listens``: it is told an address of this
    node, where other nodes reach it."""

    def __init__(self, command: list[str], environment: dict[str, str], *, listens: bool) -> None:
        self._address = f"{ray.util.get_node_ip_address()}:{_free_port()}" if listens else ""
        told = {**os.environ, **environment}  # Ray's, which name the device, and all of our settings
        if listens:
            told["LINOCUT_TRAINING_LISTEN"] = self._address
        self._process = subprocess.Popen([sys.executable, "-m", *command, "--parent", str(os.getpid())], env=told)

    def address(self) -> str:
        """Where the process listens."""
        return self._address

    def code(self) -> int | None:
        """The exit code of the process; None while it runs."""
        return self._process.poll()

    def drain(self) -> None:
        """Ask it to finish what it has in hand, and to end."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)


def _free_port() -> int:
    """A port that was free just now. Whoever takes it meanwhile ends the worker, and another one is started."""
    with socket.create_server(("", 0)) as found:
        return int(found.getsockname()[1])


class Actor:
    """A process of linocut in the cluster, as the controller sees it: an engine worker, or one that lends its device to
    the worker at ``leader``."""

    def __init__(self, worker_id: str, environment: dict[str, str], place: Place, leader: str = "") -> None:
        self.worker_id = worker_id
        self.is_draining = False
        engine = ["linocut.workers.process", "--worker-id", worker_id]
        command = ["linocut.workers.lend", "--leader", leader] if leader else engine
        listens = not leader and int(environment.get("LINOCUT_TRAINING_REMOTE_DEVICES", "0")) > 0
        host: Any = ray.remote(**place.options())(Host)
        self._handle: Any = host.remote(command, environment, listens=listens)
        self._asked: Any = self._handle.code.remote()
        self._where: Any = self._handle.address.remote()
        self._was_placed = False

    def has_ended(self) -> bool:
        """Whether its engine process, its node or its actor is gone. It is asked without waiting for the answer."""
        ready, _ = ray.wait([self._asked], timeout=0)
        if not ready:
            return False
        try:
            code = ray.get(self._asked, timeout=CALL_SECONDS)
        except GetTimeoutError:
            return False
        except RayError as lost:
            log("controller").warning("a worker is lost", worker_id=self.worker_id, reason=type(lost).__name__)
            return True
        self._was_placed = True
        self._asked = self._handle.code.remote()
        return code is not None

    @property
    def is_placed(self) -> bool:
        """Whether Ray has found a place for it."""
        return self._was_placed

    @property
    def address(self) -> str:
        """Where it waits for devices that are lent; "" before it is placed."""
        ready, _ = ray.wait([self._where], timeout=0)
        with suppress(RayError):
            return str(ray.get(self._where, timeout=CALL_SECONDS)) if ready else ""
        return ""

    def drain(self) -> None:
        """Ask its engine to finish and end."""
        self.is_draining = True
        self._handle.drain.remote()

    def kill(self) -> None:
        """Let go of the actor and of its place."""
        with suppress(RayError):
            ray.kill(self._handle)


def connect(address: str) -> None:
    """Join the cluster; ``local`` starts one on this machine. ``ConnectionError`` when its head does not answer."""
    quiet: dict[str, Any] = {"namespace": NAMESPACE, "log_to_driver": False, "configure_logging": False}
    if address == "local":
        ray.init(include_dashboard=False, **quiet)
    else:
        ray.init(address=address, **quiet)


def nodes() -> list[str]:
    """The addresses of the nodes that live."""
    found: Any = ray.nodes()
    return [str(node["NodeManagerAddress"]) for node in found if node["Alive"]]
