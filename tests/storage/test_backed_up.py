"""A backup of a server whose files lie in a store of each kind, restored into a store of each kind."""

from contextlib import closing
from pathlib import Path

from sqlalchemy import select
from tests.api.live import running
from tests.walks.steps import FEWEST, fill

from linocut import backups
from linocut.db.database import Database
from linocut.db.tables import assets
from linocut.storage.store import Store


def test_out_of_a_store_and_into_one(store_url: str, tmp_path: Path) -> None:
    with running(tmp_path / "a", storage_url=store_url) as server:
        fill(server.account())
        taken = backups.take(server.runtime.db, server.runtime.store, tmp_path / "a.tar")
        assert (taken.blobs, taken.lost) == (FEWEST, ())
        with server.runtime.db.read() as tx:
            pictures = list(tx.execute(select(assets.c.image_sha256)).scalars())
    emptied = Store.open(store_url)
    for sha256, _ in list(emptied.listing()):
        emptied.delete(sha256)
    for where in (store_url, str(tmp_path / "b")):
        store = Store.open(where)
        with closing(Database.open(tmp_path / f"{len(where)}.db", migrate=False)) as db:
            backups.restore(db, store, tmp_path / "a.tar")
        assert all(store.is_whole(sha256) for sha256 in pictures)
