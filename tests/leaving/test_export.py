"""An organisation's data as an archive: all of it, nothing of anybody else's, whole or said to be not."""

import hashlib
import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from tests.api.live import Account, Live
from tests.leaving.conftest import Team

from linocut.db import tables as t
from linocut.ids import now
from linocut.leaving.archive import FORMAT, MANIFEST, Archive, Manifest
from linocut.storage.keys import blob_key

EXPORT = "/manage/api/organization/export"


def exported(account: Account) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    """The archive of somebody's organisation, each file as its manifest says."""
    told = account.http.get(EXPORT, params={"organization_id": account.organization_id})
    assert (told.status_code, told.headers["content-type"]) == (200, "application/zip")
    assert told.headers["content-disposition"].startswith('attachment; filename="')
    archive = zipfile.ZipFile(io.BytesIO(told.content))
    assert archive.testzip() is None
    manifest = json.loads(archive.read(MANIFEST))
    for file in manifest["files"]:
        data = archive.read(file["path"])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
    named = {file["path"] for file in manifest["files"] + manifest["missing"]} | {MANIFEST}
    assert named == set(archive.namelist())
    assert len(archive.namelist()) == len(named), "no name twice"
    assert all(not name.startswith("/") and ".." not in name for name in named)
    return archive, manifest


def test_all_of_it_is_there_and_opens_elsewhere(live: Live, team: Team) -> None:
    archive, manifest = exported(team.owner)
    names = archive.namelist()
    assert (manifest["organization_id"], manifest["missing"]) == (team.owner.organization_id, [])
    assert names[0] == "README.txt"
    pictures = [name for name in names if name.startswith("datasets/") and name.endswith(".png")]
    captions = [name for name in names if name.startswith("datasets/") and name.endswith(".txt")]
    assert (len(pictures), len(captions)) == (4, 3)
    assert {name[:-4] for name in captions} < {name[:-4] for name in pictures}, "a caption beside its picture"
    weights = next(name for name in names if name.endswith("weights.safetensors"))
    assert archive.read(weights) == team.owner.http.get(f"/models/{team.model_id}/weights").content
    model = json.loads(archive.read(weights.replace("weights.safetensors", "model.json")))
    assert (model["custom_model_uri"], len(model["runs"])) == (team.uri, 1)
    drawn = [json.loads(line) for line in archive.read("images/images.jsonl").splitlines()]
    assert [one["prompt"] for one in drawn] == ["a secret teapot"] * 2
    assert {f"images/{one['image_id']}.png" for one in drawn} <= set(names)
    members = json.loads(archive.read("members.json"))
    assert [one["user_id"] for one in members] == [team.owner.user_id]
    actions = [json.loads(line)["action"] for line in archive.read("audit.jsonl").splitlines()]
    assert {"key.created", "organization.exported"} <= set(actions)


def test_nothing_secret_and_nothing_of_another_s_is_in_it(live: Live, shared: Team) -> None:
    archive, _ = exported(shared.other)
    everything = b"".join(archive.read(name) for name in archive.namelist())
    listed = json.loads(archive.read("shared-models.json"))
    assert [one["model_id"] for one in listed] == [shared.model_id], "named, and not in it"
    assert b"a secret teapot" not in everything
    assert not [name for name in archive.namelist() if name.startswith(("datasets/", "models/", "images/") )
                and not name.endswith("images.jsonl")]  # fmt: skip
    mine, _ = exported(shared.owner)
    kept = b"".join(mine.read(name) for name in mine.namelist())
    with live.runtime.db.read() as tx:
        digests = tx.scalars(select(t.api_keys.c.digest)).all()
    texts = (shared.owner.api_key, shared.owner.token, *(one.hex() for one in digests))
    for secret in (text.encode() for text in texts):
        assert secret not in kept + everything


def test_somebody_in_two_organisations_takes_their_data_along(live: Live, shared: Team) -> None:
    archive, _ = exported(shared.owner)
    assert not [name for name in archive.namelist() if name.startswith(("datasets/", "models/"))]


def test_a_file_that_the_store_has_lost_is_said_to_be(live: Live, team: Team) -> None:
    with live.runtime.db.read() as tx:
        mine = select(t.models.c.adapter_sha256).where(t.models.c.model_id == team.model_id)
        sha256 = tx.execute(mine).scalar_one()
    data = live.runtime.store.get(sha256)
    place = live.settings.data / "store" / blob_key(sha256)
    assert place.exists()
    try:
        place.unlink()
        _, manifest = exported(team.owner)
        (lost,) = manifest["missing"]
        assert (lost["path"].endswith("weights.safetensors"), lost["how"], lost["bytes"]) == (True, "missing", 0)
        place.write_bytes(data[:-1] + b"x")
        _, manifest = exported(team.owner)
        assert [one["how"] for one in manifest["missing"]] == ["damaged"]
    finally:
        place.unlink(missing_ok=True)
        live.runtime.store.put(data)


def test_an_archive_holds_little_of_itself_in_memory() -> None:
    """64 MiB in pieces of one: at most 8 of them at a time, however it is read."""
    piece = bytes(1 << 20)
    tracemalloc.start()
    sent = 0
    for data in _of(piece, 64):
        sent += len(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"sent {sent:,} bytes, held {peak:,} at most")
    assert sent > 64 << 20
    assert peak < 8 << 20


def _of(piece: bytes, count: int) -> Iterator[bytes]:
    archive = Archive(now())
    yield from archive.add("large", (piece for _ in range(count)))
    yield from archive.close(Manifest(FORMAT, "0", now(), "o", "home", archive.files, archive.missing))


def test_every_member_may_be_of_any_size() -> None:
    """ZIP64 from the first byte: sizes are behind the content, in eight bytes each (APPNOTE 4.3.9.2)."""
    data = b"".join(_of(b"tea", 1))
    assert zipfile.ZipFile(io.BytesIO(data)).read("large") == b"tea"
    assert data[4:6] == (45).to_bytes(2, "little"), "version 4.5 is needed to extract"
    descriptor = data.index(b"PK\x07\x08")
    assert int.from_bytes(data[descriptor + 8 : descriptor + 16], "little") == 3
    assert int.from_bytes(data[descriptor + 16 : descriptor + 24], "little") == 3
