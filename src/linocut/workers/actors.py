"""Engine processes as Ray actors: placed by Ray, watched by it, each on the device that it was given.

The one file that imports Ray. An actor holds one engine process (``process.py``), which is the same as anywhere else:
leases, heartbeats and checkpoints are its own, and Ray is asked for nothing but a place to be.
"""

import os
import signal
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


class EngineHost:
    """What runs inside the actor. The engine process dies with it."""

    def __init__(self, worker_id: str, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "linocut.workers.process", "--worker-id", worker_id]
        told = {**os.environ, **environment}  # Ray's, which name the device, and all of our settings
        self._process = subprocess.Popen([*command, "--parent", str(os.getpid())], env=told)

    def code(self) -> int | None:
        """The exit code of the engine process; None while it runs."""
        return self._process.poll()

    def drain(self) -> None:
        """Ask it to finish what it has in hand, and to end."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)


class Actor:
    """One engine worker, as the controller sees it."""

    def __init__(self, worker_id: str, environment: dict[str, str], place: Place) -> None:
        self.worker_id = worker_id
        self.is_draining = False
        host: Any = ray.remote(**place.options())(EngineHost)
        self._handle: Any = host.remote(worker_id, environment)
        self._asked: Any = self._handle.code.remote()
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
