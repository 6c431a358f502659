"""A safetensors file from anybody, read without trusting it.

Eight bytes with the length of the header, the header in JSON, then the tensors one after another. Everything that the
header claims is checked against the file before a tensor is looked at. (The library's own reader is as strict about
offsets, but takes the last of two equal names, any header up to 100 MB, and values that are no numbers.)
"""

import json
import re
from collections.abc import Mapping
from math import prod
from typing import Any, NoReturn

import msgspec
import numpy as np

from linocut.json_names import NameTwice, once

MAX_HEADER_BYTES = 8 * 1024 * 1024
"""A header of the largest base is below 300 kB, with a trainer's notes a few MB; anything far above is no LoRA."""

MAX_TENSORS = 20_000
"""The largest base has 720 linears: six tensors each at most."""

WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
"""The types that LoRA factors come in, and the bytes of a value."""

OTHER_WIDTHS = {"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
                "F8_E4M3": 1, "F8_E5M2": 1}  # fmt: skip
"""Types that the format knows and no factor has."""


OTHER_FORMATS = (
    (rb"PK(\x03\x04|\x05\x06)", "a zip archive (so are PyTorch's .pt, .ckpt and .bin: pickles, which may run code)"),
    (rb"\x80[\x02-\x05]", "pickled Python, which may run code as it is opened"),
    (rb"GGUF", "a GGUF file"),
    (rb"\x89PNG|\xff\xd8\xff|RIFF|GIF8", "a picture"),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd|BZh|\xfd7zXZ", "a packed archive"),
    (rb"\x89HDF", "an HDF5 file"),
    (rb"version https://git-lfs", "a pointer of Git LFS, not the file that it points to"),
    (rb"\s*[<{\[]", "a text (a page or JSON)"),
)  # fmt: skip
"""What other files begin with, and what they are."""


class Damaged(ValueError):
    """The file is no sound safetensors file; its text says why, as the end of a sentence."""


class OtherFormat(Damaged):
    """The file is of another format; the text says of which, as the end of a sentence."""


class Tensor(msgspec.Struct, frozen=True):
    """Where a tensor lies: its type, its shape and its bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: memoryview

    def values(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Its values as float32, in its shape. ``Damaged`` for a type that no factor has, or values that are no finite
        numbers."""
        if self.dtype not in WIDTHS:
            raise Damaged(f"has the type {self.dtype}; factors are {', '.join(WIDTHS)}")
        if self.dtype == "BF16":  # the upper half of a float32
            found = (np.frombuffer(self.data, "<u2").astype("<u4") << 16).view("<f4")
        else:
            with np.errstate(over="ignore"):
                found = np.frombuffer(self.data, f"<f{WIDTHS[self.dtype]}").astype("<f4", copy=False)
        if not np.isfinite(found).all():
            raise Damaged("holds values that are no finite numbers")
        return found.reshape(self.shape)


class File(msgspec.Struct, frozen=True):
    """What a file holds: its notes (``__metadata__``) and its tensors, in the order of their names."""

    metadata: dict[str, str]
    tensors: dict[str, Tensor]


def read_file(data: bytes | memoryview) -> File:
    """The file, without copying a tensor. ``Damaged`` when the header and the file do not agree in every point,
    ``OtherFormat`` for a file that is plainly something else."""
    view = memoryview(data)
    length = int.from_bytes(view[:8], "little")
    if len(view) < 8 or length > min(MAX_HEADER_BYTES, len(view) - 8):
        if kind := _other_format(view):
            raise OtherFormat(f"it is {kind}, and only safetensors is taken")
        if len(view) < 8:
            raise Damaged("it is shorter than the length of a header")
        if length > MAX_HEADER_BYTES:
            raise Damaged(f"its header claims {length} bytes; at most {MAX_HEADER_BYTES} are read")
        raise Damaged(f"its header claims {length} bytes, more than the file has")
    try:
        header = json.loads(bytes(view[8 : 8 + length]), object_pairs_hook=once, parse_constant=_no_number)
    except Damaged:
        raise
    except NameTwice as twice:
        raise Damaged(f"its header has the name {_short(twice.name)} twice") from twice
    except (ValueError, RecursionError) as wrong:
        raise Damaged("its header is no JSON") from wrong
    if not isinstance(header, dict):
        raise Damaged("its header is no object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Damaged("the notes in its header are no texts")
    if len(header) > MAX_TENSORS:
        raise Damaged(f"it holds {len(header)} tensors; at most {MAX_TENSORS} are read")
    return File(metadata, _tensors(header, view[8 + length :]))


def _other_format(view: memoryview) -> str:
    """What a file is that is no safetensors file; "" for what nobody knows."""
    beginning = bytes(view[:512])
    if beginning[257:262] == b"ustar":
        return "a tar archive"
    return next((kind for pattern, kind in OTHER_FORMATS if re.match(pattern, beginning)), "")


def _tensors(header: Mapping[str, Any], body: memoryview) -> dict[str, Tensor]:
    """Every claim of the header checked: the tensors lie side by side, without a gap and without overlapping."""
    found = {name: _tensor(name, claim, body) for name, claim in sorted(header.items())}
    end = 0
    for start, stop, name in sorted((*header[name]["data_offsets"], name) for name in found):
        if start != end:
            raise Damaged(f"its tensor {_short(name)} overlaps another one or leaves a gap before it")
        end = stop
    if end != len(body):
        raise Damaged(f"its tensors take {end} bytes, and the file has {len(body)} for them")
    return found


def _tensor(name: str, claim: Any, body: memoryview) -> Tensor:
    if not isinstance(claim, dict) or claim.keys() != {"dtype", "shape", "data_offsets"}:
        raise Damaged(f"its header does not describe the tensor {_short(name)}")
    dtype, shape, offsets = claim["dtype"], claim["shape"], claim["data_offsets"]
    width = {**WIDTHS, **OTHER_WIDTHS}.get(dtype) if isinstance(dtype, str) else None
    if width is None:
        raise Damaged(f"its tensor {_short(name)} has a type that is not known")
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2 or len(shape) > 8:
        raise Damaged(f"its tensor {_short(name)} has an impossible shape or place")
    start, stop = offsets
    if not start <= stop <= len(body) or stop - start != prod(shape) * width:
        raise Damaged(f"its tensor {_short(name)} does not have the bytes that its shape needs")
    return Tensor(dtype, tuple(shape), body[start:stop])


def _sizes(value: Any) -> bool:
    """Whether it is a list of whole numbers from 0 up."""
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 1 << 48 for one in value)


def _no_number(word: str) -> NoReturn:
    raise Damaged(f"its header holds {word}, which is no number")


def _short(name: str) -> str:
    """A name from a stranger's file, fit for a sentence."""
    return repr(name if len(name) <= 120 else f"{name[:117]}...")
