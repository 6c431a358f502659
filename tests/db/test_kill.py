"""A writer killed at any moment: what it was told is committed is there, and nothing else."""

import os
import signal

from sqlalchemy import select
from tests.db.state_fixtures import python

from linocut.db.database import Database
from linocut.db.tables import users

WRITER = """
import sys
from sqlalchemy import insert
from linocut.db.database import Database
from linocut.db.tables import users
from linocut.ids import now

db = Database.open(sys.argv[1])
for number in range(10_000):
    with db.transaction() as tx:
        for half in ("a", "b"):
            name = f"{number}{half}"
            tx.execute(insert(users).values(user_id=name, name=name, created_at=now()))
            if number == 20 and half == "a":
                print("half", flush=True)
                sys.stdin.readline()
    print(number, flush=True)
"""


def test_a_killed_writer_keeps_what_was_acknowledged_and_leaves_no_half(db: Database, database_url: str) -> None:
    writer = python(WRITER, database_url)
    assert writer.stdout is not None
    told = []
    while (line := writer.stdout.readline().strip()) != "half":
        told.append(int(line))
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait(timeout=60)
    with db.transaction() as tx:  # the dead writer's lock is gone
        names = set(tx.execute(select(users.c.name)).scalars())
    assert told == list(range(20))
    assert names == {f"{number}{half}" for number in told for half in "ab"}
