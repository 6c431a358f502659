"""The lender's side: this process is a rank of a worker on another node while that lives, and then of the next one.

What a rank of the leader's own machine reads from its disk is sent here: the encoded pictures, each once.
"""

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

import msgspec
import torch

from linocut.engine.families.family import Family
from linocut.engine.ranks import moving
from linocut.engine.ranks.child import Load, serve
from linocut.engine.ranks.greeting import GREETING_SECONDS, Lent, introduce
from linocut.engine.ranks.lines import notice_absence
from linocut.engine.ranks.messages import Answer, Begin, Keep, Open, Said, Take, line_of, said_in
from linocut.observe import log

PAUSE_SECONDS = 1.0
REMIND_SECONDS = 60.0
_FEATURES = re.compile(r"[0-9a-f]{64}\.safetensors")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Here:
    """What of this node stands in the place of the leader's: the folder of its base, its device, and a folder for
    encoded pictures."""

    base_folder: Path
    device: torch.device
    features: Path


def lend(leader: str, secret: str, lent: Lent, here: Here, load: Load) -> NoReturn:
    """Learn for the worker at ``leader`` (HOST:PORT), and for the one that comes after it there. ``Unwelcome`` when it
    refuses this device."""
    once = _Once(load)
    host, _, port = leader.rpartition(":")
    said_at = 0.0
    while True:
        try:
            connection = socket.create_connection((host, int(port)), GREETING_SECONDS)
        except OSError as away:
            if time.monotonic() >= said_at:
                log("ranks").info("no worker answers there; this device waits for one", leader=leader, reason=str(away))
                said_at = time.monotonic() + REMIND_SECONDS
            time.sleep(PAUSE_SECONDS)
            continue
        try:
            with connection:
                introduce(connection, secret, lent)
                said_at = 0.0
                log("ranks").info("this device is lent", leader=leader)
                moving.reached_by(connection.getsockname()[0])
                notice_absence(connection)
                with connection.makefile("rb") as commands, connection.makefile("wb") as answers:
                    serve(once, _commands(commands, answers, here), answers)
        except (OSError, ValueError) as gone:  # ValueError: it ended within a message
            log("ranks").warning("the worker is gone", leader=leader, reason=str(gone))
        moving.leave()
        time.sleep(PAUSE_SECONDS)


class _Once:
    """Loads a family for the first leader, and hands the same to the next one that asks for it."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._held: tuple[Open, Family] | None = None

    def __call__(self, said: Open) -> Family:
        if self._held is None or self._held[0] != said:
            self._held = None  # there is no room for two
            self._held = said, self._load(said)
        return self._held[1]


def _commands(commands: BinaryIO, answers: BinaryIO, here: Here) -> Iterator[bytes]:
    """What the leader says, as it is on this node. Files that it sends are taken on the way. ``OSError`` when one
    cannot be kept."""
    here.features.mkdir(parents=True, exist_ok=True)
    for line in commands:
        said = said_in(line)
        if isinstance(said, Keep):
            answers.write(line_of(Answer(serial=said.serial, missing=_missing(said.names, here.features))))
            answers.flush()
        elif isinstance(said, Take):
            _take(commands, said, here.features)
        else:
            yield line_of(_placed(said, here))


def _placed(said: Said, here: Here) -> Said:
    if isinstance(said, Open):
        return msgspec.structs.replace(said, folder=str(here.base_folder), device=str(here.device))
    if isinstance(said, Begin):
        return msgspec.structs.replace(said, features=str(here.features))
    return said


def _missing(names: list[str], folder: Path) -> list[str]:
    """Those of ``names`` that are not in ``folder``, from which all others go."""
    there = {path.name for path in folder.iterdir()}
    for name in there - set(names):
        (folder / name).unlink(missing_ok=True)
    return [name for name in names if name not in there and _FEATURES.fullmatch(name)]


def _take(commands: BinaryIO, said: Take, folder: Path) -> None:
    if not _FEATURES.fullmatch(said.name):
        raise OSError("the leader sends a file by a name that none of its files has")
    coming = folder / "coming"
    with coming.open("wb") as file:
        left = said.size
        while left > 0:
            part = commands.read(min(left, _CHUNK))
            if not part:
                raise OSError("the connection ended within a file")
            file.write(part)
            left -= len(part)
    coming.rename(folder / said.name)
