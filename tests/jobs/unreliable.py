"""A database for the simulation: it may refuse at any statement, and the answer to a commit may get lost."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event

from linocut.errors import Busy


class Unreliable:
    """``read`` and ``transaction`` as ``Database`` has them. ``fault_rate`` 0: nothing goes wrong."""

    def __init__(self, connection: Connection, chance: random.Random) -> None:
        self.connection = connection
        self._chance = chance
        self._statements_left: int | None = None
        self.fault_rate = 0.0
        self.before_write: Callable[[], None] | None = None
        """Called once, before the next write transaction: what others do between somebody's look and its write."""
        self.committed = False
        """Whether the last transaction was committed, whatever its owner was told."""
        self.faults = 0
        event.listen(connection, "before_cursor_execute", self._count_down)

    def close(self) -> None:
        """Let the connection work as others do."""
        event.remove(self.connection, "before_cursor_execute", self._count_down)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot; ``Busy`` now and then."""
        with self.connection.begin() as snapshot:
            if self._chance.random() < self.fault_rate / 2:
                raise Busy
            yield self.connection
            snapshot.rollback()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction. ``Busy`` before any of its statements: nothing was written; after it: everything was."""
        if self.before_write is not None:
            meanwhile, self.before_write = self.before_write, None
            meanwhile()
        self.committed = False
        faulty = self._chance.random() < self.fault_rate
        answer_is_lost = faulty and self._chance.random() < 0.3
        if faulty and not answer_is_lost:
            self._statements_left = self._chance.randrange(4)
        try:
            with self.connection.begin():
                yield self.connection
            self.committed = True
        finally:
            self._statements_left = None
        if answer_is_lost:
            self.faults += 1
            raise Busy

    def _count_down(self, *_: object) -> None:
        if self._statements_left is None:
            return
        if self._statements_left == 0:
            self.faults += 1
            raise Busy
        self._statements_left -= 1
