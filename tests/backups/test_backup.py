"""A backup of a server that works, restored elsewhere: everything acknowledged is there, and nothing is half there."""

import io
import json
import os
import shutil
import tarfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from tests.api.live import Live, running, signed_in
from tests.walks import steps
from tests.walks.steps import FEWEST, V3_GENERATE, fill, finish, ok, train

from linocut import backups, ids
from linocut.backups import archive
from linocut.backups.archive import read_manifest
from linocut.db import schema, tables
from linocut.db.database import Database
from linocut.db.tables import metadata
from linocut.errors import Conflict, InvalidRequest, LinocutError
from linocut.storage.store import Store

SMALL = {"min_training_images": FEWEST}


def everything(db: Database) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with db.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.execute(select(table).order_by(*table.primary_key.columns))]
            for table in metadata.sorted_tables
        }


def rests(db: Database) -> bool:
    """Whether a job has not ended."""
    with db.read() as tx:
        return tx.execute(select(tables.jobs.c.job_id).where(tables.jobs.c.status != "DONE")).first() is not None


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A data folder in which a team has worked, and what it was answered."""
    folder = tmp_path_factory.mktemp("lived")
    with running(folder, **SMALL) as server:
        account = server.account("ada", "press")
        with server.working():
            model = finish(account, train(account, fill(account)))
            uri = model["custom_model_uri"]
            drawn = ok(account.http.post(V3_GENERATE, json={"prompt": "a tea poster", "custom_model_uri": uri}))
            picture = httpx2.get(drawn["data"][0]["url"]).content
            while rests(server.runtime.db):  # the last previews come after COMPLETED
                time.sleep(0.02)
            model = steps.model(account, model["model_id"])
        backups.take(server.runtime.db, server.runtime.store, folder / "one.tar")
    return folder, account, model, picture


def test_a_restored_server_is_the_same_server(lived: Any, tmp_path: Path) -> None:
    folder, account, model, picture = lived
    data = tmp_path / "data"
    with closing(Database.open(data / "linocut.db", migrate=False)) as db:
        done = backups.restore(db, Store.open(data / "store"), folder / "one.tar")
    assert done.blobs == done.manifest.blobs > FEWEST
    with (
        closing(Database.open(folder / "data" / "linocut.db")) as old,
        closing(Database.open(data / "linocut.db")) as new,
    ):
        before, after = everything(old), everything(new)
    assert {name for name, rows in before.items() if rows} >= {"users", "models", "jobs", "images", "secrets"}
    assert after == before
    with running(tmp_path, **SMALL) as server:
        key = {"Api-Key": account.api_key}
        answer = ok(httpx2.get(f"{server.url}/models/{model['model_id']}", headers=key))["model"]
        assert answer == model
        assert httpx2.get(f"{server.url}/manage/profile", headers=signed_in(account.token)).status_code != 401
        with server.runtime.db.read() as tx:
            drawn = tx.execute(select(tables.images.c.image_sha256)).scalars().all()
        assert picture in [server.runtime.store.get(sha256) for sha256 in drawn]


@pytest.mark.long
def test_it_goes_into_the_other_kind_of_database(lived: Any, empty_database_url: str, tmp_path: Path) -> None:
    folder = lived[0]
    with closing(Database.open(folder / "data" / "linocut.db")) as old:
        before = everything(old)
    store = Store.open(tmp_path / "store")
    with closing(Database.open(empty_database_url, migrate=False)) as db:
        backups.restore(db, store, folder / "one.tar")
        assert everything(db) == before
        with db.transaction() as tx:  # its counters go on behind the rows
            last = max(row[0] for row in before["model_events"])
            row = dict(tx.execute(select(tables.model_events)).mappings().first() or {})
            row.pop("event_id")
            made = tx.execute(tables.model_events.insert().values(**row).returning(tables.model_events.c.event_id))
            assert made.scalar_one() > last
        backups.take(db, store, tmp_path / "back.tar")
    with closing(Database.open(tmp_path / "again.db", migrate=False)) as home:
        backups.restore(home, Store.open(tmp_path / "home"), tmp_path / "back.tar")
        after = everything(home)
    assert {name: rows for name, rows in after.items() if name != "model_events"} == {
        name: rows for name, rows in before.items() if name != "model_events"
    }


def test_all_that_was_acknowledged_before_it_began_is_in_it(tmp_path: Path) -> None:
    """Writers go on meanwhile; pictures are deleted and brought meanwhile. Every row has its file."""
    with running(tmp_path / "a", **SMALL) as server, closing(Database.open(tmp_path / "b.db", migrate=False)) as db:
        account, stop = server.account(), threading.Event()
        kept = fill(account)

        def work() -> None:
            while not stop.is_set():
                account.http.delete(f"/datasets/{fill(account)}")

        writer = threading.Thread(target=work)
        writer.start()
        try:
            taken = backups.take(server.runtime.db, server.runtime.store, tmp_path / "b.tar")
        finally:
            stop.set()
            writer.join()
        store = Store.open(tmp_path / "b")
        backups.restore(db, store, tmp_path / "b.tar")
        assert not taken.lost
        with db.read() as tx:
            assets = tx.execute(select(tables.assets.c.dataset_id, tables.assets.c.image_sha256)).all()
        assert [dataset for dataset, _ in assets].count(kept) == FEWEST
        assert all(store.is_whole(sha256) for _, sha256 in assets)


def test_a_file_deleted_with_its_row_meanwhile_is_not_told_as_lost(tmp_path: Path, workshop_like: Live) -> None:
    server, account = workshop_like, workshop_like.account()
    gone = fill(account)
    with server.runtime.db.read() as tx:
        first = (
            tx.execute(select(tables.assets.c.image_sha256).where(tables.assets.c.dataset_id == gone)).scalars().all()
        )
    came: list[int] = []

    class Losing:
        """A store from which the first dataset goes, rows and files, when its first file is asked for."""

        def get(self, sha256: str) -> bytes:
            if not came:
                came.append(1)
                account.http.delete(f"/datasets/{gone}")
                for one in first:
                    server.runtime.store.delete(one)
            return server.runtime.store.get(sha256)

    taken = backups.take(server.runtime.db, Losing(), tmp_path / "b.tar")  # type: ignore[arg-type]  # the part it uses
    assert came
    assert taken.lost == ()
    backups.look_through(tmp_path / "b.tar")


def test_a_file_that_is_lost_is_named(tmp_path: Path, workshop_like: Live) -> None:
    server, account = workshop_like, workshop_like.account()
    dataset = fill(account)
    of_it = select(tables.assets.c.image_sha256).where(tables.assets.c.dataset_id == dataset)
    with server.runtime.db.read() as tx:
        lost = tx.execute(of_it).scalars().first()
    assert lost is not None
    server.runtime.store.delete(lost)
    taken = backups.take(server.runtime.db, server.runtime.store, tmp_path / "b.tar")
    assert taken.lost == (lost,)
    assert read_manifest(tmp_path / "b.tar").lost == [lost]
    account.http.delete(f"/datasets/{dataset}")


@pytest.fixture(scope="module")
def workshop_like(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running(tmp_path_factory.mktemp("w"), **SMALL) as server:
        yield server


def test_a_backup_of_an_older_version_is_brought_up_to_date(lived: Any, tmp_path: Path) -> None:
    """Its rows go into tables of its own time; the migrations do the rest."""
    with closing(Database.open(tmp_path / "old.db", migrate=False)) as db, db.transaction() as tx:
        schema.migrate(tx, "0005")
        found = tx.exec_driver_sql("SELECT * FROM users").keys()
    assert set(found) < {column.name for column in tables.users.columns}
    kinds = {name: "moment" if name.endswith("_at") else "plain" for name in found}
    with archive.writing(tmp_path / "old.tar") as writer:
        count, sha256 = writer.rows("users", [b'["u","ada","2026-11-01T00:00:00+00:00"]\n'])
        facts = {"users": archive.TableFacts(kinds, count, sha256)}
        writer.manifest(archive.Manifest(archive.FORMAT, "0.1", "0005", ids.now(), facts, 0, []))
    with closing(Database.open(tmp_path / "new.db")) as db:  # also where the tables of today are there, empty
        backups.restore(db, Store.open(tmp_path / "s"), tmp_path / "old.tar")
        with db.read() as tx:
            assert schema.version(tx) == schema.HEAD
            assert tx.execute(select(tables.users.c.name)).scalars().all() == ["ada"]


def test_a_place_that_is_used_is_refused(lived: Any, tmp_path: Path) -> None:
    folder = lived[0]
    before = sorted(path.name for path in (folder / "data" / "store" / "blobs").rglob("*"))
    with (
        closing(Database.open(folder / "data" / "linocut.db", migrate=False)) as db,
        pytest.raises(Conflict, match="database is not empty: there are rows in"),
    ):
        backups.restore(db, Store.open(tmp_path / "s"), folder / "one.tar")
    assert sorted(path.name for path in (folder / "data" / "store" / "blobs").rglob("*")) == before
    store = Store.open(tmp_path / "s")
    store.put(b"something")
    with closing(Database.open(tmp_path / "new.db", migrate=False)) as db:
        with pytest.raises(Conflict, match="--again"):
            backups.restore(db, store, folder / "one.tar")
        with db.read() as tx:
            assert schema.version(tx) is None
        backups.restore(db, store, folder / "one.tar", again=True)


def harmed(folder: Path, to: Path, how: str) -> Path:
    whole, size = folder / "one.tar", (folder / "one.tar").stat().st_size
    if how == "cut":
        shutil.copy(whole, to)
        os.truncate(to, size // 2)
        return to
    with tarfile.open(whole) as tar, tarfile.open(to, "w", format=tarfile.PAX_FORMAT) as out:
        dropped = False
        for member in tar:
            data = bytearray(tar.extractfile(member).read())  # type: ignore[union-attr]  # all are files
            first_blob = member.name.startswith("blobs/") and not dropped
            if how == "a file less" and first_blob:
                dropped = True
                continue
            if how == "a byte of a file" and first_blob:
                dropped = True
                data[-1] ^= 1
            if how == "a row less" and member.name == "rows/images.jsonl":
                data = bytearray(b"".join(bytes(data).splitlines(keepends=True)[1:]))
            if how == "a column less" and member.name == "rows/users.jsonl":
                data = bytearray(b'["only"]\n')
            if how == "newer" and member.name == "manifest.json":
                data = bytearray(json.dumps(json.loads(data) | {"format": 2}).encode())
            if how == "of a schema to come" and member.name == "manifest.json":
                data = bytearray(json.dumps(json.loads(data) | {"schema": "9999"}).encode())
            if how == "a name that is a path" and first_blob:
                dropped = True
                member.name = "../../etc/passwd"
            member.size = len(data)
            out.addfile(member, io.BytesIO(bytes(data)))
    return to


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("cut", "cut off"),
        ("a file less", "does not hold what it says"),
        ("a byte of a file", "not what it was"),
        ("a row less", "does not hold what it says"),
        ("a column less", "row 1 of its table users"),
        ("a name that is a path", "which no backup of linocut does"),
        ("newer", "newer linocut"),
        ("of a schema to come", "upgrade linocut"),
    ],
)
def test_a_harmed_backup_changes_nothing_and_says_why(lived: Any, tmp_path: Path, how: str, said: str) -> None:
    file = harmed(lived[0], tmp_path / "harmed.tar", how)
    with closing(Database.open(tmp_path / "new.db", migrate=False)) as db:
        with pytest.raises(LinocutError, match=said):
            backups.restore(db, Store.open(tmp_path / "s"), file)
        with db.read() as tx:
            assert schema.version(tx) is None
    if how not in {"a column less", "of a schema to come"}:
        with pytest.raises(InvalidRequest, match=said):
            backups.look_through(file)


def test_another_kind_of_file_is_none(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04 nothing", b"\0" * 10240):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(InvalidRequest, match="cut off"):
            read_manifest(tmp_path / "x")


def test_nothing_is_left_of_a_backup_that_fails(lived: Any, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"mine")
    with closing(Database.open(lived[0] / "data" / "linocut.db")) as db:
        store = Store.open(lived[0] / "data" / "store")
        with pytest.raises(InvalidRequest, match="is there already"):
            backups.take(db, store, tmp_path / "there")

        def fail() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            backups.take(db, store, tmp_path / "new.tar", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert (tmp_path / "there").read_bytes() == b"mine"
