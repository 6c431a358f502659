"""The controller of a cluster: as many workers of each base as are wanted, started again elsewhere when they are lost.

``python -m linocut.workers.controller``, a child of ``linocut serve --cluster``. It draws nothing, and it holds nothing
that is not in the job table. When it dies, or Ray's head does, requests are still answered and jobs queued; the
supervisor starts it again, and it buries what its earlier life left behind.
"""

import argparse
import hashlib
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import Connection, func, select

from linocut import ids
from linocut.db.database import Database
from linocut.db.tables import jobs, workers
from linocut.errors import Busy, Damaged, InvalidRequest, LinocutError
from linocut.jobs import reaper
from linocut.jobs.roster import GONE
from linocut.jobs.types import JobStatus
from linocut.observe import log
from linocut.parent import EXIT_UNFIT
from linocut.runs.reports import close_failed_job
from linocut.runtime import Runtime
from linocut.settings import MIB, Settings
from linocut.stopping import when_asked_is_set
from linocut.workers.children import begun, settings_told
from linocut.workers.scaling import Bounds, wanted

if TYPE_CHECKING:
    from linocut.workers.actors import Actor

LOOK_SECONDS = 0.5
NO_RAY = "--cluster needs Ray, which is an extra of the package: pip install 'linocut[cluster]'."
PAUSE_SECONDS = 2.0
"""Between two devices that are asked for, for one worker: one that cannot be lent ends at once."""
StartActor = Callable[[str, dict[str, str], str], "Actor"]
"""A name, its settings, and the address of the worker that it lends its device to ("": it is a worker itself)."""


class Controller:
    """The workers of all bases. With each go the devices that are lent to it, where
    trainings have some of other nodes."""

    def __init__(self, settings: Settings, db: Database, bases: dict[str, str], start: StartActor) -> None:
        self._settings, self._db, self._start = settings, db, start
        self._identities = bases
        self.actors: dict[str, list[Actor]] = {word: [] for word in bases}
        self.lenders: dict[str, list[Actor]] = {}
        """By the name of the worker that they are lent to."""
        self._asked_at: dict[str, float] = {}
        self._busy_at = {word: time.monotonic() for word in bases}
        self._bounds = Bounds(settings.cluster_least, settings.cluster_most, settings.cluster_idle_seconds)
        self._secret = settings.training_secret
        if not self._secret.get_secret_value():
            self._secret = SecretStr(secrets.token_hex(32))
        self._prefix = f"ray-{hashlib.sha256(os.fsencode(settings.data.absolute())).hexdigest()[:8]}-"

    def bury_earlier_lives(self) -> None:
        """Whatever an earlier controller of this data folder started is gone, or is about to be."""
        mine = workers.c.worker_id.startswith(self._prefix, autoescape=True) & (workers.c.state != GONE)
        with self._db.read() as tx:
            held = select(jobs.c.worker_id).where(
                jobs.c.status == JobStatus.RUNNING, jobs.c.worker_id.startswith(self._prefix, autoescape=True)
            )
            names = {*tx.scalars(select(workers.c.worker_id).where(mine)), *tx.scalars(held)}
        for name in sorted(names):
            reaper.bury(self._db, name, close_failed_job)

    def round(self) -> None:
        """Bury what is lost, and start or drain a worker where the number is not the wanted one."""
        for word, actors in self.actors.items():
            for actor in [one for one in actors if one.has_ended()]:
                self._let_go(actor)
                actors.remove(actor)
                reaper.bury(self._db, actor.worker_id, close_failed_job)
            with self._db.read() as tx:
                queued, running = counted(tx, self._identities[word])
            if queued or running:
                self._busy_at[word] = time.monotonic()
            living = [one for one in actors if not one.is_draining]
            idle = time.monotonic() - self._busy_at[word]
            number = wanted(self._bounds, len(living), queued, idle)
            for _ in range(number - len(living)):
                actors.append(self._started(word))
            for actor in living[number:]:
                actor.drain()
                self._busy_at[word] = time.monotonic()
            for actor in actors:
                self._lend_to(actor, word)

    def _started(self, word: str) -> "Actor":
        name = f"{self._prefix}{ids.new_id()[:12]}"
        log("controller").info("a worker is asked for", worker_id=name, base=word)
        return self._start(name, self._told(word), "")

    def _told(self, word: str) -> dict[str, str]:
        changes: dict[str, Any] = {"base": word, "workers": 1, "training_secret": self._secret}
        return settings_told(self._settings.for_a_worker().model_copy(update=changes))

    def _lend_to(self, actor: "Actor", word: str) -> None:
        """As many devices as are to learn with this worker: those that are gone are asked for again, wherever there is
        room. It learns with those that have come."""
        number = self._settings.training_remote_devices
        if not number or actor.is_draining or not actor.address:
            return
        mine = self.lenders.setdefault(actor.worker_id, [])
        for gone in [one for one in mine if one.has_ended()]:
            gone.kill()
            mine.remove(gone)
        now = time.monotonic()
        if len(mine) < number and now - self._asked_at.get(actor.worker_id, -PAUSE_SECONDS) >= PAUSE_SECONDS:
            self._asked_at[actor.worker_id] = now
            for _ in range(number - len(mine)):
                log("controller").info("a device is asked for", to=actor.worker_id)
                mine.append(self._start(f"{actor.worker_id}-lent", self._told(word), actor.address))

    def _let_go(self, actor: "Actor") -> None:
        """Of a worker, and of what was lent to it."""
        self._asked_at.pop(actor.worker_id, None)
        for lender in (*self.lenders.pop(actor.worker_id, []), actor):
            lender.kill()

    def close(self, seconds: float) -> None:
        """Drain all workers, for at most so long; then let go of them."""
        everyone = [actor for actors in self.actors.values() for actor in actors]
        for actor in everyone:
            actor.drain()
        deadline = time.monotonic() + seconds
        while everyone and time.monotonic() < deadline:
            everyone = [actor for actor in everyone if actor.is_placed and not actor.has_ended()]
            time.sleep(LOOK_SECONDS / 5)
        for actors in self.actors.values():
            for actor in actors:
                self._let_go(actor)
                reaper.bury(self._db, actor.worker_id, close_failed_job)


def taken(settings: Settings, devices: int) -> tuple[float, float, int]:
    """(CPUs, GPUs, bytes) of a node that a process with so many devices takes: as set, for each of them."""
    asked = settings.cluster_cpus, settings.cluster_gpus, settings.cluster_memory_mib * MIB
    return asked[0] * devices, asked[1] * devices, asked[2] * devices


def counted(tx: Connection, identity: str) -> tuple[int, int]:
    """(queued, running) jobs of a base."""
    mine = (jobs.c.base == identity) & jobs.c.status.in_([JobStatus.QUEUED, JobStatus.RUNNING])
    found = {
        row[0]: int(row[1])
        for row in tx.execute(select(jobs.c.status, func.count()).where(mine).group_by(jobs.c.status))
    }
    return found.get(JobStatus.QUEUED, 0), found.get(JobStatus.RUNNING, 0)


def run(settings: Settings, stop: threading.Event) -> int:
    """Control the workers until ``stop`` is set; the exit code. 1 when the cluster is out of reach."""
    settings.controller_note.unlink(missing_ok=True)  # an earlier life's, which was killed
    try:
        from linocut.workers import actors
    except ImportError:
        log("controller").error(NO_RAY)
        return EXIT_UNFIT

    def start(name: str, told: dict[str, str], leader: str) -> "Actor":
        devices = 1 if leader else settings.training_devices
        return actors.Actor(name, told, actors.Place(*taken(settings, devices), settings.cluster_device), leader)

    try:
        actors.connect(settings.cluster)
    except (ConnectionError, RuntimeError, ValueError) as away:
        log("controller").error(f"Ray at {settings.cluster} does not answer ({type(away).__name__}); trying again")
        return 1
    runtime = Runtime.open(settings)
    bases = {word: base.identity for word, base in runtime.bases.items()}
    controller = Controller(settings, runtime.db, bases, start)
    controller.bury_earlier_lives()
    settings.controller_note.touch()
    log("controller").info("in charge of the workers", cluster=settings.cluster, nodes=len(actors.nodes()))
    try:
        while not stop.wait(LOOK_SECONDS):
            try:
                controller.round()
            except Damaged:
                continue
            except Busy as busy:
                log("controller").warning("the workers are looked after later", error=busy.message)
        controller.close(settings.stop_seconds)
    finally:
        settings.controller_note.unlink(missing_ok=True)
        runtime.close()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry of the controller process."""
    parser = argparse.ArgumentParser(prog="python -m linocut.workers.controller", description=__doc__)
    _, settings = begun(parser, arguments)
    stop = when_asked_is_set()
    try:
        return run(settings, stop)
    except LinocutError as error:
        log("controller").error(error.message)
        return EXIT_UNFIT if isinstance(error, InvalidRequest) else 1


if __name__ == "__main__":
    sys.exit(main())
