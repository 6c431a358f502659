"""An engine process: load the base, say that it is ready, work until asked to stop.

``python -m linocut.workers.process`` with the settings in the environment. Under a supervisor it is given its name
(``--worker-id``) and its parent's process id (``--parent``), and ends with its parent.
"""

import argparse
import fcntl
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from linocut import ids
from linocut.bases import Base, check_parts
from linocut.bases.licences import check_licence
from linocut.bases.speech import head_of
from linocut.engine.asked import Remote, Room
from linocut.engine.open import open_engine
from linocut.engine.tools.chat import Endpoint
from linocut.engine.tools.tool import BaseWrites, ToolsAtHand
from linocut.errors import InvalidRequest, LinocutError, TooLarge
from linocut.jobs.roster import LOADING
from linocut.observe import adopt_libraries, log
from linocut.parent import EXIT_UNFIT
from linocut.runtime import Runtime, loading_file, ready_folder
from linocut.settings import MIB, Settings
from linocut.sight import can_compare, check_rule
from linocut.stopping import when_asked_is_set
from linocut.workers.children import begun
from linocut.workers.devices import check_devices, device_of
from linocut.workers.loop import WorkerLoop
from linocut.workers.presence import Presence


def run(settings: Settings, worker_id: str = "") -> int:
    """Work in this process until SIGTERM or SIGINT, or until asked to drain; the exit code. The images in hand are
    finished first, for at most ``stop_seconds``; a training leaves a checkpoint and goes back into the queue."""
    stop = when_asked_is_set()
    settings = settings.for_a_worker()
    name = worker_id or f"{socket.gethostname()[:32]}-{os.getpid()}-{ids.new_id()[:6]}"
    try:
        runtime = Runtime.open(settings)
    except LinocutError as error:
        return _why_not(error)
    try:
        check_licence(runtime.base, settings.accepted_licences)
        if settings.engine == "torch":
            check_parts(runtime.base_folder)
        check_devices(settings, runtime.base)
        check_rule(settings.safety)
        Presence(runtime, name).tell_now(LOADING)
        cache = settings.adapter_cache_mib * MIB
        room = _room(settings, name)
        beside, weights = settings.tools_memory_mib * MIB, settings.weights_of_tools
        writes = base_writes(settings, runtime.base, runtime.base_folder)
        asked = endpoints(settings)
        tools = ToolsAtHand(beside, settings.tools_at_start, weights, asked, settings.safety, can_compare(), writes)
        threads = threads_of(settings)
        engine = open_engine(settings.engine, runtime.base, runtime.base_folder, threads, cache, room, tools)
    except LinocutError as error:
        runtime.close()
        return _why_not(error)
    finally:
        loading_file(settings, name).unlink(missing_ok=True)
    presence = Presence(runtime, name, device_of(settings))
    loop = WorkerLoop(runtime, engine, name, ready_folder(settings) / name, presence)
    try:
        adopt_libraries()
        with _ready(settings, name, runtime.base.identity):
            log("workers").info("ready", worker_id=name, base=runtime.base.identity)
            loop.run(stop, drain_seconds=settings.stop_seconds)
    finally:
        loop.close()
        presence.end()
        runtime.close()
    return 0


def _why_not(error: LinocutError) -> int:
    """Say why this process cannot work -> its exit code."""
    log("workers").error(error.message)
    return EXIT_UNFIT if isinstance(error, InvalidRequest | TooLarge) else 1


def _room(settings: Settings, name: str) -> Room | None:
    """What the settings ask of the device; how far the loading is goes into a file, for who asks ``/readyz``."""
    if settings.engine != "torch":
        return None

    def tell(part: str, before: int, size: int) -> None:
        log("workers").info("loading", part=part, gigabytes=f"{before / 1e9:.1f} of {size / 1e9:.1f}")
        path = loading_file(settings, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{part}: {before / 1e9:.1f} of {size / 1e9:.1f} GB")

    asked: Any = {"purpose": settings.purpose, "precision": settings.precision, "tower": settings.text_tower}
    learn: Any = {"devices": settings.training_devices, "divided": settings.training_shards == "on"}
    if settings.training_remote_devices:
        secret = settings.training_secret.get_secret_value()
        learn["remote"] = Remote(settings.training_remote_devices, settings.training_listen, secret)
    return Room(memory_bytes=settings.engine_memory_mib * MIB, told=tell, **learn, **asked)


def endpoints(settings: Settings) -> dict[str, Endpoint]:
    """The language models that the settings name, by what they are asked for."""
    named = {}
    if settings.describer == "endpoint":
        key = settings.describer_key.get_secret_value()
        named["describer"] = Endpoint(settings.describer_url, settings.describer_model, key, settings.describer_seconds)
    if settings.writer == "endpoint":
        key = settings.writer_key.get_secret_value()
        named["writer"] = Endpoint(settings.writer_url, settings.writer_model, key, settings.writer_seconds)
    return named


def base_writes(settings: Settings, base: Base, folder: Path) -> BaseWrites | None:
    """The base as the writer of captions, where the settings say so. ``InvalidRequest`` when it cannot write."""
    if settings.writer != "base" or settings.purpose == "training":  # nobody asks for a caption there
        return None
    head = head_of(base, folder, settings.writer_head)
    return BaseWrites(head, settings.writer_tokens, settings.writer_seconds)


def threads_of(settings: Settings) -> int:
    """The torch threads of one engine process: as set, or this machine's cores shared among the workers, and among
    the devices that learn together."""
    sharing = max(1, settings.workers) * settings.training_devices
    return settings.threads or max(1, len(os.sched_getaffinity(0)) // sharing)


@contextmanager
def _ready(settings: Settings, worker_id: str, identity: str) -> Iterator[None]:
    """Hold the file that tells ``Runtime.ready`` of this process; the lock on it ends with the process."""
    path = ready_folder(settings) / worker_id
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(f"{os.getpid()}\n{identity}\n")
        stream.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry of a supervised engine process."""
    parser = argparse.ArgumentParser(prog="python -m linocut.workers.process", description=__doc__)
    parser.add_argument("--worker-id", default="", help="name of this worker in leases and logs")
    given, settings = begun(parser, arguments)
    return run(settings, given.worker_id)


if __name__ == "__main__":
    sys.exit(main())
