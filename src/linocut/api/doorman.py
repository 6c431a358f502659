"""Nobody locks others out: connections whose clients do not read, or that are too many, are cut.

Granian takes every connection and waits for ever on a client that does not read. It cannot be told otherwise, but its
sockets are this process's: a thread looks at them a few times a second and asks the system what each one's client has
taken (Linux; where the system does not say, nothing is cut). No request pays for it.
"""

import contextlib
import fcntl
import os
import resource
import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from linocut.api.proxies import is_trusted
from linocut.observe import log
from linocut.settings import Settings

LOOK_SECONDS = 0.25
STALLED_SECONDS = 2.0
MOST_STALLED = 64
"""So many connections of one address may have taken nothing for so long of what waits for them. The rest are cut at
once: what they hold in memory is gone sooner than by ``client_read_seconds``, which is for a few."""
ASKING_SECONDS = 5.0
"""So long a client that has sent something and got no answer counts as one that is being worked for."""
SLOWEST_BYTES_A_SECOND = 1024
UNSENT_BYTES = 64 * 1024
"""What the system holds of an answer at most beyond what is on its way to the client."""

_SIOCOUTQ = 0x5411  # linux/sockios.h: bytes that the client has not acknowledged
_SO_COOKIE = 57  # asm-generic/socket.h: a number that no other socket of this machine has ever had
_BYTES_ACKED = 120  # linux/tcp.h, struct tcp_info: where tcpi_bytes_acked begins; tcpi_bytes_received follows
_LAST_SENT = 44  # the same: tcpi_last_data_sent, milliseconds; tcpi_last_ack_sent and tcpi_last_data_recv follow
_TCP_INFO_BYTES = 136
_NO_LINGERING = struct.pack("ii", 1, 0)

Peer = tuple[str, str]
"""Address and port, as ASGI scopes have them."""


@dataclass
class Connection:
    """What is known of one: from look to look."""

    fd: int
    cookie: bytes
    peer: Peer
    born: float
    unread: int = 0
    """Bytes that the client has not acknowledged."""
    acked: int = 0
    spoke_at: float = 0.0
    """When its client last sent anything."""
    asks_since: float | None = None
    """Since when its client has sent something and been sent nothing."""
    moved_at: float = 0.0
    """When it last had nothing to read, or took something."""
    window_from: float = 0.0
    window_acked: int = 0
    """What it is judged by: how much of what waits it has taken since then."""

    def has_stalled(self, now: float, seconds: float) -> bool:
        """Whether something waits for it, of which it has taken nothing for so long."""
        return self.unread > 0 and now - self.moved_at >= seconds

    def asks(self, now: float) -> bool:
        """Whether it waits for the application to take its request up: for a while, lest a request that never comes to
        its end count for ever."""
        return self.asks_since is not None and now - self.asks_since < ASKING_SECONDS

    def note(self, told: "_Told", now: float) -> None:
        """What the system says of it now."""
        unread, acked = told.unread, told.acked
        self.spoke_at = now - told.idle_milliseconds / 1000
        if not told.asks:
            self.asks_since = None
        elif self.asks_since is None or acked != self.acked:
            self.asks_since = now
        if unread == 0 or self.unread == 0:
            self.window_from, self.window_acked = now, acked
        if unread == 0 or acked != self.acked:
            self.moved_at = now
        self.unread, self.acked = unread, acked


@dataclass
class Traffic:
    """What the application tells of its connections. Written on its loop, read by the doorman."""

    asked: dict[Peer, int] = field(default_factory=dict)
    """Requests since the client was last seen to have read all answers."""
    under_way: Counter[Peer] = field(default_factory=Counter)


class Doorman:
    """One a listening socket. ``start`` it once the server serves; ``close`` it at the end."""

    def __init__(self, settings: Settings, port: int, traffic: Traffic, connections: int) -> None:
        self._settings = settings
        self._most = connections
        self._port = port
        self._traffic = traffic
        self._known: dict[int, Connection] = {}
        self._by_peer: dict[Peer, Connection] = {}
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="doorman", daemon=True)
        self._told: Counter[str] = Counter()
        self._tells_at = 0.0

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()

    def has_unread_answers(self, peer: Peer) -> bool:
        """Whether a client that sends its next request has not taken the answers before it. For the loop; quick."""
        with self._lock:
            if peer not in self._by_peer and time.monotonic() - self._looked_at > LOOK_SECONDS / 5:
                self._scan()
            connection = self._by_peer.get(peer)
        told = None if connection is None else _ask(connection.fd, self._port)
        return told is not None and told.peer == peer and told.unread > 0

    def _work(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            with self._lock:
                self._scan()
                condemned = self._condemned(time.monotonic())
            for connection, why in condemned:
                _cut(connection)
                self._told[why] += 1
            self._tell()

    def _scan(self) -> None:
        """Bring what is known up to date with what is open."""
        now = self._looked_at = time.monotonic()
        found: dict[int, Connection] = {}
        for fd in _descriptors():
            if (connection := self._seen(fd, now)) is not None:
                found[fd] = connection
        self._known = found
        self._by_peer = {connection.peer: connection for connection in found.values()}
        for peer in [peer for peer in list(self._traffic.asked) if peer not in self._by_peer]:
            self._traffic.asked.pop(peer, None)

    def _seen(self, fd: int, now: float) -> Connection | None:
        told = _ask(fd, self._port)
        if told is None:
            return None
        connection = self._known.get(fd)
        if connection is None or connection.cookie != told.cookie:
            connection = Connection(fd, told.cookie, told.peer, now, moved_at=now, window_from=now)
        connection.note(told, now)
        return connection

    def _condemned(self, now: float) -> list[tuple[Connection, str]]:
        """Those to be cut, each with the reason."""
        settings = self._settings
        gone: dict[int, tuple[Connection, str]] = {}
        by_address: dict[str, list[Connection]] = defaultdict(list)
        for connection in self._known.values():
            if self._is_too_slow(connection, now):
                gone[connection.fd] = connection, "does not read"
            elif not is_trusted(connection.peer[0], settings.trusted_proxies):
                by_address[connection.peer[0]].append(connection)
        for connections in by_address.values():
            stalled = [one for one in connections if one.has_stalled(now, STALLED_SECONDS)]
            for one in sorted(stalled, key=lambda one: one.moved_at)[: max(0, len(stalled) - MOST_STALLED)]:
                gone[one.fd] = one, "too many that do not read"
            waiting = [one for one in connections if one.fd not in gone and not self._is_busy(one, now)]
            excess = len(waiting) - settings.max_connections_per_address
            for one in self._worst_first(waiting, now)[: max(0, excess)]:
                gone[one.fd] = one, "too many of one address"
        left = [one for one in self._known.values() if one.fd not in gone]
        for one in self._worst_first(left, now)[: max(0, len(left) - self._most)]:
            gone[one.fd] = one, "too many in all"
        return list(gone.values())

    def _is_too_slow(self, connection: Connection, now: float) -> bool:
        took = now - connection.window_from
        if connection.unread == 0 or took < self._settings.client_read_seconds:
            return False
        if connection.acked - connection.window_acked < SLOWEST_BYTES_A_SECOND * took:
            return True
        connection.window_from, connection.window_acked = now, connection.acked
        return False

    def _is_busy(self, connection: Connection, now: float) -> bool:
        """Whether the application works for it, or is about to. An answer that waits to be read is no work."""
        return connection.unread == 0 and (self._traffic.under_way[connection.peer] > 0 or connection.asks(now))

    def _worst_first(self, connections: list[Connection], now: float) -> list[Connection]:
        """Clients that do not read, then those that ask for nothing, then those whose request nobody has taken up yet,
        longest first: who has come just now is not the crowd. At last those that are worked for, the newest first."""

        def badness(one: Connection) -> tuple[int, float]:
            if one.unread:
                return 0, one.moved_at
            if self._traffic.under_way[one.peer] > 0:
                return 3, -one.born
            return (2, one.born) if one.asks(now) else (1, one.spoke_at)

        return sorted(connections, key=badness)

    def _tell(self) -> None:
        """At most one line a minute."""
        now = time.monotonic()
        if self._told and now >= self._tells_at:
            log("api").warning("connections were cut", **{why.replace(" ", "_"): n for why, n in self._told.items()})
            self._told.clear()
            self._tells_at = now + 60.0


def prepare(listening: socket.socket) -> None:
    """Have the system hold little of an answer that is not read, on every connection of this socket."""
    with contextlib.suppress(OSError, AttributeError):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)


def is_possible() -> bool:
    """Whether this system tells what the doorman must know."""
    return os.path.isdir("/proc/self/fd") and hasattr(socket, "TCP_INFO")


def _descriptors() -> Iterable[int]:
    """Every descriptor of this process, and perhaps some that are none."""
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:  # not even one more is to be had: now of all times it must be looked
        return range(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


@dataclass(frozen=True)
class _Told:
    """What the system says of one connection, in bytes: what waits for the client, and what it has taken in all."""

    cookie: bytes
    peer: Peer
    unread: int
    acked: int
    idle_milliseconds: int
    asks: bool
    """Whether the client has sent something since it was last sent anything."""


def _ask(fd: int, port: int) -> _Told | None:
    """Ask about a descriptor of somebody else's. None when it is no connection to our port, or was closed meanwhile."""
    try:
        lent = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=fd)
    except OSError:  # a file, a pipe: it stays as it is
        return None
    try:
        name = lent.getsockname()
        if not isinstance(name, tuple) or len(name) < 2 or name[1] != port:
            return None
        address, number = lent.getpeername()[:2]
        cookie = lent.getsockopt(socket.SOL_SOCKET, _SO_COOKIE, 8)
        unread = int(struct.unpack("i", fcntl.ioctl(fd, _SIOCOUTQ, bytes(4)))[0])
        info = lent.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:
        return None
    finally:
        lent.detach()  # or it would close what is not ours
    acked, received = struct.unpack_from("QQ", info, _BYTES_ACKED)
    since_sent, _, since_received = struct.unpack_from("III", info, _LAST_SENT)
    asks = received > 0 and (acked <= 1 or since_received < since_sent)  # its first byte is that of the greeting
    return _Told(cookie, (str(address), str(number)), unread, acked, since_received, asks)


def _cut(connection: Connection) -> None:
    """End it, with whatever waits in it. Looked at once more on a descriptor of our own: numbers are used again."""
    with contextlib.suppress(OSError):
        own = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=os.dup(connection.fd))
        with own:
            if own.getsockopt(socket.SOL_SOCKET, _SO_COOKIE, 8) != connection.cookie:
                return
            if connection.unread:
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
            own.shutdown(socket.SHUT_RDWR)
