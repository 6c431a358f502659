"""Every caption meets its own picture, whichever comes first, and no other."""

import json

import pytest
from tests.datasets import archives
from tests.datasets.pictures import numbered
from tests.datasets.shelf import Shelf, refusals

STRUCTURED = json.dumps(
    {
        "high_level_description": "a cup",
        "compositional_deconstruction": {"background": "paper", "elements": []},
    },
    indent=2,
).encode()
COMPACT = '{"high_level_description":"a cup","compositional_deconstruction":{"background":"paper","elements":[]}}'


@pytest.mark.parametrize("caption_first", [True, False])
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize(("suffix", "content", "kept"), [(".txt", b"a cup", "a cup"), (".json", STRUCTURED, COMPACT)])
def test_a_caption_before_or_after_its_picture_and_across_requests(
    shelf: Shelf, caption_first: bool, apart: bool, suffix: str, content: bytes, kept: str
) -> None:
    dataset_id = shelf.create()
    parts = [("sunset.jpg", numbered(1)), ("sunset" + suffix, content)]
    if caption_first:
        parts.reverse()
    for request in [[part] for part in parts] if apart else [parts]:
        assert refusals(shelf.upload(dataset_id, *request)) == []
    file = shelf.files(dataset_id)["sunset.jpg"]
    assert (file.caption, file.caption_is_json) == (kept, suffix == ".json")
    assert shelf.get(dataset_id).waiting_captions == ()


def test_a_caption_is_listed_with_its_picture_but_not_counted(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    report = shelf.upload(dataset_id, ("a.txt", b"a cup"), ("a.png", numbered(1)), ("b.txt", b"waits"))
    assert (report.total_count, report.success_count, report.failure_count) == (1, 1, 0)
    assert [(asset.file_name, asset.asset_id) for asset in report.successful] == [
        ("a.png", report.successful[0].asset_id),
        ("a.txt", report.successful[0].asset_id),
    ]
    assert report.waiting == ("b.txt",)
    assert shelf.get(dataset_id).waiting_captions == ("b.txt",)


def test_a_caption_goes_to_the_newest_picture_of_its_stem(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("a.png", numbered(1)))
    shelf.upload(dataset_id, ("a.txt", b"new"), ("a.png", numbered(2)), ("a.webp", numbered(3)))
    assert shelf.captions(dataset_id) == {"a.png": None, "a (2).png": None, "a.webp": "new"}
    shelf.upload(dataset_id, ("a (2).txt", b"by its number"), ("a.txt", b"newer"))
    assert shelf.captions(dataset_id) == {"a.png": None, "a (2).png": "by its number", "a.webp": "newer"}


def test_of_two_captions_the_later_counts(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    report = shelf.upload(dataset_id, ("a.json", STRUCTURED), ("a.txt", b"text"), ("a.png", numbered(1)))
    assert len(report.successful) == 3
    assert shelf.captions(dataset_id) == {"a.png": "text"}
    shelf.upload(dataset_id, ("a.json", STRUCTURED))
    assert shelf.captions(dataset_id) == {"a.png": COMPACT}
    shelf.upload(dataset_id, ("b.txt", b"first"))
    shelf.upload(dataset_id, ("b.json", STRUCTURED))
    shelf.upload(dataset_id, ("b.png", numbered(2)))
    assert shelf.captions(dataset_id)["b.png"] == COMPACT
    assert shelf.get(dataset_id).waiting_captions == ()


def test_a_caption_whose_picture_was_refused_waits_for_it_to_come_again(shelf: Shelf) -> None:
    """An older picture of the same name is another picture: it must not get this caption."""
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("a.png", numbered(1)), ("a.txt", b"the old one"))
    report = shelf.upload(dataset_id, ("a.png", numbered(2)[:-30]), ("a.txt", b"the new one"))
    assert refusals(report) == [("a.png", "INVALID_IMAGE")]
    assert report.waiting == ("a.txt",)
    assert shelf.captions(dataset_id) == {"a.png": "the old one"}
    in_folders = archives.zip_of(("images/a.png", numbered(2)[:-30]), ("captions/a.txt", b"the newer one"))
    assert shelf.upload(dataset_id, ("a.zip", in_folders)).waiting == ("a.txt",)
    shelf.upload(dataset_id, ("a.png", numbered(2)))
    assert shelf.captions(dataset_id) == {"a.png": "the old one", "a (2).png": "the newer one"}


def test_a_waiting_caption_reaches_a_picture_that_is_here_under_another_name(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("a.png", numbered(1)))
    shelf.upload(dataset_id, ("b.txt", b"waited"))
    shelf.upload(dataset_id, ("b.png", numbered(1)))
    assert shelf.captions(dataset_id) == {"a.png": "waited"}
    shelf.upload(dataset_id, ("c.png", numbered(1)), ("c.txt", b"beside it"))
    assert shelf.captions(dataset_id) == {"a.png": "beside it"}


def test_names_in_another_unicode_form_still_pair(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("cafe\u0301.png", numbered(1)), ("caf\u00e9.txt", b"tea"))
    assert shelf.captions(dataset_id) == {"caf\u00e9.png": "tea"}


def test_long_names_still_pair(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("x" * 300 + ".txt", b"tea"), ("x" * 300 + ".png", numbered(1)))
    assert list(shelf.captions(dataset_id).values()) == ["tea"]


def test_not_endlessly_many_captions_wait(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf = shelf.within(max_waiting_captions=2)
    report = shelf.upload(dataset_id, *[(f"{n}.txt", b"tea") for n in range(3)])
    assert refusals(report) == [("2.txt", "INVALID_CAPTION")]
    assert report.failed[0].message.startswith("2 captions wait for their pictures already")
    report = shelf.upload(dataset_id, ("1.txt", b"a better one"))
    assert (refusals(report), report.waiting) == ([], ("1.txt",))
