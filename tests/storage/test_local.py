"""A folder as a store: what was acknowledged is there, whole; what was not is not there at all."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from linocut.errors import Unavailable
from linocut.files import sha256_hex
from linocut.storage import local
from linocut.storage.store import Store

DATA = b"a block is carved once" * 1000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "data"


@pytest.fixture
def store(root: Path) -> Store:
    return Store.open(root)


def blobs(root: Path) -> list[Path]:
    return [path for path in (root / "blobs").rglob("*") if path.is_file()]


def test_bytes_then_name_then_folder_are_flushed_before_a_put_returns(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of the system calls is the promise: a power cut between any two of them must be harmless."""
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def fsync_seen(handle: int) -> None:
        calls.append("flush folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "flush bytes")
        fsync(handle)

    def replace_seen(self: Path, target: Path) -> Path:
        calls.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync_seen)
    monkeypatch.setattr(Path, "replace", replace_seen)
    store.put(DATA)
    assert calls == ["flush bytes", "rename", "flush folder"]
    calls.clear()
    store.put(DATA)  # another writer may have renamed it an instant ago and not flushed the folder yet
    assert calls == ["flush folder"]
    calls.clear()
    Store.open(root)
    assert calls == ["flush folder", "flush folder"]


def test_a_full_disk_leaves_nothing_behind(store: Store, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="disk is full"):
        store.put(DATA)
    assert blobs(root) == list((root / "incoming").iterdir()) == []


def test_a_writer_whose_file_was_swept_while_it_slept_writes_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, swept = os.fsync, []

    def sleep_long(handle: int) -> None:
        fsync(handle)
        if not swept:
            swept.append(store.sweep(older_than_seconds=0))

    monkeypatch.setattr(os, "fsync", sleep_long)
    assert store.get(store.put(DATA)) == DATA
    assert swept == [1]


def test_leftovers_of_killed_writers_are_swept_when_old_and_only_then(store: Store, root: Path) -> None:
    old, young = root / "incoming" / "old", root / "incoming" / "young"
    for file in (old, young):
        file.write_bytes(b"half of someth")
    past = time.time() - local.LEFTOVER_SECONDS - 1
    os.utime(old, (past, past))
    Store.open(root)
    assert list((root / "incoming").iterdir()) == [young]
    assert store.sweep(older_than_seconds=0) == 1


WRITER = """
import sys
from linocut.storage.store import Store

store = Store.open(sys.argv[1])
number = 0
while True:
    number += 1
    print(store.put(bytes([number % 256]) * 300_000 + str(number).encode()), flush=True)
"""


def test_a_killed_writer_leaves_no_half_visible_blob_and_loses_nothing_acknowledged(root: Path) -> None:
    for delay in (0.0, 0.004, 0.011, 0.017):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        first = writer.stdout.readline().strip()
        time.sleep(delay)
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = [first, *(line.strip() for line in writer.stdout if line.endswith("\n"))]
        writer.wait()
        store = Store.open(root)
        for sha256 in acknowledged:
            assert store.get(sha256)
        for path in blobs(root):
            assert sha256_hex(path.read_bytes()) == path.parent.name + path.name
    store.sweep(older_than_seconds=0)
    assert list((root / "incoming").iterdir()) == []


def test_a_folder_is_named_by_its_path_or_its_url(store: Store, root: Path) -> None:
    sha256 = store.put(DATA)
    for where in (root, str(root), root.as_uri()):
        assert Store.open(where).get(sha256) == DATA


def test_putting_again_renews_the_age_and_not_the_file(store: Store, root: Path) -> None:
    sha256 = store.put(DATA)
    (file,) = blobs(root)
    inode, long_ago = file.stat().st_ino, time.time() - 10**6
    os.utime(file, (long_ago, long_ago))
    assert store.put(DATA) == sha256
    assert file.stat().st_ino == inode
    assert file.stat().st_mtime > long_ago + 10**5


def test_a_blob_that_is_collected_while_it_is_put_again_is_written_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = store.put(DATA)
    utime, collected = os.utime, []

    def collected_first(place: Path) -> None:
        if not collected:
            collected.append(True)
            store.delete(sha256)
        utime(place)

    monkeypatch.setattr(os, "utime", collected_first)
    assert store.put(DATA) == sha256
    assert collected
    assert store.get(sha256) == DATA
