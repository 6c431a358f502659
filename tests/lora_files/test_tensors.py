"""A safetensors file is believed in nothing."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from tests.lora_files.lora_support import by_hand, framed

from linocut.lora_files.tensors import MAX_HEADER_BYTES, Damaged, OtherFormat, read_file

SOUND: dict[str, Any] = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
TWO: dict[str, Any] = {**SOUND, "b": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}}


ONE = json.dumps(SOUND["a"])
TWICE = f'{{"a": {ONE}, "a": {ONE}}}'.encode()
TYPED_TWICE = b'{"a": {"dtype": "F32", "dtype": "F16", "shape": [2], "data_offsets": [0, 8]}}'
NOT_A_NUMBER = b'{"a": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 8]}}'


def changed(**claim: Any) -> bytes:
    return framed({"a": {**SOUND["a"], **claim}}, b"\0" * 8)


def placed(start: int, end: int, size: int = 12) -> bytes:
    return framed({**TWO, "b": {**TWO["b"], "data_offsets": [start, end]}}, b"\0" * size)


def test_a_sound_file_is_read() -> None:
    found = read_file(by_hand({"b": np.float32([3]), "a": np.float32([1, 2])}, {"k": "v"}))
    assert list(found.tensors) == ["a", "b"]
    assert found.tensors["a"].values().tolist() == [1, 2]
    assert found.metadata == {"k": "v"}
    assert read_file(framed({})).tensors == {}


BAD = {
    "empty": (b"", "shorter than the length"),
    "seven bytes": (b"\0" * 7, "shorter than the length"),
    "a header past the end": (struct.pack("<Q", 100) + b"{}", "more than the file has"),
    "a huge header": (struct.pack("<Q", MAX_HEADER_BYTES + 1) + b"{}", "at most 8388608 are read"),
    "a monstrous header": (b"\xff" * 8 + b"{}", "at most 8388608 are read"),
    "no JSON": (framed(b"{nonsense"), "no JSON"),
    "no text": (framed(b'{"\xff": 1}'), "no JSON"),
    "deep": (framed(b'{"a":' * 100_000), "no JSON"),
    "a list": (framed([]), "no object"),
    "the same name twice": (framed(TWICE, b"\0" * 8), "the name 'a' twice"),
    "the same claim twice": (framed(TYPED_TWICE, b"\0" * 8), "the name 'dtype' twice"),
    "no number": (framed(NOT_A_NUMBER, b"\0" * 8), "no number"),
    "notes that are no texts": (framed({"__metadata__": {"a": 1}}), "no texts"),
    "notes that are a list": (framed({"__metadata__": []}), "no texts"),
    "no claim": (framed({"a": 3}), "does not describe"),
    "half a claim": (framed({"a": {"dtype": "F32"}}), "does not describe"),
    "more than a claim": (changed(extra=1), "does not describe"),
    "an unknown type": (changed(dtype="F31"), "a type that is not known"),
    "a type that is a list": (changed(dtype=["F32"]), "a type that is not known"),
    "a negative side": (changed(shape=[-2]), "impossible"),
    "a side with a dot": (changed(shape=[2.0]), "impossible"),
    "a true side": (changed(shape=[True, 2]), "impossible"),
    "an endless side": (changed(shape=[1 << 60]), "impossible"),
    "many sides": (changed(shape=[1] * 9), "impossible"),
    "one offset": (changed(data_offsets=[0]), "impossible"),
    "too few bytes": (changed(shape=[3]), "does not have the bytes"),
    "another type's bytes": (changed(dtype="F16"), "does not have the bytes"),
    "backwards": (changed(data_offsets=[8, 0]), "does not have the bytes"),
    "past the end": (changed(data_offsets=[8, 16]), "does not have the bytes"),
    "overlapping": (placed(4, 8, 8), "overlaps another one"),
    "a gap": (placed(12, 16, 16), "leaves a gap"),
    "bytes of nobody": (framed(SOUND, b"\0" * 9), "the file has 9"),
    "a file cut short": (framed(SOUND, b"\0" * 7), "does not have the bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BAD))
def test_a_file_that_is_not_sound_is_damaged(case: str) -> None:
    data, sentence = BAD[case]
    with pytest.raises(Damaged, match=sentence):
        read_file(data)


OTHERS = {
    "PyTorch's": (b"PK\x03\x04" + bytes(60), "a zip archive .*pickles, which may run code"),
    "an empty zip": (b"PK\x05\x06" + bytes(18), "a zip archive"),
    "pickled": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "pickled Python, which may run code"),
    "pickled, short": (b"\x80\x04N.", "pickled Python"),
    "GGUF": (b"GGUF\x03\0\0\0" + bytes(60), "a GGUF file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(60), "a picture"),
    "gzip": (b"\x1f\x8b\x08\0" + b"x" * 60, "a packed archive"),
    "tar": (b"model/data.pkl".ljust(257, b"\0") + b"ustar\x0000" + bytes(300), "a tar archive"),
    "a page": (b"<!doctype html><title>404</title>", "a text"),
    "adapter_config.json": (b'{"r": 16, "lora_alpha": 32}', "a text"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a pointer of Git LFS"),
}


@pytest.mark.parametrize("case", list(OTHERS))
def test_a_file_of_another_format_is_told_apart(case: str) -> None:
    data, sentence = OTHERS[case]
    with pytest.raises(OtherFormat, match=f"it is {sentence}.*only safetensors"):
        read_file(data)


def test_a_header_whose_length_looks_like_another_format_s_is_a_header() -> None:
    """640 bytes are 0x0280: the first two bytes are those of pickled Python."""
    text = json.dumps({"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}).encode().ljust(640)
    assert list(read_file(framed(text)).tensors) == ["a"]


def test_a_great_many_tensors_are_not_read() -> None:
    claims = {f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(20_001)}
    with pytest.raises(Damaged, match="holds 20001 tensors; at most 20000"):
        read_file(framed(claims))


def test_a_name_is_shortened_in_a_sentence() -> None:
    with pytest.raises(Damaged) as told:
        read_file(framed({"n" * 100_000: 1}))
    assert len(str(told.value)) < 300
