"""The leader's door for devices that other nodes lend: it listens, greets, and keeps who comes until a run begins."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from linocut.engine.ranks.greeting import Lent, Unwelcome, receive
from linocut.engine.ranks.lines import SocketLine
from linocut.engine.ranks.rank import Rank
from linocut.errors import InvalidRequest
from linocut.observe import log

GREETED_AT_ONCE = 16
COMING_SECONDS = 20.0
"""The first run after a start waits so long for those that have not come: they are started when their leader is."""


class Lending:
    """Listens at ``listen`` (HOST:PORT) from now on. ``wanted``: what a device must be. ``rank`` makes one of its line
    and its name."""

    def __init__(self, listen: str, secret: str, wanted: Lent, rank: Callable[[SocketLine, str], Rank]) -> None:
        self._secret, self._wanted, self._rank = secret, wanted, rank
        self._come: list[Rank] = []
        self._changed = threading.Condition()
        self._greeting = threading.BoundedSemaphore(GREETED_AT_ONCE)
        self._until = 0.0
        self._is_closed = False
        self.host, _, port = listen.rpartition(":")
        try:
            self._socket = socket.create_server((self.host, int(port)), reuse_port=False)
        except OSError as error:
            raise InvalidRequest(
                f"LINOCUT_TRAINING_LISTEN is {listen}, and this process cannot listen there ({error.strerror}). Give "
                "an address of this machine that the other nodes reach, and a free port."
            ) from None
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._listen, name="lending", daemon=True).start()

    def next(self) -> Rank | None:
        """A device that has come and is still there, the longest there first; None when there is none."""
        with self._changed:
            if not self._until:
                self._until = time.monotonic() + COMING_SECONDS
                log("ranks").info("the first run waits for devices that are lent", seconds=COMING_SECONDS)
            while not self._is_closed:
                while self._come:
                    rank = self._come.pop(0)
                    if rank.lives:
                        return rank
                    rank.end()
                left = self._until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None
        return None

    def close(self) -> None:
        """Listen no longer, and send away who was not needed."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            for rank in self._come:
                rank.end()
            self._come.clear()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, (address, *_) = self._socket.accept()
            except OSError:
                if self._is_closed:
                    return
                time.sleep(0.1)  # too many open files, say
                continue
            if not self._greeting.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(target=self._greet, args=(connection, address), name="greeting", daemon=True).start()

    def _greet(self, connection: socket.socket, address: str) -> None:
        try:
            lent = receive(connection, self._secret, self._wanted)
            line = SocketLine(connection)
        except (OSError, Unwelcome) as reason:
            log("ranks").warning("a device is not taken", address=address, reason=str(reason))
            connection.close()
            return
        finally:
            self._greeting.release()
        log("ranks").info("a device is lent", address=address, device=lent.name)
        rank = self._rank(line, lent.name)
        with self._changed:
            if self._is_closed:
                rank.end()
            else:
                self._come.append(rank)
                self._changed.notify_all()
