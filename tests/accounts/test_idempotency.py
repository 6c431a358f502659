"""One key, one effect, one answer: also for twenty at once, from two processes, and through a crash."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select, update
from tests.db.state_fixtures import python

from linocut import ids
from linocut.accounts import idempotency
from linocut.accounts.idempotency import HELD, Keyed, Turn
from linocut.db.database import Database
from linocut.db.tables import idempotency_keys, users
from linocut.errors import InvalidRequest

PROCESS = """
import json, sys, threading
from linocut.db.database import Database
from linocut.db.tables import users
from linocut import ids
from linocut.accounts.idempotency import Keyed, once
db = Database.open(sys.argv[1])
answers = []
def effect(tx):
    user_id = ids.new_id()
    tx.execute(users.insert().values(user_id=user_id, name=user_id, created_at=ids.now()))
    return user_id
def call():
    with db.transaction() as tx:
        answers.append(once(tx, Keyed("k", "/r", "same", "0"), lambda: effect(tx)))
sys.stdin.readline()
threads = [threading.Thread(target=call) for _ in range(10)]
[t.start() for t in threads]
[t.join() for t in threads]
print(json.dumps(answers))
"""
FREE, WAIT = Turn(None, free=True), Turn(None, free=False)


def keyed(key: str = "k", body: str = "a" * 64, api_key_id: str = "key1", route: str = "/train") -> Keyed:
    return Keyed(api_key_id, route, key, body)


def made(db: Database) -> int:
    """How many users there are: what the effects of these tests leave."""
    with db.read() as tx:
        return int(tx.execute(select(func.count()).select_from(users)).scalar_one())


def make(tx: Connection) -> str:
    user_id = ids.new_id()
    tx.execute(users.insert().values(user_id=user_id, name=user_id, created_at=ids.now()))
    return user_id


@pytest.fixture
def call(db: Database) -> Callable[..., str]:
    """A remembered call that makes a user."""

    def remembered(**given: str) -> str:
        with db.transaction() as tx:
            return idempotency.once(tx, keyed(**given), lambda: make(tx))

    return remembered


def age(db: Database, by: timedelta) -> None:
    with db.transaction() as tx:
        tx.execute(update(idempotency_keys).values(created_at=ids.now() - by))


def test_the_same_call_has_one_effect_and_one_answer(call: Callable[..., str], db: Database) -> None:
    assert len({call() for _ in range(3)}) == 1
    assert made(db) == 1


def test_another_key_caller_or_route_is_another_call(call: Callable[..., str]) -> None:
    assert len({call(), call(key="other"), call(api_key_id="key2"), call(route="/b")}) == 4


def test_another_body_under_the_same_key_is_refused(call: Callable[..., str]) -> None:
    first = call()
    with pytest.raises(InvalidRequest, match="another body"):
        call(body="b" * 64)
    assert call() == first


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_of_the_wrong_length_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        idempotency.check(key)
    idempotency.check("x" * 255)
    idempotency.check(None)


def test_a_day_later_it_is_forgotten(call: Callable[..., str], db: Database) -> None:
    first = call()
    age(db, timedelta(hours=23, minutes=59))
    assert call() == first
    age(db, timedelta(hours=24, seconds=1))
    assert call(body="b" * 64) != first
    assert made(db) == 2


def test_sweeping_removes_what_is_old_and_nothing_else(call: Callable[..., str], db: Database) -> None:
    call()
    age(db, timedelta(hours=24, seconds=1))
    kept = call(key="young")
    with db.transaction() as tx:
        idempotency.sweep(tx, ids.now())
    with db.read() as tx:
        assert tx.execute(select(idempotency_keys.c.key)).scalars().all() == ["young"]
    assert call(key="young") == kept


def test_a_call_that_fails_is_not_remembered_and_its_writes_are_undone(call: Callable[..., str], db: Database) -> None:
    def fail(tx: Connection) -> str:
        make(tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), db.transaction() as tx:
        idempotency.once(tx, keyed(), lambda: fail(tx))
    assert made(db) == 0
    first = call()
    with db.transaction() as tx:
        assert idempotency.once(tx, keyed(), lambda: fail(tx)) == first
    assert made(db) == 1


def test_what_came_to_nothing_is_forgotten_and_only_that(call: Callable[..., str], db: Database) -> None:
    first = call()
    for answer, left in (("something else", first), (first, None)):
        with db.transaction() as tx:
            idempotency.forget(tx, keyed(), answer)
        with db.read() as tx:
            assert idempotency.turn_of(tx, keyed(), "me", ids.now()).answer == left
    assert call() != first


def test_long_work_is_in_one_hand_until_it_is_answered_let_go_or_dead(db: Database) -> None:
    now = ids.now()

    def hold(who: str, later: timedelta = timedelta()) -> Turn:
        with db.transaction() as tx:
            return idempotency.hold(tx, keyed(), who, now + later)

    def let_go(who: str) -> None:
        with db.transaction() as tx:
            idempotency.let_go(tx, keyed(), who)

    assert [hold("a"), hold("b"), hold("a")] == [FREE, WAIT, FREE]
    let_go("b")
    assert hold("b") == WAIT, "only who holds it lets it go"
    let_go("a")
    assert hold("b") == FREE
    assert hold("a", HELD / 2) == WAIT
    assert hold("b", HELD / 2) == FREE, "renewed"
    assert hold("a", HELD + HELD / 4) == WAIT
    assert hold("a", 2 * HELD) == FREE, "nobody has renewed it: its process is dead"
    with db.transaction() as tx:
        assert idempotency.once(tx, keyed(), lambda: "done") == "done"
    assert hold("b") == Turn("done", free=False)
    with pytest.raises(InvalidRequest, match="another body"), db.transaction() as tx:
        idempotency.hold(tx, keyed(body="b" * 64), "b", now)


def test_twenty_at_once_on_two_processes_have_one_effect(db: Database, database_url: str) -> None:
    processes = [python(PROCESS, database_url) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [answer for process in processes for answer in json.loads(process.communicate(timeout=60)[0])]
    assert len(answers) == 20
    assert len(set(answers)) == 1
    assert made(db) == 1
