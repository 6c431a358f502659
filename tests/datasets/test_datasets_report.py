"""The report of a dataset: each finding, that nothing else is found, and the crops that training uses."""

import io
import json
import random
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from sqlalchemy import update
from tests.datasets.shelf import Shelf
from tests.house.test_round_trips import TRAIN
from tests.pictures import made

from linocut.bases import MINI, load_base
from linocut.datasets import findings, looking, repository, service
from linocut.datasets import report as reports
from linocut.datasets.types import DatasetFile
from linocut.db.tables import assets
from linocut.engine.training.examples import crop_of
from linocut.errors import NotFound
from linocut.files import sha256_hex
from linocut.orders import TrainSample
from linocut.pictures.decoder import DecodeLimits, Decoder
from linocut.pictures.types import CropRule, Measures, way_of
from linocut.runtime import worded
from linocut.samples import PICTURES
from linocut.wire.reports import FindingCode

RULE = CropRule(1024, 16)
"""What the decoders of these tests measure for."""

POSTERS = sorted(PICTURES.glob("*.png"))


def poster(number: int, side: int = 1024, blur: float = 0.0) -> bytes:
    picture = Image.open(POSTERS[number]).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    return made.encode(picture.filter(ImageFilter.GaussianBlur(blur)) if blur else picture)


def report_of(shelf: Shelf, dataset_id: str, rule: CropRule = RULE, fewest: int = 2, most: int = 100) -> reports.Report:
    return looking.report(shelf.db, shelf.store, shelf.decoder, shelf.user_id, dataset_id, rule, fewest, most)


def found(report: reports.Report) -> list[tuple[str, str | None]]:
    for finding in report.findings:
        assert finding.message.endswith("."), finding
        assert (finding.measured is None) == (finding.threshold is None)
    return [(one.code, name) for one in report.findings for name in one.file_names or (one.file_name,)]


def test_a_good_dataset_has_nothing_to_remark(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    for number in range(4):
        shelf.upload(dataset_id, (f"{number}.png", poster(number)), (f"{number}.txt", b"poster %d" % number))
    report = report_of(shelf, dataset_id)
    assert found(report) == []
    assert report.is_ready
    assert [one.file.file_name for one in report.files] == ["0.png", "1.png", "2.png", "3.png"]
    assert all(one.sharpness is not None and one.sharpness > 0.5 for one in report.files)


def test_the_same_pixels_in_another_kind_of_file_are_a_duplicate(shelf: Shelf) -> None:
    """A JPEG is stored as one; saved again without loss it is still the same picture."""
    dataset_id = shelf.create()
    jpeg = made.encode(Image.open(io.BytesIO(poster(0))).convert("RGB"), "JPEG", quality=90)
    again = made.encode(Image.open(io.BytesIO(jpeg)), "PNG")
    other = made.encode(Image.open(io.BytesIO(jpeg)), "JPEG", quality=89)
    shelf.upload(dataset_id, ("a.jpg", jpeg), ("b.png", again), ("c.jpg", other))
    hashes = {file.image_sha256 for file in shelf.files(dataset_id).values()}
    assert len(hashes) == 3
    copies = [one for one in found(report_of(shelf, dataset_id)) if one[0].endswith("duplicate")]
    assert copies == [("exact_duplicate", "b.png"), ("near_duplicate", "c.jpg")]


def test_each_fault_is_found_once_and_named(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    again = io.BytesIO()
    Image.open(io.BytesIO(poster(0))).resize((900, 900)).save(again, "JPEG", quality=60)
    shelf.upload(
        dataset_id,
        ("good.png", poster(0)), ("good.txt", b"a kettle"),
        ("resaved.jpg", again.getvalue()), ("resaved.txt", b"a kettle, again"),
        ("same.png", made.encode(Image.open(io.BytesIO(poster(0))), "PNG", compress_level=9)), ("same.txt", b"one"),
        ("soft.png", poster(1, blur=8)), ("soft.txt", b"two, everywhere"),
        ("small.png", poster(2, side=256)), ("small.txt", b"two, everywhere"),
        ("wide.png", made.encode(Image.open(POSTERS[3]).convert("RGB").resize((4200, 900)))), ("wide.txt", b"three"),
        ("silent.png", poster(4)),
        ("lost.txt", b"whose am I"),
        ("silent.json", b'{"high_level_description": '),
        ("binary.txt", b"\x00\x01\x02\x03"),
        ("long.txt", b"x" * 20_000),
    )  # fmt: skip
    report = report_of(shelf, dataset_id, fewest=15)
    assert found(report) == [
        ("too_few_images", None),
        ("exact_duplicate", "same.png"),
        ("near_duplicate", "resaved.jpg"),
        ("blurred", "soft.png"),
        ("tiny", "small.png"),
        ("extreme_aspect", "wide.png"),
        ("caption_missing", "silent.png"),
        ("caption_identical", "soft.png"),
        ("caption_identical", "small.png"),
        ("caption_unreadable", "binary.txt"),
        ("caption_unreadable", "long.txt"),
        ("caption_unreadable", "silent.json"),
        ("caption_waiting", "lost.txt"),
    ]
    assert not report.is_ready
    by_code = {finding.code: finding for finding in report.findings}
    ids = {name: file.asset_id for name, file in shelf.files(dataset_id).items()}
    assert by_code["too_few_images"].message.endswith("upload 8 more.")
    assert by_code["exact_duplicate"].related == by_code["near_duplicate"].related == (ids["good.png"],)
    assert by_code["caption_identical"].related == (ids["small.png"],)
    assert by_code["tiny"].measured == 0.25
    assert "4.0 times its size" in by_code["tiny"].message
    assert by_code["extreme_aspect"].measured == pytest.approx(1 - 3 / (4200 / 900), abs=0.02)
    assert by_code["caption_missing"].asset_id == ids["silent.png"]


def test_what_holds_of_many_is_said_once(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, *((f"{n:02}.png", made.numbered(n)) for n in range(22)))
    shelf.upload(dataset_id, *((f"x{n}.txt", b"waits") for n in range(3)), *((f"y{n}.txt", b"\0") for n in range(3)))
    report = report_of(shelf, dataset_id, fewest=15)
    by_code = {one.code: one for one in report.findings if one.code != "near_duplicate"}
    assert {code: one.count for code, one in by_code.items()} == {
        "tiny": 22, "caption_missing": 22, "caption_unreadable": 3, "caption_waiting": 3,
    }  # fmt: skip
    names = ", ".join(f"{n:02}.png" for n in range(20))
    assert by_code["caption_missing"].message == (
        f"22 pictures ({names} and 2 others) have no caption; say what each shows, so that the style is learnt and not "
        "the motif."
    )
    assert len(by_code["caption_missing"].related) == 21
    assert by_code["tiny"].message.endswith("Upload them at 32.0 times their size or larger.")
    assert by_code["caption_waiting"].message.startswith(
        "3 captions (x0.txt, x1.txt and x2.txt) wait for their pictures;"
    )
    assert by_code["caption_unreadable"].message.startswith("3 caption files (y0.txt, y1.txt and y2.txt): The caption")


def test_one_picture_is_one_picture() -> None:
    for count, words in ((1, "1 picture and training"), (2, "2 pictures and training"), (0, "0 pictures and training")):
        files = [_file(f"{n}", 1024, 1024) for n in range(count)]
        report = reports.examine(findings.Facts(files, {}, [], []), RULE, 15, 100)
        assert f"The dataset has {words}" in report.findings[0].message
    report = reports.examine(findings.Facts([_file("a", 1024, 1024)], {}, ["a.txt"], []), RULE, 1, 100)
    assert report.findings[-2].message.startswith("a.txt waits for its picture;")
    report = reports.examine(findings.Facts([_file("a", 64, 64)], {}, [], []), RULE, 1, 100)
    assert [one.message for one in report.findings if one.code == "tiny"] == [
        "a is 64x64 pixels. It trains at 64x64, not scaled up, while the base draws at about 1024x1024. Upload it at "
        "16.0 times its size or larger."
    ]


def test_captions_longer_than_the_base_reads_are_counted(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    ends = b"a red cup " * 40 + b"on a table", b"a red cup " * 40 + b"in the rain", b"a short one"
    for number, text in enumerate(ends):
        shelf.upload(dataset_id, (f"{number}.png", poster(number)), (f"{number}.txt", text))
    shelf.upload(dataset_id, ("3.png", poster(3)))
    found = looking.report(
        shelf.db, shelf.store, shelf.decoder, shelf.user_id, dataset_id, RULE, 2, 100,
        lambda text: json.dumps({"high_level_description": " ".join(text.split())[:140]}),
    )  # fmt: skip
    (cut,) = [one for one in found.findings if one.code == "caption_cut"]
    assert (cut.measured, cut.count, cut.file_names) == (2, 2, ("0.png", "1.png"))
    assert cut.message.startswith("2 captions (of 0.png and 1.png) are longer than the base reads: ")


def test_a_structured_caption_whose_description_is_cut_counts_too(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    base = load_base(MINI)
    for number, text in enumerate(("a red cup " * 100, "a red cup\n on  a table")):
        parts = {"background": "white", "elements": [{"type": "obj", "desc": "a red cup"}]}
        caption = {"high_level_description": text, "compositional_deconstruction": parts}
        shelf.upload(dataset_id, (f"{number}.png", poster(number)), (f"{number}.json", json.dumps(caption).encode()))
    found = looking.report(
        shelf.db, shelf.store, shelf.decoder, shelf.user_id, dataset_id, RULE, 2, 100,
        lambda text: worded(base, text, 1, 1, make_up=False).caption,
    )  # fmt: skip
    (cut,) = [one for one in found.findings if one.code == "caption_cut"]
    assert (cut.measured, cut.file_names) == (1, ("0.png",))


def test_a_caption_with_bytes_that_were_no_text_stays_known(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    damaged = "eine schöne grüne Tür über der Straße".encode() + b"\xff"
    shelf.upload(dataset_id, ("0.png", poster(0)), ("0.txt", damaged), ("1.png", poster(1)), ("1.txt", b"good"))
    assert found(report_of(shelf, dataset_id)) == [("caption_damaged", "0.png")]


def test_a_good_caption_in_the_place_of_an_unreadable_one(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("0.png", poster(0)), ("0.txt", b"\x00\x01"), ("1.png", poster(1)), ("1.txt", b"\x00"))
    assert [name for code, name in found(report_of(shelf, dataset_id)) if code == "caption_unreadable"] == [
        "0.txt", "1.txt",
    ]  # fmt: skip
    shelf.upload(dataset_id, ("0.json", b"{}"), ("0.txt", b"a kettle"))
    with shelf.db.transaction() as tx:
        file = shelf.files(dataset_id)["1.png"]
        service.set_caption(tx, shelf.user_id, dataset_id, file.asset_id, "a cup")
    assert [pair for pair in found(report_of(shelf, dataset_id)) if pair[0].startswith("caption")] == [
        ("caption_unreadable", "0.json"),  # refused in the same request: its owner meant it
    ]
    with shelf.db.transaction() as tx:
        service.delete(tx, shelf.user_id, dataset_id)
        assert repository.unreadable_of(tx, dataset_id) == []


def test_unreadable_captions_are_remembered_within_a_limit(shelf: Shelf) -> None:
    shelf = shelf.within(max_waiting_captions=2)
    dataset_id = shelf.create()
    for name in ("b.txt", "a.txt", "a.txt", "c.txt"):
        shelf.upload(dataset_id, (name, b"\x00"))
    assert found(report_of(shelf, dataset_id, fewest=0)) == [
        ("caption_unreadable", "a.txt"), ("caption_unreadable", "b.txt"),
    ]  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.integers(16, 16_384), st.integers(16, 16_384), st.sampled_from([(128, 16), (512, 16), (1024, 16), (1024, 64)])
)
def test_the_crop_is_the_one_that_training_cuts(width: int, height: int, base: tuple[int, int]) -> None:
    native_pixels, size_multiple = base
    file = _file("a", width, height)
    report = reports.examine(findings.Facts([file], {}, [], []), CropRule(native_pixels, size_multiple), 1, 100)
    sample = TrainSample(image_sha256=file.image_sha256, width=width, height=height, caption="{}")
    order_fields = {"native_pixels": native_pixels, "size_multiple": size_multiple, "samples": (sample,)}
    order = type(TRAIN)(**{name: getattr(TRAIN, name) for name in TRAIN.__struct_fields__} | order_fields)
    assert report.files[0].crop == crop_of(order, sample)


def test_a_picture_that_must_be_scaled_up_says_by_how_much() -> None:
    report = reports.examine(findings.Facts([_file("a", 32, 200)], {}, [], []), CropRule(1024, 64), 1, 100)
    (tiny,) = [finding for finding in report.findings if finding.code == "tiny"]
    assert "scaled up 2.00 times" in tiny.message


def test_rounding_to_the_grid_is_not_tiny() -> None:
    for side in range(1024, 1400, 7):
        report = reports.examine(findings.Facts([_file("a", side, 1024)], {}, [], []), CropRule(1024, 64), 1, 100)
        assert "tiny" not in [finding.code for finding in report.findings]


def test_older_pictures_are_measured_at_the_first_question_and_only_once(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, *((f"{n}.png", poster(n, side=512)) for n in range(3)))
    fresh = report_of(shelf, dataset_id)
    with shelf.db.transaction() as tx:
        tx.execute(update(assets).values(measures=None))
    asked: list[bytes] = []
    measure = Decoder.measure
    monkeypatch.setattr(Decoder, "measure", lambda self, png: (asked.append(png), measure(self, png))[1])
    assert report_of(shelf, dataset_id) == fresh
    assert report_of(shelf, dataset_id) == fresh
    assert len(asked) == 3


def test_another_base_measures_again(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("0.png", poster(0, blur=5)))
    assert ("blurred", "0.png") in found(report_of(shelf, dataset_id))
    small = CropRule(128, 16)
    with Decoder(DecodeLimits(crops=small)) as decoder:
        other = report_of(replace(shelf, decoder=decoder), dataset_id, small)
    assert ("blurred", "0.png") not in found(other)
    assert other.files[0].is_measured


def test_what_cannot_be_measured_now_is_said_and_left_to_the_next_question(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("0.png", poster(0)), ("1.png", poster(1)))
    with shelf.db.transaction() as tx:
        tx.execute(update(assets).values(measures=None))
    shelf.store.delete(shelf.files(dataset_id)["0.png"].image_sha256)
    assert ("not_measured", "0.png") in found(report_of(shelf, dataset_id))
    assert ("not_measured", "1.png") not in found(report_of(shelf, dataset_id))
    with shelf.db.transaction() as tx:
        tx.execute(update(assets).values(measures=None))
    monkeypatch.setattr(looking, "PATIENCE_SECONDS", -1.0)
    assert ("not_measured", "1.png") in found(report_of(shelf, dataset_id))


def test_an_upload_goes_on_while_a_report_measures(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report holds neither a transaction nor the decoder while the picture under way takes for ever."""
    dataset_id = shelf.create()
    shelf.upload(dataset_id, ("0.png", poster(0)))
    with shelf.db.transaction() as tx:
        tx.execute(update(assets).values(measures=None))
    reached, go_on = threading.Event(), threading.Event()
    get = shelf.store.get
    monkeypatch.setattr(shelf.store, "get", lambda sha256: (reached.set(), go_on.wait(60), get(sha256))[2])
    answers: list[reports.Report] = []
    asking = threading.Thread(target=lambda: answers.append(report_of(shelf, dataset_id)))
    asking.start()
    try:
        assert reached.wait(60)
        assert shelf.upload(dataset_id, ("1.png", poster(1))).success_count == 1
    finally:
        go_on.set()
        asking.join(60)
    assert len(answers[0].files) == 2


def test_the_report_of_a_dataset_that_is_not_ones_own(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    stranger = Shelf.open(shelf.db, shelf.store._backend._root, shelf.decoder, "stranger")  # type: ignore[attr-defined]
    for who, which in ((stranger, dataset_id), (shelf, "none")):
        with pytest.raises(NotFound, match="no such dataset"):
            report_of(who, which)


def test_a_thousand_pictures_are_compared_with_each_other() -> None:
    """Each tenth is a copy of the one before it; the time of it stands in benchmarks/dataset_report.md."""
    dice = random.Random(1)
    files = [_file(f"{n:04}", 1024, 1024) for n in range(1000)]
    likeness: list[tuple[str, ...]] = []
    for number in range(1000):
        other = tuple(f"{dice.getrandbits(255):064x}" for _ in range(16))
        likeness.append(likeness[-1] if number % 10 == 9 else other)
    way = way_of(RULE.crop(1024, 1024))
    facts = findings.Facts(files, {f.asset_id: Measures(way, one, 0.9) for f, one in zip(files, likeness, strict=True)},
                         [], [])  # fmt: skip
    report = reports.examine(facts, RULE, 15, 1000)
    near = [finding.file_name for finding in report.findings if finding.code == "near_duplicate"]
    assert near == [f"{number:04}" for number in range(9, 1000, 10)]


def test_the_codes_are_those_on_the_wire() -> None:
    assert get_args(FindingCode) == findings.CODES


def _file(name: str, width: int, height: int) -> DatasetFile:
    return DatasetFile(
        asset_id=name, file_name=name, file_size_bytes=1, image_sha256=sha256_hex(name.encode()), width=width,
        height=height, caption=name, caption_is_json=False, created_at=datetime(2026, 11, 22, tzinfo=UTC),
    )  # fmt: skip
