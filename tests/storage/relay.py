"""What stands between a server and its object store in these tests, and can be told to fail."""

import contextlib
import socket
import threading

PIECE = 1 << 16


class Relay:
    """Hands bytes on, both ways. ``gone``: nothing listens any more, what was open is cut. ``silent``: it listens and
    takes everything, and nothing ever comes back. ``port`` stays the same through all of it."""

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self.port = 0
        self.silent = False
        self.requests = 0
        self._open: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self.come_back()

    def come_back(self) -> None:
        """Listen (again)."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(64)
        self.port = listening.getsockname()[1]
        self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def go_away(self) -> None:
        """Listen no more, and cut what is open."""
        assert self._listening is not None
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open |= {near, far}
            threading.Thread(target=self._forth, args=(near, far), daemon=True).start()
            threading.Thread(target=self._back, args=(far, near), daemon=True).start()

    def _forth(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError), near, far:
            while piece := near.recv(PIECE):
                self.requests += 1
                if not self.silent:
                    far.sendall(piece)

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        with contextlib.suppress(OSError), far, near:
            while piece := far.recv(PIECE):
                if not self.silent:
                    near.sendall(piece)
