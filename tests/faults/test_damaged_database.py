"""A server whose database is damaged under it, and one that is started on a damaged database."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from tests.faults.server import PATIENCE_SECONDS, Server


def _flip(file: Path, table: str) -> None:
    """A bit of the kind of the root page of a table."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as raw:
        (page,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
    with file.open("r+b") as stream:
        stream.seek((page - 1) * 4096)
        kind = stream.read(1)
        stream.seek((page - 1) * 4096)
        stream.write(bytes([kind[0] ^ 2]))


@pytest.mark.long
def test_a_database_that_is_damaged_under_its_server(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", {"LINOCUT_ENGINE": "fake", "LINOCUT_LOG_JSON": "true"})
    file, log = server.data / "linocut.db", tmp_path / "data.log"
    server.start()
    try:
        key = server.key()["api_key"]
        server.wait_for("/readyz", "", PATIENCE_SECONDS)
        processes = server.pids()
        with closing(sqlite3.connect(file)) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _flip(file, "images")
            raw.execute("CREATE TABLE moved (x)")  # the other connections read their pages anew
            raw.commit()
        with httpx2.Client(base_url=server.url, headers={"Api-Key": key}, timeout=PATIENCE_SECONDS) as http:
            answer = http.post("/v1/ideogram-v3/generate", json={"prompt": "a cat"})  # its rows would be written there
            assert (answer.status_code, "damaged" in answer.json()["error"]) == (503, True), answer.text
            ready = http.get("/readyz")
            assert (ready.status_code, "damaged" in ready.json()["error"]) == (503, True)
            assert http.post("/datasets", json={"name": "no"}).status_code == 503, "nothing is written any more"
            assert http.get("/models").status_code == 200, "what can be read is read"
            time.sleep(1.5)
            assert server.pids() == processes, "and nobody dies of it"
    finally:
        server.stop()
    told = [line for line in log.read_text().splitlines() if "the database is damaged" in line]
    assert len(told) == 1
    assert str(file) in told[0]
    assert "docs/backups.md" in told[0]
    assert "stopped 3 times" not in log.read_text()
    assert "Traceback" not in log.read_text()

    server.start()
    assert server.process is not None
    assert server.process.wait(PATIENCE_SECONDS) == 1, "it is not served again"
    last = log.read_text().splitlines()[-1]
    assert str(file) in last
    assert "is damaged" in last
    assert "docs/backups.md" in last
