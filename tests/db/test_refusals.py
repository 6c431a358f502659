"""Which errors of a database are told as Busy (they pass by themselves), and which are faults of ours."""

import sqlite3

import pytest
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from linocut.db.refusals import AWAY, BUSY, is_damaged, sentence_for


class Told(Exception):
    """An error of a driver, with the SQLSTATE that a PostgreSQL server gave it."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


class OperationalErrorOfTheDriver(Told):
    pass


OperationalErrorOfTheDriver.__name__ = "OperationalError"


@pytest.mark.parametrize("state", ["XX001", "XX002", "58030"])
def test_postgresql_says_that_it_is_damaged(state: str) -> None:
    error = OperationalError("SELECT", {}, Told(state))
    assert is_damaged(error)
    assert sentence_for(error) is None, "it does not pass by itself"
    assert not is_damaged(OperationalError("SELECT", {}, Told("XX000")))


@pytest.mark.parametrize(
    "name", ["CORRUPT", "CORRUPT_INDEX", "CORRUPT_VTAB", "NOTADB", "IOERR_READ", "IOERR_CORRUPTFS"]
)
def test_sqlite_says_that_it_is_damaged(name: str) -> None:
    code = getattr(sqlite3, f"SQLITE_{name}")
    assert is_damaged(refused(code))
    assert is_damaged(OperationalError("SELECT", {}, refused(code)))


@pytest.mark.parametrize("name", ["BUSY", "FULL", "IOERR_WRITE", "IOERR_SHMMAP", "READONLY", "ERROR", "CANTOPEN"])
def test_what_is_no_damage(name: str) -> None:
    assert not is_damaged(refused(getattr(sqlite3, f"SQLITE_{name}")))
    assert not is_damaged(sqlite3.ProgrammingError("closed"))
    assert not is_damaged(ValueError("malformed"))


def refused(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("refused")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("state", ["55P03", "57014", "40001", "40P01"])
def test_somebody_else_has_it(state: str) -> None:
    assert sentence_for(OperationalError("SELECT", {}, Told(state))) == BUSY


@pytest.mark.parametrize("state", ["57P01", "57P02", "57P03", "08006", "53300", "53100", "58000"])
def test_the_server_stops_starts_or_is_out_of_room(state: str) -> None:
    assert sentence_for(OperationalError("SELECT", {}, Told(state))) == AWAY


def test_the_line_is_cut_before_the_server_says_a_word() -> None:
    assert sentence_for(OperationalErrorOfTheDriver(None)) == AWAY
    assert sentence_for(InterfaceError("SELECT", {}, Told(None), connection_invalidated=True)) == AWAY


@pytest.mark.parametrize("state", ["23505", "42P01", "22001", "25006"])
def test_mistakes_of_ours_stay_faults(state: str) -> None:
    assert sentence_for(ProgrammingError("SELECT", {}, Told(state))) is None


def test_sqlite_s_locks_pass_and_its_other_errors_do_not() -> None:
    for code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_BUSY_SNAPSHOT):
        assert sentence_for(refused(code)) == BUSY
        assert sentence_for(OperationalError("SELECT", {}, refused(code))) == BUSY
    assert sentence_for(refused(sqlite3.SQLITE_CORRUPT)) is None
    assert sentence_for(refused(sqlite3.SQLITE_ERROR)) is None
    assert sentence_for(sqlite3.IntegrityError("no")) is None
    assert sentence_for(ValueError("no")) is None
