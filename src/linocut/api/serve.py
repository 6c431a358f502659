"""``python -m linocut.api.serve [--parent PID]``: the API in one process, on the address that the settings name.

Stops on SIGTERM and SIGINT, and dies with its parent (``--parent``: whose child it was started as, so that a parent
that died during the start is noticed too). Where it listens stands in ``{data}/server.json``, which is
how others learn the port when it was left to the system (port 0).
"""

import argparse
import asyncio
import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from linocut.accounts import links, members
from linocut.accounts.audit import OPERATOR
from linocut.api.app import create_app
from linocut.api.console_files import NOT_BUILT, is_built
from linocut.api.doorman import Doorman, prepare
from linocut.api.doorman import is_possible as doorman_is_possible
from linocut.api.edge import Edge
from linocut.api.links import link_to_sign_in
from linocut.environment import settings_with
from linocut.errors import Busy, Conflict, InvalidRequest, LinocutError
from linocut.files import write_durably
from linocut.ledger.starting import check_prices
from linocut.observe import log, set_up_logs
from linocut.parent import EXIT_UNFIT, die_with_parent
from linocut.runtime import Runtime
from linocut.safety.rules import read_rules
from linocut.settings import Settings
from linocut.sight import check_rule
from linocut.stopping import when_asked

HEADER_MILLISECONDS = 10_000
"""A connection that has not sent its headers by then is closed (slow-header attacks)."""
LARGE_BLOCK_BYTES = 1 << 20
_M_MMAP_THRESHOLD = -3  # malloc.h
BACKLOG = 4096
CONNECTIONS = 4096
OWN_LOGS = {
    "handlers": {},
    "loggers": {
        name: {"handlers": [], "level": "WARNING", "propagate": True} for name in ("_granian", "granian.access")
    },
}
"""Granian's own lines go where all lines go (``observe.py``)."""
SPARE_CONNECTIONS = 1024
"""Taken beyond the limit, until the doorman has cut the worst."""
OTHER_FILES = 256
"""Open files that are no connections: the database, spooled uploads, pipes."""
BUFFER_BYTES = 32 * 1024
"""What may wait in this process for one client to read it (and the most that a request's headers may take)."""
SWITCH_SECONDS = 0.0005
"""How long the loop and granian's thread let each other wait for their turn when both have much to do: Python's own
5 ms for each request would make a crowd's requests everybody's wait."""
LAST_SECONDS = 2.0
"""For the server to end, once nobody is left to answer."""


class _OneProcess(Server):  # type: ignore[misc]  # granian ships no types for it
    """Granian in this process and on our own socket: a port that is taken is an error, and port 0 is known at once.

    (Its own sockets are shared between processes: a second server on a port would silently take half of the calls.)
    """

    def __init__(self, app: Edge, listening: socket.socket, connections: int) -> None:
        super().__init__(
            app,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS, max_buffer_size=BUFFER_BYTES),
            websockets=False,
            backlog=BACKLOG,
            backpressure=connections + SPARE_CONNECTIONS,
            log_dictconfig=OWN_LOGS,
        )
        self._listening = listening

    def _init_shared_socket(self) -> None:
        self._ssp, self._shd = None, _holder(self._listening)


def _holder(listening: socket.socket) -> SocketHolder:
    """The socket in granian's wrapping, which closes it (the type stub leaves the arguments out)."""
    return SocketHolder(listening.detach(), False, BACKLOG)  # type: ignore[call-arg]


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. ``Conflict`` says that the address cannot be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        prepare(listening)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as taken:
        listening.close()
        raise Conflict(f"The server cannot listen on {host}:{port} ({taken.strerror}); give another --port.") from taken
    listening.setblocking(False)
    return listening


async def serve(runtime: Runtime, listening: socket.socket, stopping: asyncio.Event) -> None:
    """Serve until ``stopping`` is set, and ``drain_seconds`` longer while ``/readyz`` says 503. Then take no more, and
    give requests under way ``stop_seconds`` to end."""
    app = create_app(runtime)
    connections = connections_that_fit(runtime.settings)
    doorman = Doorman(runtime.settings, listening.getsockname()[1], app.shared.traffic, connections)
    server = _OneProcess(app, listening, connections)
    if doorman_is_possible():
        app.shared.doorman = doorman
        doorman.start()
    try:
        await _serve(app, server, stopping)
    finally:
        doorman.close()


async def _serve(app: Edge, server: _OneProcess, stopping: asyncio.Event) -> None:
    serving = asyncio.create_task(server.serve())
    asked = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not serving.done():
        await app.leave(app.shared.runtime.settings.drain_seconds)
        server.stop()  # connections are refused from here on; idle ones are closed
        await app.drain(app.shared.runtime.settings.stop_seconds)
        await asyncio.wait({serving}, timeout=LAST_SECONDS)
    if not serving.done():
        log("api").warning("connections were still open; they are cut")
        serving.cancel()
    await asyncio.gather(serving, return_exceptions=serving.cancelling() > 0)


async def _serve_until_told(runtime: Runtime, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT. To be told again, at any time, changes nothing."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def ask_to_stop() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(stopping.set)

    when_asked(ask_to_stop)  # not the loop's own handlers: they end with the loop, before the process
    with woken_by_signals(loop):
        await serve(runtime, listening, stopping)


@contextlib.contextmanager
def woken_by_signals(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """A signal wakes the loop, also one that comes just before the loop goes to sleep, or to another thread.

    Python calls its handlers between two instructions of the main thread. A loop that sleeps executes none, and an
    idle server may sleep for hours: without this it would not hear such a signal.
    """
    woken, wakes = socket.socketpair()
    for end in (woken, wakes):
        end.setblocking(False)
    with woken, wakes:
        loop.add_reader(woken, woken.recv, 4096)
        before = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            loop.remove_reader(woken)


@contextlib.contextmanager
def announced(data: Path, url: str) -> Iterator[None]:
    """``{data}/server.json`` says where this process listens, while it does."""
    note = data / "server.json"
    write_durably(note, json.dumps({"url": url, "pid": os.getpid()}).encode())
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            if json.loads(note.read_text())["pid"] == os.getpid():
                note.unlink()


def allow_connections(connections: int = CONNECTIONS) -> None:
    """Raise this process's limit of open files to what so many connections take, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * max(connections, SPARE_CONNECTIONS)  # a connection, and what its request opens
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def connections_that_fit(settings: Settings) -> int:
    """``max_connections``, or fewer where the system lets this process have fewer open files."""
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if room == resource.RLIM_INFINITY:
        return settings.max_connections
    return min(settings.max_connections, max(1, room - SPARE_CONNECTIONS - OTHER_FILES))


def url_of(listening: socket.socket) -> str:
    """The address that a client on this machine uses."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(settings: Settings) -> None:
    """Open the data folder, listen, serve. Errors are sentences: ``LinocutError``."""
    sys.setswitchinterval(SWITCH_SECONDS)
    allow_connections(settings.max_connections)
    check_rule(settings.safety)
    read_rules(settings.safety_rules)
    with contextlib.closing(Runtime.open(settings)) as runtime, listen(settings.host, settings.port) as listening:
        url = url_of(listening)
        with runtime.db.read() as tx:
            check_prices(tx, settings.prices)
        with announced(settings.data, url):
            log("api").info("listening", url=url)
            if not is_built():
                log("api").info(NOT_BUILT)
            tell_the_first_owner(runtime, settings.public_url.rstrip("/") or url)
            asyncio.run(_serve_until_told(runtime, listening))
            log("api").info("stopped", url=url)


def tell_the_first_owner(runtime: Runtime, origin: str) -> None:
    """While nobody owns this server: one line on stderr with a link to do so, good once and for an hour."""
    with runtime.db.read() as tx:
        if members.has_owner(tx):
            return
    with contextlib.suppress(Busy):  # the next start says it
        with runtime.db.transaction() as tx:
            link = links.make(tx, "owner", OPERATOR)
        sys.stderr.write(f"Sign in as the owner (once, within an hour): {link_to_sign_in(origin, link)}\n")
        sys.stderr.flush()


def give_large_blocks_back() -> None:
    """Tell the C library to return what is large to the system as soon as it is freed.

    Left alone, glibc learns from the first uploaded picture that blocks of its size are common, and keeps as much
    again for each thread (``benchmarks/upload_memory.md``). Other libraries have no such call.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def main() -> int:
    """The process's exit status."""
    give_large_blocks_back()
    arguments = argparse.ArgumentParser(prog="linocut.api.serve", description="The API, and no engine.")
    arguments.add_argument("--parent", type=int, default=os.getppid(), help=argparse.SUPPRESS)
    die_with_parent(arguments.parse_args().parent)
    try:
        settings = settings_with()
        set_up_logs(settings.log_level, as_json=settings.log_json)
        run(settings)
    except LinocutError as error:
        log("api").error(f"the API cannot start: {error.message}")
        return EXIT_UNFIT if isinstance(error, InvalidRequest) else 1
    return 0


def end(status: int) -> NoReturn:
    """End this process, without Python's own last steps.

    Granian's threads still run then. One that asks for Python while Python goes away aborts the process (seen in one
    of about two hundred clean stops), and all that is ours has been closed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    end(main())
