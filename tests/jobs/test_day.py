"""What affinity saves, what it costs those who wait, and how fair the device's time is shared, on a simulated clock."""

from pathlib import Path

from tests.jobs.day import Arrival, Day, Told, jain, zipf

from linocut.db.database import Database

WORKERS, MODELS, JOBS = 4, 60, 300


def day(folder: Path, affinity_seconds: float) -> Told:
    db = Database.open(folder / "day.db")
    try:
        arrivals = zipf(JOBS, MODELS, per_second=2.4, organizations=12, seed=5)
        return Day(db, WORKERS, affinity_seconds).run(arrivals)
    finally:
        db.close()


def test_affinity_saves_adapter_loads_and_starves_nobody(tmp_path: Path) -> None:
    for name in ("none", "affine"):
        (tmp_path / name).mkdir()
    none, affine = day(tmp_path / "none", 0.0), day(tmp_path / "affine", 1.0)
    saved = 1 - affine.loads / none.loads
    longest, before = max(affine.waits), max(none.waits)
    print(
        f"adapter loads {none.loads} -> {affine.loads} of {JOBS} (saved {saved:.0%}); "
        f"mean wait {sum(none.waits) / JOBS:.2f} -> {sum(affine.waits) / JOBS:.2f} s; "
        f"longest {before:.2f} -> {longest:.2f} s"
    )
    assert len(none.waits) == len(affine.waits) == JOBS, "each job was drawn"
    assert saved >= 0.2
    assert longest <= before + 1.5, "at most the second that a job is left, and a look"


def test_organisations_that_all_want_more_get_the_same_share_of_the_device(tmp_path: Path) -> None:
    """One asks ten times as often as the others; while all of them wait, each gets as much of the device."""
    crowd = [Arrival(0.001 * n, f"o{n % 8}" if n % 3 else "greedy", "") for n in range(900)]
    db = Database.open(tmp_path / "day.db")
    told = Day(db, WORKERS, 1.0).run(crowd, until=40.0)
    db.close()
    index = jain(list(told.device_seconds.values()))
    asked = [sum(one.organization == name for one in crowd) for name in told.device_seconds]
    print(f"Jain index by device seconds {index:.4f}; by what was asked for {jain(asked):.4f}")
    assert len(told.device_seconds) == 9
    assert index >= 0.95
    assert jain(asked) < 0.8, "a queue in the order of arrival would not be fair"
