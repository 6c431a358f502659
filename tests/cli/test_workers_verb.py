"""``linocut workers``: who is there, and asking them to finish and end, without a server."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Typed
from tests.runs.workshop import BASE

from linocut import ids
from linocut.db.database import Database
from linocut.jobs import roster
from linocut.jobs.roster import Worker


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder whose database knows a worker that draws and one that is gone."""
    now = ids.now()
    db = Database.open(tmp_path / "linocut.db")
    with db.transaction() as tx:
        for name, state in (("draws", "serving"), ("was", "gone")):
            roster.tell(tx, Worker(name, BASE, state, "H100", 80 << 30, ("a",), False, now, now, now))
    db.close()
    return tmp_path


def test_workers_are_listed_with_what_they_have(typing: Typed, data: Path, tmp_path: Path) -> None:
    code, said, _ = typing("workers", "list", "--data", data)
    assert (code, "draws  serving  tiny  H100 80 GiB  0 in work  1 custom models loaded" in said) == (0, True)
    told = json.loads(typing("workers", "list", "--data", data, "--json")[1])["workers"]
    assert {one["worker_id"]: one["state"] for one in told} == {"draws": "serving", "was": "gone"}
    assert typing("workers", "list", "--data", tmp_path / "none")[0] == 4


def test_those_that_are_named_are_asked_to_drain_and_a_strange_name_is_told(typing: Typed, data: Path) -> None:
    for name in ("nobody", "was"):
        code, _, said = typing("workers", "drain", "draws", name, "--data", data)
        assert (code, f"has the name {name};" in said) == (4, True)
    assert typing("workers", "drain", "--data", data)[0] == 2, "nobody was named"
    assert typing("workers", "drain", "draws", "--all", "--data", data)[0] == 2
    listed = json.loads(typing("workers", "list", "--data", data, "--json")[1])["workers"]
    assert {one["state"] for one in listed} == {"serving", "gone"}, "none of these asked anybody"
    assert json.loads(typing("workers", "drain", "--all", "--data", data, "--json")[1]) == {"asked": ["draws"]}
    listed = json.loads(typing("workers", "list", "--data", data, "--json")[1])["workers"]
    assert {one["state"] for one in listed} == {"draining", "gone"}
