"""Processes as a container would have them, without one: user 10001, a root that is read-only, and few places to write.

Linux's own means do it: a mount namespace with a new root, into which the system's programs and this checkout are bound
read-only. Where that may not be done, the processes run as they are, and the test says ``NOT RUN`` of the rest.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.deploy.reading import ROOT

UID = 10001
PROGRAMS = Path(sysconfig.get_path("scripts"))
"""Where ``linocut`` is: /opt/linocut/bin in the images and on a server."""
SYSTEM = ("/usr", "/etc", "/dev", "/proc")
LINKS = ("/bin", "/sbin", "/lib", "/lib64")


@dataclass(frozen=True)
class Way:
    """How one process is started. ``writable``: the folders of this machine that stand at these places inside."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    grace_seconds: float
    writable: Mapping[str, Path] = field(default_factory=dict)
    check: Sequence[str] = ()
    """What tells from inside that it is well."""


@cache
def why_not_contained() -> str | None:
    """One sentence, or None when processes can be shut in."""
    if os.geteuid() != 0:
        return "only root may make a root of its own for a process"
    missing = [name for name in ("unshare", "chroot", "setpriv", "mount") if shutil.which(name) is None]
    if missing:
        return f"there is no {missing[0]}"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True
    )
    return None if tried.returncode == 0 else f"nothing can be mounted here ({tried.stderr.strip()})"


def words(way: Way, command: Sequence[str], reachable: Sequence[Path], root: Path) -> list[str]:
    """The command line that runs ``command`` as the way's process would: by its process id, with its signals."""
    told = [f"{name}={value}" for name, value in way.environment.items()]
    if why_not_contained() is not None:
        return ["env", "-i", *told, *command]
    script = ["set -e", f"new={shlex.quote(str(root))}", 'mount -t tmpfs -o mode=755 root "$new"']
    inside = [Path(place) for place in SYSTEM]
    inside += dict.fromkeys((Path(sys.base_prefix), Path(sys.prefix), ROOT))
    script += ['mkdir -m 1777 "$new/tmp"', 'mount -t tmpfs -o mode=1777 tmp "$new/tmp"']
    for place in inside:
        here = shlex.quote(str(place))
        bound = f'mkdir -p "$new"{here}; mount --rbind {here} "$new"{here}'
        script.append(bound if str(place) in ("/dev", "/proc") else f'{bound}; mount -o remount,bind,ro "$new"{here}')
    script += [f'[ -L {link} ] && cp -a {link} "$new"{link} || mount_nothing=' for link in LINKS]
    for target, folder in {**{str(path): path for path in reachable}, **way.writable}.items():
        there = shlex.quote(str(target))
        script.append(f'mkdir -p "$new"{there}; mount --bind {shlex.quote(str(folder))} "$new"{there}')
    script.append('mount -o remount,ro "$new"')
    run = shlex.join(["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs",
                      "--bounding-set=-all", "env", "-i", *told, *command])  # fmt: skip
    script.append(f'exec chroot "$new" {run}')
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(script)]


class House:
    """The processes of one way in, on this machine. ``reachable``: folders that all of them may use."""

    def __init__(self, folder: Path, reachable: Sequence[Path] = ()) -> None:
        self._folder = folder
        self._reachable = tuple(reachable)
        self._log = folder / "log"
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def _words(self, way: Way, command: Sequence[str]) -> list[str]:
        root = self._folder / "root"
        root.mkdir(exist_ok=True)
        for place in way.writable.values():
            place.mkdir(parents=True, exist_ok=True)
            if why_not_contained() is None:
                os.chown(place, UID, UID)
        return words(way, command, self._reachable, root)

    def start(self, way: Way) -> subprocess.Popen[bytes]:
        """Start it; what it says goes into the log."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(self._words(way, way.command), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.running[way.name] = process
        return process

    def run(self, way: Way, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run another command where the way's process runs, to its end."""
        return subprocess.run(self._words(way, command), capture_output=True, text=True, timeout=240)

    def log(self) -> str:
        """All that the processes have said."""
        return self._log.read_text()

    def stop(self, ways: Sequence[Way]) -> dict[str, tuple[int, float]]:
        """SIGTERM to all of them at once: exit code and seconds of each. One that outlives its time is killed."""
        started, ended = time.monotonic(), dict[str, tuple[int, float]]()
        for way in ways:
            self.running[way.name].terminate()
        while len(ended) < len(ways):
            for way in (one for one in ways if one.name not in ended):
                seconds = time.monotonic() - started
                if seconds > way.grace_seconds:
                    self.running[way.name].kill()
                if (code := self.running[way.name].poll()) is not None:
                    ended[way.name] = (code, seconds)
                    del self.running[way.name]
            time.sleep(0.02)
        return ended


@contextmanager
def house(folder: Path, reachable: Sequence[Path] = ()) -> Iterator[House]:
    """Whatever still runs at the end is killed."""
    built = House(folder, reachable)
    with ExitStack() as stack:
        stack.callback(lambda: [process.kill() for process in built.running.values()])
        yield built
