"""What a store promises, on a folder and on a real S3 alike."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from linocut.errors import InvalidRequest, Lost, NotFound
from linocut.files import sha256_hex
from linocut.storage.keys import blob_key
from linocut.storage.store import Store

DATA = b"a block is carved once" * 1000


def damage(store: Store, sha256: str, data: bytes) -> None:
    """Other bytes in the place of this content."""
    store._backend.write(blob_key(sha256), data)


def test_what_is_put_can_be_got_by_its_hash_from_any_store_on_the_place(store: Store, store_url: str) -> None:
    sha256 = store.put(DATA)
    assert sha256 == sha256_hex(DATA)
    assert store.get(sha256) == Store.open(store_url).get(sha256) == DATA
    assert store.has(sha256)


def test_the_same_content_is_kept_once(store: Store) -> None:
    assert store.put(DATA) == store.put(DATA)
    assert store.put(b"") != store.put(DATA)
    assert len(list(store.listing())) == 2
    assert store.get(sha256_hex(b"")) == b""


def test_a_large_file_comes_back_whole(store: Store) -> None:
    data = bytes(range(256)) * 4096 * 12  # 12 MiB: several parts on S3
    assert store.get(store.put(data)) == data


def test_what_is_not_there_is_not_found(store: Store) -> None:
    absent = sha256_hex(b"never put")
    assert not store.has(absent)
    assert store.written_at(absent) is None
    with pytest.raises(Lost, match="is missing") as told:
        store.get(absent)
    assert absent not in told.value.message
    assert told.value.details == {"sha256": absent, "how": "missing"}
    store.delete(absent)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"])
def test_only_a_hash_names_a_blob(store: Store, name: str) -> None:
    for verb in (store.get, store.has, store.delete, store.written_at):
        with pytest.raises(NotFound):
            verb(name)


def test_a_deleted_blob_is_gone(store: Store) -> None:
    sha256 = store.put(DATA)
    store.delete(sha256)
    store.delete(sha256)
    assert not store.has(sha256)
    assert list(store.listing()) == []


def test_changed_bytes_are_noticed_and_healed_by_putting_again(store: Store, store_url: str) -> None:
    sha256 = store.put(DATA)
    for other in (DATA[:-1] + b"?", DATA[:-1], b""):
        damage(store, sha256, other)
        with pytest.raises(Lost, match="is damaged") as told:
            store.get(sha256)
        assert told.value.details == {"sha256": sha256, "how": "damaged"}
        assert sha256 not in told.value.message
        assert store_url not in told.value.message
    store.put(DATA)
    assert store.get(sha256) == DATA


def test_everything_is_listed_with_the_moment_it_was_put(store: Store) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # S3 tells whole seconds
    hashes = {store.put(b"%d" % number) for number in range(30)}
    store._backend.write("blobs/strange", b"not ours")
    store._backend.write("blobs/00/short", b"not ours")
    listed = dict(store.listing())
    assert set(listed) == hashes
    for sha256, written_at in listed.items():
        assert before <= written_at <= datetime.now(UTC) + timedelta(seconds=1)
        looked_at = store.written_at(sha256)
        assert looked_at is not None
        assert abs(written_at - looked_at) <= timedelta(seconds=1)


def test_a_listing_is_read_as_it_is_asked_for(store: Store) -> None:
    hashes = [store.put(b"%d" % number) for number in range(8)]
    listing = store.listing()
    first, _ = next(listing)
    store.delete(first)
    assert first in hashes
    assert {sha256 for sha256, _ in listing} <= set(hashes) - {first}


def test_many_threads_may_put_the_same_and_different_things_at_once(store: Store) -> None:
    contents = [bytes([i]) * 5000 for i in range(8)] * 4
    together = threading.Barrier(len(contents))

    def put(data: bytes) -> str:
        together.wait()
        return store.put(data)

    with ThreadPoolExecutor(len(contents)) as pool:  # whose list raises what a thread raised, instead of losing it
        hashes = list(pool.map(put, contents))
    assert [store.get(sha256) for sha256 in hashes] == contents
    assert len(list(store.listing())) == 8


@pytest.mark.parametrize("url", ["ftp://somewhere/x", "file://elsewhere/x", "gs://bucket"])
def test_a_store_of_an_unknown_kind_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="file:// and s3://"):
        Store.open(url)


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///prefix", "s3://a bucket/x", "s3://bucket?x=1", "s3://bucket#x", "s3://-"]
)
def test_a_bucket_without_a_name_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(InvalidRequest, match="write s3://bucket or s3://bucket/prefix"):
        Store.open(url)
