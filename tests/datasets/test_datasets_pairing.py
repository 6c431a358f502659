"""Every caption meets its own picture, whichever comes first, and no other."""

import json

import pytest
from tests.datasets import archives
from tests.datasets.shelf import Shelf, refusals
from tests.pictures.made import numbered

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


@pytest.mark.parametrize("slash", ["/", "\\"])
def test_files_pair_by_folder(shelf: Shelf, slash: str) -> None:
    dataset_id = shelf.create()
    files = [("a/cup.png", numbered(1)), ("b/cup.txt", b"of b"), ("a/cup.txt", b"of a"), ("b/cup.png", numbered(2))]
    report = shelf.upload(dataset_id, *((name.replace("/", slash), data) for name, data in files))
    assert len(report.successful) == 4
    assert report.notes == ()
    assert shelf.captions(dataset_id) == {"cup.png": "of a", "cup (2).png": "of b"}


def test_a_caption_does_not_take_the_place_of_another_folder_s(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    files = [("b/cup.png", numbered(1)), ("b/cup.txt", b"of b"), ("a/cup.txt", b"none"), ("c/cup.txt", b"nor this")]
    report = shelf.upload(dataset_id, *files)
    assert shelf.captions(dataset_id) == {"cup.png": "of b"}
    assert report.waiting == ("cup.txt",)
    assert refusals(report) == [("cup.txt", "INVALID_CAPTION")]  # of two that wait, one at a time is kept
    assert "Another caption named cup waits" in report.failed[0].message


def test_a_caption_that_several_pictures_elsewhere_may_be_meant_by_is_told(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    report = shelf.upload(
        dataset_id, ("a/cup.png", numbered(1)), ("b/cup.png", numbered(2)), ("cup.txt", b"one"), ("b/tea.txt", b"tea"),
        ("a/tea.png", numbered(3)),
    )  # fmt: skip
    assert shelf.captions(dataset_id) == {"cup.png": None, "cup (2).png": "one", "tea.png": "tea"}
    assert report.notes == (
        "No picture lay beside cup.txt, and several elsewhere have its name; the newest of them got it. Send a caption "
        "in the folder of its picture.",
    )


def test_captions_and_pictures_in_folders_of_their_own(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    report = shelf.upload(
        dataset_id, ("images/1.png", numbered(1)), ("captions/1.txt", b"one"), ("images/2.png", numbered(2)),
        ("captions/2.json", STRUCTURED), ("captions/2.txt", b"two"),
    )  # fmt: skip
    assert shelf.captions(dataset_id) == {"1.png": "one", "2.png": "two"}
    assert report.notes == ("2.json and 2.txt are captions of one picture; the later one was kept.",)


@pytest.mark.parametrize("apart", ["together", "caption first", "picture first"])
@pytest.mark.parametrize(
    ("picture", "caption"),
    [("p1.png", "P1.txt"), ("P1.PNG", "p1.txt"), ("p2.png", "p2.png.txt"), ("p2.jpg", "P2.JPG.caption")],
)
def test_nearly_the_same_name_pairs_when_nothing_else_does(
    shelf: Shelf, picture: str, caption: str, apart: str
) -> None:
    dataset_id = shelf.create()
    parts = [(picture, numbered(1)), (caption, b"a cup")]
    if apart == "caption first":
        parts.reverse()
    reports = [shelf.upload(dataset_id, *some) for some in ([parts] if apart == "together" else [[p] for p in parts])]
    assert shelf.captions(dataset_id) == {picture: "a cup"}
    assert shelf.get(dataset_id).waiting_captions == ()
    if apart != "caption first":
        assert reports[-1].notes == (
            f"1 caption was given to a picture of nearly the same name, as there was none of the same: {caption}.",
        )


def test_nearly_the_same_name_gives_way_and_does_not_guess(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    report = shelf.upload(
        dataset_id,
        ("p1.png", numbered(1)), ("P1.txt", b"loose"), ("p1.txt", b"exact"),  # taken
        ("Cup.png", numbered(2)), ("cup.png", numbered(3)), ("CUP.txt", b"which"),  # two fit
        ("p2.png", numbered(4)), ("p2.jpg", numbered(5)), ("p2.jpg.txt", b"the jpg"),
    )  # fmt: skip
    assert shelf.captions(dataset_id) == {
        "p1.png": "exact", "Cup.png": None, "cup.png": None, "p2.png": None, "p2.jpg": "the jpg",
    }  # fmt: skip
    assert report.waiting == ("P1.txt", "CUP.txt")


@pytest.mark.parametrize(
    ("before", "sent", "note"),
    [
        ([("cup.txt", b"old")], ("cup.txt", b"new"), "1 caption replaced another one: cup.txt (that of cup.png)."),
        ([("cup.txt", b"same")], ("cup.txt", b"same"), ""),
        ([], ("cup.txt", b"first"), ""),
        ([("tea.txt", b"old")], ("tea.txt", b"new"), "1 caption replaced another one: tea.txt (one that waited)."),
        ([("tea.txt", b"same")], ("tea.txt", b"same"), ""),
        (
            [("cup.txt", b"first"), ("tea.txt", b"waited")],
            ("tea.png", numbered(1)),
            "tea.png: the caption that waited for it replaced the one that it had.",
        ),
    ],
)
def test_a_caption_that_replaces_another_is_told(
    shelf: Shelf, before: list[tuple[str, bytes]], sent: tuple[str, bytes], note: str
) -> None:
    dataset_id = shelf.create()
    for one in [("cup.png", numbered(1)), *before]:
        shelf.upload(dataset_id, one)
    told = [one for one in shelf.upload(dataset_id, sent).notes if "replaced" in one]
    assert told == ([note] if note else [])


def test_the_caption_of_a_copy_replaces_the_first_and_is_told(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("one.png", numbered(1)), ("one.txt", b"first"))
    report = shelf.upload(dataset_id, ("two.png", numbered(1)), ("two.txt", b"second"))
    assert shelf.captions(dataset_id) == {"one.png": "second"}
    assert report.notes == (
        "two.png: the same picture as one.png, which is here already; it was not stored twice.",
        "1 caption replaced another one: two.txt (that of one.png).",
    )


def test_a_caption_beside_two_pictures_of_its_name_is_told(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    report = shelf.upload(dataset_id, ("g.png", numbered(1)), ("g.jpg", numbered(2)), ("g.txt", b"which"))
    assert shelf.captions(dataset_id) == {"g.png": None, "g.jpg": "which"}
    assert report.notes == (
        "Several pictures beside g.txt have its name; the newest of them got it. Name a caption by its picture's whole "
        "name, as in cup.png.txt.",
    )


def test_dot_caption_is_a_caption(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    report = shelf.upload(
        dataset_id, ("1.png", numbered(1)), ("1.caption", b"one"), ("2.png", numbered(2)), ("2.CAPTION", STRUCTURED)
    )
    assert refusals(report) == []
    assert shelf.captions(dataset_id) == {"1.png": "one", "2.png": COMPACT}
    assert refusals(shelf.upload(dataset_id, ("3.caption", b""))) == [("3.caption", "INVALID_CAPTION")]


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JPEG", ".png", ""])
def test_a_jpeg_is_one_whatever_its_suffix(shelf: Shelf, suffix: str) -> None:
    dataset_id = shelf.create()
    assert refusals(shelf.upload(dataset_id, (f"16{suffix}", numbered(1, "JPEG")), ("16.txt", b"a cup"))) == []
    assert shelf.captions(dataset_id) == {f"16{suffix}": "a cup"}


def test_captions_that_wait_are_named_once(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    (note,) = shelf.upload(dataset_id, *((f"{n:02}.txt", b"x") for n in range(22))).notes
    assert note.startswith("22 captions wait for a picture of the same name: 00.txt, 01.txt, ")
    assert "19.txt and 2 others. Upload the picture" in note
    (note,) = shelf.upload(dataset_id, ("a.txt", b"x")).notes
    assert note.startswith("1 caption waits for a picture of the same name: a.txt. ")


def test_a_damaged_caption_is_told(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    damaged = "eine schöne grüne Tür über der Straße".encode() + b"\xff"
    shelf.upload(dataset_id, ("a.png", numbered(1)), ("b.png", numbered(2)))
    report = shelf.upload(dataset_id, ("a.txt", damaged), ("b.txt", damaged))
    assert report.notes == (
        "a.txt and b.txt: 1 byte of it is no UTF-8 and read as \ufffd; save it as UTF-8 and send it again.",
    )
    assert shelf.captions(dataset_id)["a.png"] == "eine schöne grüne Tür über der Straße\ufffd"


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
