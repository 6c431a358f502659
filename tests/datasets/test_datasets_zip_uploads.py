"""Archives in uploads: each entry as a file of its own, an unsound archive refused whole."""

import json

import pytest
from tests.datasets import archives
from tests.datasets.shelf import Shelf, refusals
from tests.pictures.made import numbered

MIB = 1024 * 1024
STRUCTURED = json.dumps(
    {
        "high_level_description": "a cup",
        "compositional_deconstruction": {"background": "paper", "elements": []},
    },
    indent=2,
).encode()
COMPACT = '{"high_level_description":"a cup","compositional_deconstruction":{"background":"paper","elements":[]}}'


def test_a_zip_of_pictures_and_captions(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    data = archives.zip_of(
        ("a.txt", b"one"),
        ("a.png", numbered(1)),
        ("b.jpg", numbered(2, "JPEG")),
        ("b.json", STRUCTURED),
        ("folder/", b""),
        ("__MACOSX/._a.png", b"\0\5\x16\7"),
        ("folder/.DS_Store", b"x"),
        ("folder/c.webp", numbered(3, "WEBP")),
        ("readme.md", b"# hello"),
    )
    report = shelf.upload(dataset_id, ("pictures", data), ("d.png", numbered(4)))
    assert refusals(report) == [("readme.md", "INVALID_IMAGE")]
    assert (report.total_count, report.success_count) == (5, 4)
    assert shelf.captions(dataset_id) == {"a.png": "one", "b.jpg": COMPACT, "c.webp": None, "d.png": None}


def test_folders_of_a_zip_keep_their_pairs_apart(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    data = archives.zip_of(
        ("red/1.txt", b"red"),
        ("blue/1.txt", b"blue"),
        ("red/1.png", numbered(1)),
        ("blue/1.png", numbered(2)),
        ("captions/2.txt", b"from elsewhere"),
        ("images/2.png", numbered(3)),
    )
    shelf.upload(dataset_id, ("a.zip", data), ("1.png", numbered(4)), ("1.txt", b"outside"))
    captions = {"1.png": "red", "1 (2).png": "blue", "2.png": "from elsewhere", "1 (3).png": "outside"}
    assert shelf.captions(dataset_id) == captions


def test_names_of_a_zip_point_nowhere(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    names = ["../../evil.png", "/etc/passwd.png", "..\\..\\windows.png", "a/../b.png"]
    data = archives.zip_of(*[(name, numbered(n)) for n, name in enumerate(names)])
    assert refusals(shelf.upload(dataset_id, ("a.zip", data))) == []
    assert list(shelf.files(dataset_id)) == ["evil.png", "passwd.png", "windows.png", "b.png"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice_in_a_zip(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("a.zip", archives.zip_of(("a.png", numbered(1)), ("a.png", numbered(2)))))
    assert list(shelf.files(dataset_id)) == ["a.png", "a (2).png"]


def test_a_zip_inside_a_zip(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    inner = archives.zip_of(("b.png", numbered(2)))
    report = shelf.upload(dataset_id, ("a.zip", archives.zip_of(("a.png", numbered(1)), ("inner.png", inner))))
    assert refusals(report) == [("inner.png", "INVALID_ZIP")]
    assert "inside a ZIP" in report.failed[0].message
    assert list(shelf.files(dataset_id)) == ["a.png"]


def test_of_a_bad_zip_the_sound_entries_are_kept(shelf: Shelf) -> None:
    raw = archives.RawZip()
    raw.add(b"a.png", numbered(1))
    raw.add(b"b.png", numbered(2), size=3)
    raw.add(b"c.png", numbered(3), method=99)
    raw.add(b"d.png", numbered(4))
    raw.add(b"d.txt", b"tea")
    dataset_id = shelf.create()
    report = shelf.upload(dataset_id, ("a.zip", raw.bytes()))
    assert refusals(report) == [("b.png", "INVALID_ZIP"), ("c.png", "INVALID_ZIP")]
    assert shelf.captions(dataset_id) == {"a.png": None, "d.png": "tea"}


def test_an_unsound_zip_is_refused_whole_under_its_own_name(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    encrypted = archives.RawZip()
    encrypted.add(b"a.png", numbered(1))
    encrypted.add(b"b.png", numbered(2), flags=1)
    report = shelf.upload(
        dataset_id,
        ("encrypted.zip", encrypted.bytes()),
        ("overlap.zip", archives.overlapping(5, numbered(3))),
        ("many.zip", archives.many(2_001)),
        ("cut.zip", archives.zip_of(("a.png", numbered(4)))[:-3]),
    )
    names = ["encrypted.zip", "overlap.zip", "many.zip", "cut.zip"]
    assert refusals(report) == [(name, "INVALID_ZIP") for name in names]
    assert [
        word in failed.message
        for word, failed in zip(("password", "overlap", "2,000 entries", "incomplete"), report.failed, strict=True)
    ] == [True] * 4
    assert shelf.files(dataset_id) == {}


def test_a_zip_that_expands_without_end(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    raw = archives.RawZip()
    raw.add(b"a.png", numbered(1))
    for number in range(5):
        raw.add(b"zeros%d.png" % number, bytes(2 * MIB))
    shelf = shelf.within(max_zip_expanded_bytes=3 * MIB)
    report = shelf.upload(dataset_id, ("bomb.zip", raw.bytes()))
    assert refusals(report) == [("zeros0.png", "INVALID_IMAGE"), ("bomb.zip", "INVALID_ZIP")]
    assert "more than 3 MiB. What came before zeros1.png was taken" in report.failed[1].message
    assert list(shelf.files(dataset_id)) == ["a.png"]
