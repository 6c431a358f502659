"""How many values a base's parts hold, from the headers of its files. No weight is read."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from linocut.bases.reading import TensorFacts, parts_of, tensors_of

LEAST_SIDE = 16
_IN_A_BLOCK = re.compile(r"\.\d+\.")
_PACKED = {"U8": 2}
"""Values in a byte of weights that are stored packed in four bits."""


class Part(msgspec.Struct, frozen=True):
    """One network, in values: ``linear`` of them in linears inside blocks, which can be quantised, with ``rows`` rows
    of outputs in ``linears`` linears; ``rest`` in all else. ``widest``: the values of its largest linear; ``block``: of
    its largest block."""

    name: str
    linear: int
    rows: int
    linears: int
    rest: int
    widest: int
    block: int

    @property
    def values(self) -> int:
        """All."""
        return self.linear + self.rest


class BaseSizes(msgspec.Struct, frozen=True):
    """A base's parts: denoising networks, text towers, autoencoder."""

    networks: tuple[Part, ...]
    towers: tuple[Part, ...]
    autoencoders: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them."""
        return self.networks + self.towers + self.autoencoders


def can_be_quantised(name: str, shape: tuple[int, ...]) -> bool:
    """Whether a linear's weight of this name and shape is one that is quantised: inside a block, and no sliver."""
    return len(shape) == 2 and bool(_IN_A_BLOCK.search(name)) and all(side % LEAST_SIDE == 0 for side in shape)


def sizes_of_folder(folder: Path) -> BaseSizes:
    """The parts of a base as the headers of its files tell. ``InvalidRequest`` when one is missing or damaged."""
    parts = [part_of(name, tensors_of(folder, name)) for name in parts_of(folder)[0]]
    return BaseSizes(
        networks=tuple(one for one in parts if re.fullmatch(r"(\w+_)?transformer(_\d)?|unet", one.name)),
        towers=tuple(one for one in parts if one.name.startswith("text_encoder")),
        autoencoders=tuple(one for one in parts if one.name.startswith("vae")),
    )


def part_of(name: str, tensors: Iterable[TensorFacts]) -> Part:
    """A network as its tensors tell."""
    linear = rows = linears = rest = widest = 0
    blocks: dict[str, int] = {}
    for one in tensors:
        count = one.size * _PACKED[one.kind] if one.kind in _PACKED else _values(one.shape)
        if one.name.endswith(".weight") and (one.kind in _PACKED or can_be_quantised(one.name, one.shape)):
            linear, rows, linears = linear + count, rows + one.shape[0], linears + 1
            widest = max(widest, count)
        else:
            rest += count
        if inside := _IN_A_BLOCK.search(one.name):
            block = one.name[: inside.end()]
            blocks[block] = blocks.get(block, 0) + count
    return Part(name, linear, rows, linears, rest, widest, max(blocks.values(), default=0))


def _values(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
