"""Uploads: what is taken, what is refused and why, and that every caption meets its own picture."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from tests.datasets import archives
from tests.datasets.shelf import Shelf, refusals
from tests.pictures import made as pictures
from tests.pictures.made import numbered

from linocut.datasets import ingest, service
from linocut.errors import NotFound
from linocut.pictures.decoder import Decoder
from linocut.pictures.types import Decoded

MIB = 1024 * 1024
STRUCTURED = json.dumps(
    {
        "high_level_description": "a cup",
        "compositional_deconstruction": {"background": "paper", "elements": []},
    },
    indent=2,
).encode()
COMPACT = '{"high_level_description":"a cup","compositional_deconstruction":{"background":"paper","elements":[]}}'


def test_pictures_by_content_whatever_their_names_say(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    scene = pictures.scene()
    report = shelf.upload(
        dataset_id,
        ("photo.jpg", pictures.encode(scene, "PNG")),
        ("blob", pictures.encode(scene, "JPEG")),
        ("notes.txt", pictures.encode(scene, "WEBP")),
    )
    assert refusals(report) == []
    assert (report.total_count, report.success_count) == (3, 3)
    files = shelf.files(dataset_id)
    assert list(files) == ["photo.jpg", "blob", "notes.txt"]
    assert [asset.asset_id for asset in report.successful] == [file.asset_id for file in files.values()]
    for name, file in files.items():
        image = shelf.image(file)
        kind = "JPEG" if name == "blob" else "PNG"
        assert (image.format, image.mode, image.size) == (kind, "RGB", (64, 48))
        assert (file.width, file.height) == (64, 48)
    assert files["blob"].file_size_bytes == len(pictures.encode(scene, "JPEG"))


def test_a_picture_is_never_stored_as_it_came(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    data = pictures.encode(pictures.scene()) + b"<script>"
    shelf.upload(dataset_id, ("a.png", data))
    stored = shelf.store.get(shelf.files(dataset_id)["a.png"].image_sha256)
    assert b"script" not in stored


def test_a_file_spooled_to_disk(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(numbered(1))
    (tmp_path / "zip").write_bytes(archives.zip_of(("b.png", numbered(2))))
    dataset_id = shelf.create()
    assert refusals(shelf.upload(dataset_id, ("a.png", tmp_path / "part"), ("b.zip", tmp_path / "zip"))) == []
    assert list(shelf.files(dataset_id)) == ["a.png", "b.png"]


def test_each_refused_file_has_its_reason_and_the_good_ones_stay(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf = shelf.within(max_file_bytes=MIB, max_zip_bytes=2 * MIB)
    report = shelf.upload(
        dataset_id,
        ("good.png", numbered(1)),
        ("gif.png", pictures.encode(pictures.scene(), "GIF")),
        ("text.png", b"hello"),
        ("cut.png", numbered(2)[:-30]),
        ("tiny.png", pictures.flat_png(1, 1)),
        ("empty.png", b""),
        ("empty.txt", b""),
        ("empty.json", b""),
        ("empty.zip", b""),
        ("large.png", numbered(3) + bytes(MIB)),
        ("large.txt", b"x" * (MIB + 1)),
        ("large.zip", archives.zip_of(("a.png", numbered(4) + bytes(2 * MIB)), method=0)),
        ("not.zip", b"hello"),
        ("end.zip", b"PK\x05\x06"),
        ("nothing.zip", archives.zip_of()),
        ("readable.txt", b"\xff\xfe\0"),
        ("other.json", b'{"caption": "a cup"}'),
        ("also good.jpg", numbered(5, "JPEG")),
    )
    assert refusals(report) == [
        ("gif.png", "INVALID_IMAGE"),
        ("text.png", "INVALID_IMAGE"),
        ("cut.png", "INVALID_IMAGE"),
        ("tiny.png", "INVALID_IMAGE"),
        ("empty.png", "INVALID_IMAGE"),
        ("empty.txt", "INVALID_CAPTION"),
        ("empty.json", "INVALID_CAPTION_JSON"),
        ("empty.zip", "INVALID_ZIP"),
        ("large.png", "FILE_TOO_LARGE"),
        ("large.txt", "FILE_TOO_LARGE"),
        ("large.zip", "FILE_TOO_LARGE"),
        ("not.zip", "INVALID_ZIP"),
        ("end.zip", "INVALID_ZIP"),
        ("nothing.zip", "INVALID_ZIP"),
        ("readable.txt", "INVALID_CAPTION"),
        ("other.json", "INVALID_CAPTION_JSON"),
    ]
    assert (report.total_count, report.success_count, report.failure_count) == (18, 2, 16)
    assert list(shelf.files(dataset_id)) == ["good.png", "also good.jpg"]
    sentences = {failed.file_name: failed.message for failed in report.failed}
    assert sentences["gif.png"] == "This is a GIF; save it as JPEG, PNG or WebP and send it again."
    assert sentences["large.txt"] == (
        "The file has 1,048,577 bytes; at most 1,048,576 (1 MiB) are taken: scale the picture down."
    )
    assert sentences["large.zip"].endswith("at most 2,097,152 (2 MiB) are taken: split it.")
    assert sentences["tiny.png"].startswith("The picture is 1x1 pixels;")
    assert "compositional_deconstruction" not in sentences["empty.json"]


def test_names(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    report = shelf.upload(
        dataset_id,
        ("../../etc/passwd.png", numbered(1)),
        ("C:\\fakepath\\sunset.png", numbered(2)),
        ("", numbered(3)),
        ("日の出.png", numbered(4)),
        ("a\0b\n.png", numbered(5)),
        ("x" * 300 + ".png", numbered(6)),
        ("../", numbered(7)),
    )
    assert refusals(report) == []
    names = list(shelf.files(dataset_id))
    assert names[:5] == ["passwd.png", "sunset.png", "unnamed", "日の出.png", "ab.png"]
    assert names[5].startswith("x" * 150)
    assert len(names[5]) <= 220
    assert names[6] == "unnamed (2)"
    assert [asset.file_name for asset in report.successful] == names


def test_the_same_content_twice_is_stored_once_and_is_a_success(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    first = shelf.upload(dataset_id, ("a.png", numbered(1)), ("b.png", numbered(1)))
    again = shelf.upload(dataset_id, ("c.png", numbered(1)))
    assert (first.success_count, again.success_count) == (2, 1)
    assert len({asset.asset_id for asset in (*first.successful, *again.successful)}) == 1
    assert [asset.file_name for asset in first.successful] == ["a.png", "b.png"]
    assert list(shelf.files(dataset_id)) == ["a.png"]
    assert shelf.get(dataset_id).dataset.image_count == 1


@pytest.mark.parametrize(
    ("requests", "told"),
    [
        ([["one.png", "two.png"]], ["two.png"]),
        ([["one.png"], ["two.png", "three.png"]], ["two.png and three.png"]),
        ([["a/one.png", "b/one.png"]], ["one.png"]),  # the same name in another folder
        ([["one.png"], ["one.png"]], []),  # sent again
    ],
)
def test_a_copy_is_told(shelf: Shelf, requests: list[list[str]], told: list[str]) -> None:
    dataset_id = shelf.create()
    reports = [shelf.upload(dataset_id, *((name, numbered(1)) for name in names)) for names in requests]
    why = "the same picture as one.png, which is here already; it was not stored twice."
    assert reports[-1].notes == tuple(f"{names}: {why}" for names in told)


def test_a_numbered_picture_that_is_sent_again_is_no_copy(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    folder = [("a/cup.png", numbered(1)), ("b/cup.png", numbered(2))]
    assert shelf.upload(dataset_id, *folder).notes == shelf.upload(dataset_id, *folder).notes == ()


def test_the_same_content_in_another_dataset_is_an_asset_of_its_own(shelf: Shelf) -> None:
    one, two = shelf.create(), shelf.create()
    first = shelf.upload(one, ("a.png", numbered(1))).successful[0]
    second = shelf.upload(two, ("a.png", numbered(1))).successful[0]
    assert first.asset_id != second.asset_id
    assert shelf.files(one)["a.png"].image_sha256 == shelf.files(two)["a.png"].image_sha256


def test_the_same_name_with_other_content_is_numbered(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    report = shelf.upload(dataset_id, *[("blob", numbered(n)) for n in range(3)], ("blob.png", numbered(3)))
    report_2 = shelf.upload(dataset_id, ("blob.png", numbered(4)))
    assert list(shelf.files(dataset_id)) == ["blob", "blob (2)", "blob (3)", "blob.png", "blob (2).png"]
    assert [asset.file_name for asset in report.successful] == ["blob", "blob (2)", "blob (3)", "blob.png"]
    assert [asset.file_name for asset in report_2.successful] == ["blob (2).png"]


def test_the_hundred_and_first_picture(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf = shelf.within(max_images=3)
    report = shelf.upload(dataset_id, *[(f"{n}.png", numbered(n)) for n in range(5)], ("4.txt", b"waits"))
    assert refusals(report) == [("3.png", "TOO_MANY_IMAGES"), ("4.png", "TOO_MANY_IMAGES")]
    assert report.failed[0].message == "A dataset holds at most 3 images, and this one is full."
    assert shelf.get(dataset_id).dataset.image_count == 3
    again = shelf.upload(dataset_id, ("0.png", numbered(0)), ("2.txt", b"still possible"))
    assert (refusals(again), again.success_count) == ([], 1)
    assert shelf.captions(dataset_id)["2.png"] == "still possible"


def test_a_full_dataset_decodes_nothing_more(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_id = shelf.create()
    shelf = shelf.within(max_images=1)
    shelf.upload(dataset_id, ("0.png", numbered(0)))
    monkeypatch.setattr(shelf.decoder, "decode", None)
    assert refusals(shelf.upload(dataset_id, ("1.png", numbered(1)), ("0.png", numbered(0)))) == [
        ("1.png", "TOO_MANY_IMAGES")
    ]


def test_a_decoder_that_cannot_work_is_no_fault_of_the_file(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    from linocut.errors import Internal

    dataset_id = shelf.create()

    def fail(data: bytes) -> None:
        raise Internal

    monkeypatch.setattr(shelf.decoder, "decode", fail)
    assert refusals(shelf.upload(dataset_id, ("a.png", numbered(1)))) == [("a.png", "INTERNAL_ERROR")]


def test_a_picture_of_many_pixels_over_a_side(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    wide = pictures.encode(Image.new("RGB", (20_000, 16)))
    report = shelf.upload(dataset_id, ("wide.png", wide), ("bomb.png", pictures.pixel_bomb(13_300)))
    assert refusals(report) == [("wide.png", "INVALID_IMAGE"), ("bomb.png", "INVALID_IMAGE")]


def test_no_dataset_nothing_happens(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    with shelf.db.transaction() as tx:
        service.delete(tx, shelf.user_id, dataset_id)
    for missing in (dataset_id, "nothing"):
        with pytest.raises(NotFound):
            shelf.upload(missing, ("a.png", numbered(1)))


def test_nothing_is_acknowledged_that_is_not_durable(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that fails leaves no row behind."""
    dataset_id = shelf.create()

    def full_disk(data: bytes) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shelf.store, "put", full_disk)
    with pytest.raises(OSError, match="No space"):
        shelf.upload(dataset_id, ("a.png", numbered(1)))
    assert shelf.files(dataset_id) == {}
    assert shelf.get(dataset_id).dataset.image_count == 0


@pytest.mark.parametrize("harm", ["missing", "damaged", "cut"])
def test_the_same_picture_again_heals_its_stored_blob(shelf: Shelf, harm: str) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("a.png", numbered(1)))
    (before,) = shelf.get(dataset_id).files
    good = shelf.store.get(before.image_sha256)
    place = next((shelf.store._backend._root / "blobs").rglob(before.image_sha256[2:]))  # type: ignore[attr-defined]
    if harm == "missing":
        place.unlink()
    else:
        place.write_bytes(good[:-9] if harm == "cut" else bytes((good[0] ^ 1, *good[1:])))
    report = shelf.upload(dataset_id, ("b.png", numbered(1)))
    assert [asset.asset_id for asset in report.successful] == [before.asset_id]
    assert shelf.get(dataset_id).files == (before,)
    assert shelf.store.get(before.image_sha256) == good


def test_a_whole_blob_is_not_decoded_again(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("a.png", numbered(1)))
    monkeypatch.setattr(Decoder, "decode", None)
    assert shelf.upload(dataset_id, ("a.png", numbered(1))).success_count == 1


def test_a_healed_picture_that_decodes_to_other_bytes_is_the_asset_s_now(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade of the decoder: the row must name what is stored."""
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("a.png", numbered(1)))
    (before,) = shelf.get(dataset_id).files
    shelf.store.delete(before.image_sha256)
    decode = Decoder.decode
    monkeypatch.setattr(Decoder, "decode", lambda self, data: replace(decode(self, data), file=numbered(9)))
    shelf.upload(dataset_id, ("a.png", numbered(1)))
    (after,) = shelf.get(dataset_id).files
    assert (after.asset_id, shelf.store.get(after.image_sha256)) == (before.asset_id, numbered(9))


class TwoAtOnce(Decoder):
    """Decodes in this thread; a picture waits until another one is under way, as long as more are to come."""

    def __init__(self, under: Decoder, pictures: int) -> None:
        super().__init__()
        self.under, self.left, self.now, self.most = under, pictures, 0, 0
        self.turn = threading.Condition()

    def decode(self, data: bytes) -> Decoded:
        with self.turn:
            self.now += 1
            self.left -= 1
            self.most = max(self.most, self.now)
            self.turn.notify_all()
            assert self.turn.wait_for(lambda: self.most > 1 or self.left < 1, timeout=20), "nobody came beside it"
        try:
            return self.under.decode(data)
        finally:
            with self.turn:
                self.now -= 1


def test_two_pictures_of_a_request_are_decoded_at_once_and_told_in_their_order(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    files = [(f"{number}.png", numbered(number)) for number in range(6)]
    captions = [(f"{number}.txt", b"caption %d" % number) for number in range(6)]
    broken = ("b.png", numbered(9)[:-30]), ("empty.txt", b""), ("odd.gif", b"GIF89a")
    parts = [one for pair in zip(files, captions, strict=True) for one in pair]
    parts = [*parts[:4], broken[0], *parts[4:8], broken[1], *parts[8:], broken[2]]
    decoder = TwoAtOnce(shelf.decoder, 7)
    report = replace(shelf, decoder=decoder).upload(dataset_id, *parts)
    assert decoder.most == 2
    assert [asset.file_name for asset in report.successful] == [name for name, _ in (*files, *captions)]
    assert [failed.file_name for failed in report.failed] == ["b.png", "empty.txt", "odd.gif"]
    assert list(shelf.files(dataset_id)) == [name for name, _ in files]
    assert shelf.captions(dataset_id) == {f"{number}.png": f"caption {number}" for number in range(6)}


def test_files_that_wait_for_their_turn_are_few(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many captions stand behind a picture: they are not all in memory until it is decoded."""
    seen: list[int] = []
    begin = ingest._Upload._begin

    def counted(self: ingest._Upload, place: str, name: str, data: bytes) -> None:
        begin(self, place, name, data)
        seen.append(len(self._turns))

    monkeypatch.setattr(ingest._Upload, "_begin", counted)
    files = [("a.png", numbered(1)), *((f"{number}.txt", b"words") for number in range(60)), ("b.png", numbered(2))]
    report = shelf.upload(shelf.create(), *files, ("many.zip", archives.zip_of(*files[:40])))
    assert report.success_count == 3
    assert max(seen) <= ingest.MOST_WAITING + 1


def test_a_file_above_the_limit_is_in_memory_alone(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "LARGE_BYTES", 10)
    decoder = TwoAtOnce(shelf.decoder, 0)
    report = replace(shelf, decoder=decoder).upload(
        shelf.create(), *((f"{number}.png", numbered(number)) for number in range(4))
    )
    assert (report.success_count, decoder.most) == (4, 1)
