"""A process that lends its device to a worker on another machine, for trainings (decision 0040).

``python -m linocut.workers.lend --leader HOST:PORT`` with the settings in the environment; ``linocut lend`` runs the
same. It needs the worker's base, and neither its database nor its store.
"""

import argparse
import os
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from linocut import __version__
from linocut.bases import Base, Memory, check_parts, load_base
from linocut.bases.licences import check_licence
from linocut.bases.places import base_at
from linocut.errors import InvalidRequest, LinocutError
from linocut.folders import make_folder
from linocut.observe import adopt_libraries, log
from linocut.parent import EXIT_UNFIT
from linocut.settings import Settings
from linocut.settings.devices import is_address
from linocut.workers.children import begun


def run(settings: Settings, leader: str) -> int:
    """Lend this machine's device (the first GPU that is visible, or the CPU) to the worker at ``leader``, until this
    process is ended or refused; the exit code."""
    try:
        base, folder = _base(settings, leader)
    except LinocutError as error:
        log("ranks").error(error.message)
        return EXIT_UNFIT if isinstance(error, InvalidRequest) else 1
    import torch

    from linocut.engine.ranks import child, lent
    from linocut.engine.ranks.greeting import Lent, Unwelcome

    on = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    device = torch.cuda.get_device_name(on) if on.type == "cuda" else "cpu"
    me = Lent(base=base.identity, kind=on.type, name=f"{socket.gethostname()[:64]} {device}", version=__version__)
    adopt_libraries()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    features = _features(settings.data.absolute() / "lent")
    try:
        lent.lend(leader, settings.training_secret.get_secret_value(), me, lent.Here(folder, on, features), child.load)
    except Unwelcome as refused:
        log("ranks").error(str(refused))
        return EXIT_UNFIT
    finally:
        shutil.rmtree(features, ignore_errors=True)


def _base(settings: Settings, leader: str) -> tuple[Base, Path]:
    """The base that is lent with the device, and its folder. ``InvalidRequest``."""
    if not is_address(leader):
        raise InvalidRequest(f"{leader!r} is no address and port of a worker; give its LINOCUT_TRAINING_LISTEN.")
    if not settings.training_secret.get_secret_value():
        raise InvalidRequest("Set LINOCUT_TRAINING_SECRET to what the worker has: both prove that they know it.")
    make_folder(settings.data)
    folder = base_at(settings.base, settings.pulled_bases)
    base = load_base(folder, Memory(settings.bases_memory))
    check_licence(base, settings.accepted_licences)
    check_parts(folder)
    return base, folder


def _features(place: Path) -> Path:
    """A folder for the encoded pictures that come. Those of processes that are gone are removed."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in place.iterdir():
        if not (left.name.isdecimal() and psutil.pid_exists(int(left.name))):
            shutil.rmtree(left, ignore_errors=True)
    mine = place / str(os.getpid())
    mine.mkdir(mode=0o700, exist_ok=True)
    return mine


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry of a process that somebody else looks after."""
    parser = argparse.ArgumentParser(prog="python -m linocut.workers.lend", description=__doc__)
    parser.add_argument("--leader", required=True, help="HOST:PORT of the worker")
    given, settings = begun(parser, arguments)
    return run(settings, given.leader)


if __name__ == "__main__":
    sys.exit(main())
