"""What a picture's file says of its making, and that no pixel depends on it."""

from io import BytesIO

import msgspec
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, iTXt
from tests.house.test_round_trips import GENERATE

from linocut.engine.fake_files import flat_png
from linocut.engine.png_text import texts_of
from linocut.orders import GenerateOrder, order_from_json, order_to_json

ORDER = msgspec.structs.replace(
    GENERATE, provenance={"prompt": "a cup", "model": "model/tea/version/1", "version": "1"}
)


def written(order: GenerateOrder, seed: int = 7) -> PngImageFile:
    found = Image.open(BytesIO(flat_png("x", 8, 8, texts_of(order, seed))))
    assert isinstance(found, PngImageFile)
    found.load()
    return found


def test_every_part_of_the_making_is_a_chunk() -> None:
    assert written(ORDER).text == {
        "linocut:prompt": "a cup",
        "linocut:model": "model/tea/version/1",
        "linocut:version": "1",
        "linocut:caption": ORDER.caption,
        "linocut:seed": "7",
        "linocut:base": ORDER.base,
    }


def test_the_same_order_gives_the_same_bytes_and_other_texts_the_same_pixels() -> None:
    assert flat_png("x", 8, 8, texts_of(ORDER, 7)) == flat_png("x", 8, 8, texts_of(ORDER, 7))
    bare = msgspec.structs.replace(ORDER, provenance={})
    assert written(bare).text == {}
    assert written(bare).tobytes() == written(ORDER).tobytes()


@pytest.mark.parametrize(
    ("prompt", "read"),
    [
        ("Grüße, «thé»", "Grüße, «thé»"), ("日本語 \U0001f98a", "日本語 \U0001f98a"), ("a\nb\tc", "a\nb\tc"),
        ("a\x00b", "a b"), ("half \ud800 pair", "half ? pair"), ("x" * 10_000, "x" * 10_000), ("", ""),
    ],
)  # fmt: skip
def test_any_prompt_can_be_written(prompt: str, read: str) -> None:
    text = written(msgspec.structs.replace(ORDER, provenance={"prompt": prompt})).text["linocut:prompt"]
    assert text == read
    assert isinstance(text, iTXt) == (not all(ord(c) < 256 for c in read))


def test_an_order_of_an_older_version_is_read_without_provenance() -> None:
    written = msgspec.json.decode(order_to_json(ORDER))
    old = msgspec.json.encode({name: value for name, value in written.items() if name != "provenance"}).decode()
    assert "provenance" not in old
    read = order_from_json(old)
    assert isinstance(read, GenerateOrder)
    assert read.provenance == {}
