"""Whatever bytes come: an asset or a reason with a sentence, and the server goes on."""

import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.datasets import archives
from tests.datasets.shelf import Shelf, refusals
from tests.pictures import made as pictures

from linocut.datasets.types import Reason

SEEDS = {
    "png": pictures.encode(pictures.scene(24, 20), icc_profile=pictures.profile()),
    "apng": pictures.encode(pictures.scene(), save_all=True, append_images=[pictures.scene(shade=9)]),
    "jpeg": pictures.encode(pictures.scene(24, 20), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
    "progressive": pictures.encode(pictures.scene(24, 20), "JPEG", progressive=True),
    "mpo": pictures.encode(pictures.scene(), "MPO", save_all=True, append_images=[pictures.scene(shade=9)]),
    "webp": pictures.encode(pictures.scene(24, 20), "WEBP"),
    "lossless": pictures.encode(pictures.scene(24, 20), "WEBP", lossless=True),
    "animated": pictures.webp_canvas_bomb(40, 3),
    "zip": archives.zip_of(("a.png", pictures.numbered(1)), ("a.txt", b"tea"), ("b/c.json", b"{}")),
    "stored zip": archives.zip_of(("a.png", pictures.numbered(1)), ("a.txt", b"tea"), method=zipfile.ZIP_STORED),
}
NAMES = st.sampled_from(["a.png", "a.txt", "a.json", "a.zip", "blob", ""]) | st.text(max_size=20)
ONCE = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
OFTEN = settings(ONCE, max_examples=400)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """One of the seeds with bytes changed, cut out or put in; now and then with its PNG checksums made right again."""
    data = bytearray(SEEDS[draw(st.sampled_from(sorted(SEEDS)))])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        change = draw(st.sampled_from(["set", "flip", "cut", "insert", "number"]))
        if change == "set":
            data[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
        elif change == "flip":
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "cut" and len(data) > 20:
            del data[at : at + draw(st.integers(1, 40))]
        elif change == "insert":
            data[at:at] = draw(st.binary(max_size=20))
        else:
            data[at : at + 4] = draw(
                st.sampled_from([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4), b"\0\0\x40\0"])
            )
        if not data:
            data = bytearray(b"\0")
    return _checked_again(bytes(data)) if draw(st.booleans()) else bytes(data)


def _checked_again(data: bytes) -> bytes:
    """A PNG with every chunk's checksum computed anew, so that changes get past them; anything else as it is."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    fixed, at = data[:8], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            break
        fixed += pictures.chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length])
        at += 12 + length
    return fixed + data[at:]


def _upload(shelf: Shelf, name: str, data: bytes) -> None:
    """One asset, one waiting caption, or reasons; never anything else."""
    dataset_id = shelf.create()
    report = shelf.upload(dataset_id, (name, data))
    assert {reason for _, reason in refusals(report)} <= set(Reason.__args__)  # type: ignore[attr-defined]
    assert report.success_count + report.failure_count + len(report.waiting) + len(report.successful) >= 1
    for file in shelf.files(dataset_id).values():
        image = shelf.image(file)
        image.load()
        assert (image.format, image.mode) in (("PNG", "RGB"), ("JPEG", "RGB"), ("JPEG", "L"))
        assert image.size == (file.width, file.height)
        assert not {"exif", "icc_profile", "comment", "mp"} & image.info.keys()


HEADS = st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8X", b"PK\3\4"])
BYTES = {
    "damaged files": st.tuples(NAMES, mutated()),
    "random bytes": st.tuples(NAMES, st.binary(max_size=400)),
    "random bytes behind a right beginning": st.tuples(
        st.just("a"), st.tuples(HEADS, st.binary(max_size=400)).map(b"".join)
    ),
}


@pytest.mark.parametrize(
    ("kind", "how_many"),
    [(kind, ONCE) for kind in BYTES] + [pytest.param(kind, OFTEN, marks=pytest.mark.long) for kind in BYTES],
    ids=[f"{kind}-{often}" for often in ("a few", "often") for kind in BYTES],
)  # fmt: skip
def test_whatever_bytes_come(shelf: Shelf, kind: str, how_many: settings) -> None:
    how_many(given(BYTES[kind])(lambda named: _upload(shelf, *named)))()


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_the_seeds_themselves_are_good(shelf: Shelf, name: str) -> None:
    dataset_id = shelf.create()
    report = shelf.upload(dataset_id, (name, SEEDS[name]))
    assert report.success_count == 1
