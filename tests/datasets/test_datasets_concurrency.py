"""Several uploads at once: exactly a hundred pictures, no name twice, no caption lost."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from sqlalchemy import func, select
from tests.datasets.shelf import Shelf
from tests.pictures.made import numbered

from linocut.datasets import service
from linocut.db.tables import assets
from linocut.errors import NotFound

UPLOADER = """
import sys
from pathlib import Path
from linocut.pictures.decoder import Decoder
from linocut.db.database import Database
from tests.pictures.made import numbered
from tests.datasets.shelf import Shelf
url, store, dataset_id, first = sys.argv[1:]
with Decoder() as decoder:
    shelf = Shelf.open(Database.open(url), Path(store), decoder)
    numbers = range(int(first), int(first) + 80)
    print("ready", flush=True)
    sys.stdin.readline()
    report = shelf.upload(dataset_id, *[("blob.png", numbered(number)) for number in numbers])
    reasons = {failed.reason for failed in report.failed}
    print(report.success_count, report.failure_count, *reasons, flush=True)
"""


@pytest.mark.long
def test_two_processes_upload_eighty_each_and_a_hundred_stay(shelf: Shelf, database_url: str, tmp_path: Path) -> None:
    dataset_id = shelf.create()
    command = [sys.executable, "-c", UPLOADER, database_url, str(tmp_path / "store"), dataset_id]
    processes = [Popen([*command, first], stdin=PIPE, stdout=PIPE, text=True) for first in ("0", "80")]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0].split() for process in processes]
    assert sum(int(answer[0]) for answer in answers) == 100
    assert sum(int(answer[1]) for answer in answers) == 60
    assert {reason for answer in answers for reason in answer[2:]} == {"TOO_MANY_IMAGES"}
    detail = shelf.get(dataset_id)
    assert (len(detail.files), detail.dataset.image_count) == (100, 100)
    assert {file.file_name for file in detail.files} == {"blob.png", *(f"blob ({n}).png" for n in range(2, 101))}
    assert all(shelf.store.has(file.image_sha256) for file in detail.files)


def test_the_same_picture_from_many_threads_is_one_asset(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    with ThreadPoolExecutor(8) as threads:
        reports = list(threads.map(lambda n: shelf.upload(dataset_id, (f"{n}.png", numbered(1))), range(8)))
    assert {asset.asset_id for report in reports for asset in report.successful} == {
        file.asset_id for file in shelf.get(dataset_id).files
    }
    assert sum(report.success_count for report in reports) == 8
    assert shelf.get(dataset_id).dataset.image_count == 1


def test_captions_and_pictures_in_any_interleaving(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    parts = [(f"{n}.png", numbered(n)) for n in range(12)] + [(f"{n}.txt", b"caption %d" % n) for n in range(12)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda part: shelf.upload(dataset_id, part), parts))
    assert shelf.captions(dataset_id) == {f"{n}.png": f"caption {n}" for n in range(12)}
    assert shelf.get(dataset_id).waiting_captions == ()


def test_a_dataset_deleted_amid_an_upload(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is left of the upload writes nothing into it."""
    dataset_id = shelf.create()
    decode, decoded = shelf.decoder.decode, []

    def decode_then_delete(data: bytes) -> object:
        decoded.append(decode(data))
        if len(decoded) == 2:
            with shelf.db.transaction() as tx:
                service.delete(tx, shelf.user_id, dataset_id)
        return decoded[-1]

    monkeypatch.setattr(shelf.decoder, "decode", decode_then_delete)
    with pytest.raises(NotFound):
        shelf.upload(dataset_id, *[(f"{n}.png", numbered(n)) for n in range(4)])
    assert 2 <= len(decoded) <= 3  # one was under way beside it
    with shelf.db.read() as tx:
        assert tx.execute(select(func.count()).select_from(assets)).scalar() == 0
