"""SIGKILL of the supervisor, the API, the engine, or API and engine, at random moments of real clients' work.

Nothing acknowledged is lost, nothing half-done is visible, GETs are answered again within three seconds, and every
accepted run ends COMPLETED or ERRORED with no hand to help. On SQLite, and on PostgreSQL. Run it alone.
"""

import statistics
from pathlib import Path

import pytest
from tests.db.postgres import Postgres
from tests.faults.rounds import live_through
from tests.faults.server import READY_SECONDS, slowdown


def _live_through_in_time(
    tmp_path: Path, rounds: int, capsys: pytest.CaptureFixture[str], *, pause: float, **settings: str
) -> None:
    """Rounds on the fake engine, where the median wait for a new API is what was promised. What else this machine
    does is taken into account by how long a start takes before and after, when nothing of ours runs."""
    before = slowdown()
    waits = live_through(tmp_path, "fake", rounds, pause=pause, patience=240, **settings).without_an_api()
    loaded = max(before, slowdown())
    median = statistics.median(waits)
    with capsys.disabled():
        print(
            f"\nGETs answered again after {len(waits)} deaths of the API: median {median:.2f} s, 9 of 10 within "
            f"{waits[len(waits) * 9 // 10]:.2f} s, worst {waits[-1]:.2f} s; a start takes {loaded:.1f} times its "
            "processor time here and now"
        )
    assert median <= READY_SECONDS * loaded


def _on_postgresql(tmp_path: Path, rounds: int, capsys: pytest.CaptureFixture[str]) -> None:
    with Postgres(flush=True) as server:
        _live_through_in_time(tmp_path, rounds, capsys, pause=1.2, DATABASE_URL=server.create("kills"))


def test_five_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each victim once."""
    _live_through_in_time(tmp_path, 5, capsys, pause=1.6)


@pytest.mark.long
def test_twelve_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _live_through_in_time(tmp_path, 12, capsys, pause=1.6)


@pytest.mark.long
@pytest.mark.postgresql
def test_four_kills_on_postgresql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _on_postgresql(tmp_path, 4, capsys)


@pytest.mark.soak
def test_a_hundred_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _live_through_in_time(tmp_path, 100, capsys, pause=1.6)


@pytest.mark.soak
@pytest.mark.postgresql
def test_twenty_kills_on_postgresql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _on_postgresql(tmp_path, 20, capsys)
