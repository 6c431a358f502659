"""``linocut serve``: one API process and the engine processes, kept alive; one server a data folder.

The supervisor starts the API first and imports the database only afterwards, so that GETs are answered as soon as
they can be. It does no work of its own but the chores in ``housekeeping.py``.
"""

import errno
import fcntl
import hashlib
import math
import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from linocut.bases import Memory, check_parts, load_base
from linocut.bases.licences import check_licence, licence_told
from linocut.bases.places import base_at, check_routes
from linocut.bases.speech import head_of
from linocut.db import checkup
from linocut.errors import Conflict, Damaged, InvalidRequest, LinocutError
from linocut.folders import make_folder, temporary_files_inside
from linocut.observe import log
from linocut.settings import Settings
from linocut.stopping import when_asked_is_set
from linocut.workers.children import Child, environment_of
from linocut.workers.ports import free_port, why_not

if TYPE_CHECKING:
    from linocut.workers.housekeeping import Housekeeping

API_MODULE = "linocut.api.serve"
ENGINE_MODULE = "linocut.workers.process"
DELIVERER_MODULE = "linocut.api.deliver"
CONTROLLER_MODULE = "linocut.workers.controller"
CONTROLLER = "controller"
LOOK_SECONDS = 0.05
CHORES_SECONDS = 1.0
STOP_MARGIN_SECONDS = 10.0
"""A child that takes so much longer than ``stop_seconds`` to stop is killed."""
PORT_WAIT_SECONDS = 5.0
"""A server killed a moment ago may hold its port and lock for an instant."""
API_GIVES_UP_AFTER = 3
ENGINE_GIVES_UP_AFTER = 5
"""Deaths before any engine of this server was ever ready: about half a minute of tries."""
API_FIRST_SECONDS = 2.0
"""The engines and the chores start when the API answers, or after this long."""
MOST_WORKERS = 64
TOLD_FROM_BYTES = 1_000_000_000


def run(settings: Settings, *, verify_base: bool = False) -> int:
    """Serve until SIGTERM or SIGINT; the exit code. 1 with a logged sentence when it cannot serve.

    Asked to stop, it takes no more requests, lets those under way end while the engines still draw for them, and only
    then stops the engines: a training leaves a checkpoint and its lease. To be asked again changes nothing.
    """
    stop = when_asked_is_set()
    try:
        make_folder(settings.data)
        with lock_folder(settings.data):
            temporary_files_inside(settings.data)
            check_base(settings, verify=verify_base)
            return _serve(settings.model_copy(update={"port": _free_port(settings)}), stop)
    except LinocutError as error:
        log("supervisor").error(error.message)
        return 1


def check_base(settings: Settings, *, verify: bool = False) -> None:
    """``InvalidRequest`` when a base's parts are not there, or when it may not be served: before anything is started
    that could not load them.

    A base is known by its content, which is read once; ``verify`` reads all of it again. What is found is remembered
    for the processes that are started next, and for the next start.
    """
    for word in bases_of(settings):
        _check_one(settings, word, verify=verify)
    check_routes(bases_of(settings), settings.base_of_routes)
    if settings.workers * len(bases_of(settings)) > MOST_WORKERS:
        raise InvalidRequest(
            f"{len(bases_of(settings))} bases with {settings.workers} engine processes each are more than one server "
            f"starts ({MOST_WORKERS}); give fewer --workers, or run `linocut worker` on other machines."
        )


def bases_of(settings: Settings) -> list[str]:
    """The words for the bases that are served, each once, the first one first."""
    return list(dict.fromkeys((settings.base, *settings.bases_beside)))


def _check_one(settings: Settings, word: str, *, verify: bool) -> None:
    folder = base_at(word, settings.pulled_bases)
    if settings.engine == "torch" and settings.workers > 0:
        check_parts(folder)
    memory = Memory(settings.bases_memory, all_again=verify, told=_tell_reading)
    before = memory.last(folder)
    base = load_base(folder, memory)
    check_licence(base, settings.accepted_licences)
    if settings.writer == "base":
        head_of(base, folder, settings.writer_head)
    memory.keep_licence(base.identity, base.licence)
    now = base.identity.partition("@")[2]
    if before and before != now:
        log("supervisor").warning(
            "the base's files have changed since it was last served: it is another base now, and models that were "
            "trained on the one before draw no more",
            base=str(folder),
            before=before,
            now=now,
        )
    log("supervisor").info(licence_told(base), base=base.identity)


def _tell_reading(done: int, total: int) -> None:
    """Said of a base of many gigabytes, which takes minutes to read."""
    if total > TOLD_FROM_BYTES:
        log("supervisor").info(
            "reading the base, once, to know it by its content", gigabytes=f"{done / 1e9:.1f} of {total / 1e9:.1f}"
        )


def lock_folder(data: Path) -> IO[str]:
    """The open, locked ``server.lock`` of a data folder; the lock ends when it is closed, or with this process.

    ``Conflict`` when another server has it, ``InvalidRequest`` where it cannot be written.
    """
    try:
        stream = (data / "server.lock").open("a+")
    except OSError as error:
        raise InvalidRequest(
            f"{data / 'server.lock'} cannot be written ({error.strerror}); give another --data."
        ) from error
    deadline = time.monotonic() + PORT_WAIT_SECONDS / 5
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return stream
        except BlockingIOError:
            if time.monotonic() > deadline:
                stream.close()
                raise Conflict(
                    f"Another server uses the data folder {data}; stop it, or give this one another --data."
                ) from None
        time.sleep(LOOK_SECONDS)


def worker_ids(settings: Settings) -> list[str]:
    """The names of all engine processes that a server of this data folder may ever start, on this machine.

    They stay the same from start to start, so that a new server can release what a killed one held.
    """
    folder = hashlib.sha256(os.fsencode(settings.data.absolute())).hexdigest()[:8]
    return [f"{socket.gethostname()[:32]}-{folder}-{slot}" for slot in range(MOST_WORKERS)]


def check_database(settings: Settings) -> None:
    """``Damaged`` when a SQLite database is: it is served no more. Every page is looked at where there is time for it,
    and in any case after a process has met damage. PostgreSQL looks after itself."""
    note = settings.damage_note
    if settings.sqlite_file is None:
        note.unlink(missing_ok=True)
        return
    found = checkup.check(settings.sqlite_file, math.inf if note.exists() else settings.database_check_seconds)
    if found.fault is not None:
        raise Damaged(f"The database {settings.sqlite_file} is damaged: {found.fault}. {checkup.WAY_BACK}")
    if found.whole:
        note.unlink(missing_ok=True)
    else:
        seconds = settings.database_check_seconds
        log("supervisor").info("there was no time to look at the whole database", seconds=seconds)


def _serve(settings: Settings, stop: threading.Event) -> int:
    check_database(settings)
    api, engines = _children(settings)
    deliverer = _deliverer(settings)
    api.start()
    log("supervisor").info("serving", host=settings.host, port=settings.port, data=str(settings.data))
    _give_way(api, stop)
    if api.has_ended() and api.died() and api.is_unfit:
        return 1  # the API has said why, on our stderr
    from linocut.workers.housekeeping import Housekeeping  # late: it imports what the API is importing

    chores = Housekeeping(settings)
    try:
        for worker_id in worker_ids(settings):
            chores.bury(worker_id)
        chores.tidy()
        return _watch(api, engines, deliverer, chores, stop)
    finally:
        _stop_all([api, deliverer], [*engines.values()], settings.stop_seconds, settings.drain_seconds)
        for worker_id in engines:
            chores.bury(worker_id)
        chores.close()
        (settings.data / "server.json").unlink(missing_ok=True)  # the API's; one that was killed left it behind


def _give_way(api: Child, stop: threading.Event) -> None:
    """Leave the cores to the API while it starts: clients of a server that was killed wait for it, and only for it."""
    deadline = time.monotonic() + API_FIRST_SECONDS
    while not api.is_ready() and not api.has_ended() and time.monotonic() < deadline and not stop.wait(LOOK_SECONDS):
        pass


def _watch(
    api: Child, engines: dict[str, Child], deliverer: Child, chores: "Housekeeping", stop: threading.Event
) -> int:
    """Start what is due, bury what died, do the chores, until asked to stop."""
    chores_at = 0.0
    api_first_until = time.monotonic() + API_FIRST_SECONDS
    while not stop.wait(LOOK_SECONDS):
        if api.died():
            api_first_until = time.monotonic() + API_FIRST_SECONDS
        if api.is_unfit or api.gave_up >= API_GIVES_UP_AFTER:
            log("supervisor").error(f"the API process cannot start: {api.reason()}")
            return 1
        api.start_if_due()
        for worker_id, engine in engines.items():
            if engine.died():
                chores.bury(worker_id)
                if _is_hopeless(engine, engines):
                    log("supervisor").error(f"the engine cannot start: {engine.reason()}")
                    return 1
            if chores.is_buried(worker_id) and (api.was_ready or time.monotonic() > api_first_until):
                engine.start_if_due()
        if time.monotonic() >= chores_at:
            chores.round()
            _deliver_if_due(deliverer, chores)
            chores_at = time.monotonic() + CHORES_SECONDS
    return 0


def _deliver_if_due(deliverer: Child, chores: "Housekeeping") -> None:
    """Start the process that delivers webhooks and mails once there is something to deliver; most servers never have
    anything. It dies without harm to anybody: what it had under way is tried again."""
    if deliverer.died():
        chores.deliverer_died()
    if deliverer.process is None and chores.has_webhooks_due():
        deliverer.start_if_due()


def _is_hopeless(engine: Child, engines: dict[str, Child]) -> bool:
    """Whether to start an engine again would change nothing: none of this server was ever ready, and this one says that
    it is not set up right, or has died too often."""
    if any(one.ever_ready for one in engines.values()):
        return False
    if engine.name == CONTROLLER:  # a cluster that is away comes back, and requests are answered and queued meanwhile
        return engine.is_unfit
    return engine.is_unfit or engine.deaths_before_ready >= ENGINE_GIVES_UP_AFTER


def _children(settings: Settings) -> tuple[Child, dict[str, Child]]:
    environment = environment_of(settings)
    parent = ["--parent", str(os.getpid())]
    api = Child("api", API_MODULE, parent, environment, lambda: _answers(settings))
    ready = settings.data.absolute() / "ready"
    engines = {
        name: Child(name, ENGINE_MODULE, ["--worker-id", name, *parent], told, (ready / name).exists)
        for name, told in zip(worker_ids(settings), _engine_environments(settings), strict=False)
    }
    if settings.cluster:
        note = settings.controller_note
        note.unlink(missing_ok=True)
        engines = {CONTROLLER: Child(CONTROLLER, CONTROLLER_MODULE, parent, environment, note.exists)}
    for name in engines:
        (ready / name).unlink(missing_ok=True)  # left by a killed server; its process is gone
        (settings.data.absolute() / "loading" / name).unlink(missing_ok=True)
    return api, engines


def _engine_environments(settings: Settings) -> list[dict[str, str]]:
    """What each engine process is told: its base, and how many share this machine's cores."""
    words = bases_of(settings)
    all_of_them = {"workers": settings.workers * len(words)}
    told = [environment_of(settings.for_a_worker().model_copy(update={"base": word, **all_of_them})) for word in words]
    return [one for one in told for _ in range(settings.workers)]


def _deliverer(settings: Settings) -> Child:
    note = settings.deliverer_note
    note.unlink(missing_ok=True)  # left by a killed server; its process is gone
    parent = ["--parent", str(os.getpid())]
    return Child("webhooks", DELIVERER_MODULE, parent, environment_of(settings), note.exists)


def _stop_all(first: Sequence[Child], then: Sequence[Child], seconds: float, first_drains: float = 0.0) -> None:
    """The API first, which drains for a while: whoever waits for an image still gets it."""
    for floor, more in ((first, first_drains), (then, 0.0)):
        deadline = time.monotonic() + more + seconds + STOP_MARGIN_SECONDS
        for child in floor:
            child.terminate()
        for child in floor:
            child.stop(deadline - time.monotonic())


def _answers(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    try:
        socket.create_connection((host, settings.port), timeout=0.2).close()
    except OSError:
        return False
    return True


def _free_port(settings: Settings) -> int:
    """The port to serve on: the one in the settings if it is free, a free one for 0. ``Conflict``."""
    deadline = time.monotonic() + PORT_WAIT_SECONDS
    while True:
        try:
            return free_port(settings.host, settings.port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise Conflict(". ".join(why_not(settings.host, settings.port, error))) from error
        time.sleep(LOOK_SECONDS)
