"""The adapter file: safetensors bytes in the library's own LoRA layout, with our header. Knows no torch.

Keys are ``transformer.<linear>.lora_A.weight`` ``[R, I]`` and ``...lora_B.weight`` ``[O, R]``, float32 (``unet.`` for
SDXL), so that the library's ``load_lora_weights`` takes the file as it is. The header holds the configuration that the
library reads (``lora_adapter_metadata``) and ours (``linocut``). The same tensors and facts always give the same bytes:
names are sorted and nothing of time, place or machine is written.

Shapes: R rank, I input and O output features of a linear.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from linocut.lora_files.targets import DENOISERS, denoiser

DOWN = ".lora_A.weight"
UP = ".lora_B.weight"
CREATED_BY = "linocut"
OURS = "linocut"
"""The header field that holds our metadata."""
MAX_HEADER_BYTES = 8 * 1024 * 1024
"""A header of the largest base is below 200 kB; anything far above is no adapter."""


class AdapterMetadata(msgspec.Struct, frozen=True):
    """Which base an adapter was trained on (``family@hash``) and how: delta = alpha / rank x up @ down."""

    base: str
    rank: int
    alpha: float
    created_by: str = CREATED_BY

    @property
    def family(self) -> str:
        """The family of the base."""
        return self.base.partition("@")[0]


def prefix_of(family: str) -> str:
    """What the keys of a file for ``family`` begin with."""
    return f"{denoiser(family)}."


def without_prefix(key: str) -> str:
    """A key without its network's name. Files of SDXL were once written with ``transformer.``: every name counts."""
    return next((key[len(p) :] for p in PREFIXES if key.startswith(p)), key)


PREFIXES = tuple(f"{name}." for name in ("transformer", *DENOISERS.values()))
"""Everything that a stored key may begin with."""


def header_metadata(names: Iterable[str], metadata: AdapterMetadata) -> dict[str, str]:
    """The header's ``__metadata__`` of an adapter on the linears ``names``: ours, and the one the library reads."""
    alpha = int(metadata.alpha) if float(metadata.alpha).is_integer() else metadata.alpha
    prefix = prefix_of(metadata.family)
    library = {
        f"{prefix}r": metadata.rank,
        f"{prefix}lora_alpha": alpha,
        f"{prefix}target_modules": sorted(names),
    }
    return {
        "format": "pt",
        OURS: json.dumps(msgspec.to_builtins(metadata), sort_keys=True),
        "lora_adapter_metadata": json.dumps(library, sort_keys=True),
    }


def safetensors_bytes(tensors: Mapping[str, tuple[tuple[int, ...], bytes]], metadata: Mapping[str, str]) -> bytes:
    """float32 tensors, each ``(shape, little-endian bytes)``, as one safetensors file.

    The library's own writer keeps its header in a hash map, so that two runs may differ in their bytes; this one sorts.
    """
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    offset = 0
    for name in sorted(tensors):
        shape, data = tensors[name]
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors start at a multiple of eight bytes
    return b"".join([struct.pack("<Q", len(text)), text, *(tensors[name][1] for name in sorted(tensors))])


def read_header(data: bytes) -> dict[str, Any]:
    """The JSON header of a safetensors file. ``ValueError`` when there is none."""
    if len(data) < 8:
        raise ValueError("shorter than a header")
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(MAX_HEADER_BYTES, len(data) - 8):
        raise ValueError("header longer than the file")
    header = json.loads(data[8 : 8 + length])
    if not isinstance(header, dict):
        raise ValueError("header is no object")
    return header
