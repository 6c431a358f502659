"""An adapter of ours in other programs' layouts, exactly: factors are copied and laid side by side, never calculated.

- ``diffusers``: the library's, as we store it.
- ``comfyui``: ``diffusion_model.`` and the authors' names, so that every key is one that ComfyUI's loader looks for.
- ``kohya``: ``lora_unet_`` and the trainers' names with ``_`` for each dot, ``lora_down``, ``lora_up`` and ``alpha``.

Where the authors have queries, keys and values in one linear, ``down`` is the three stacked ``[3R, I]`` and ``up`` has
the three on its diagonal ``[3O, 3R]``: the same part of the weight. ``alpha`` is three times as large then, since it
is divided by the rank.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from linocut.lora_files.metadata import About, notes_of
from linocut.lora_files.names import Names, authors_names, trainers_names
from linocut.lora_files.stored import (
    DOWN,
    OURS,
    UP,
    AdapterMetadata,
    header_metadata,
    prefix_of,
    safetensors_bytes,
    without_prefix,
)
from linocut.lora_files.tensors import File, read_file

Layout = Literal["diffusers", "comfyui", "kohya"]

Array = np.ndarray[Any, np.dtype[np.float32]]


class Factors(msgspec.Struct, frozen=True):
    """The factors of an adapter by the library's names: ``down[name]`` ``[R, I]``, ``up[name]`` ``[O, R]``."""

    down: dict[str, Array]
    up: dict[str, Array]
    metadata: AdapterMetadata


def factors_of(data: bytes) -> Factors:
    """What a file of ours holds. ``Damaged`` (a ``ValueError``) for any other."""
    return _factors(read_file(data))


def _factors(file: File) -> Factors:
    metadata = msgspec.json.decode(file.metadata[OURS], type=AdapterMetadata)
    halves: dict[str, dict[str, Array]] = {DOWN: {}, UP: {}}
    for key, tensor in file.tensors.items():
        suffix = DOWN if key.endswith(DOWN) else UP
        halves[suffix][without_prefix(key).removesuffix(suffix)] = tensor.values()
    return Factors(halves[DOWN], halves[UP], metadata)


def in_layout(data: bytes, layout: Layout, about: About) -> bytes:
    """A stored adapter as a file of another layout, with notes for people and programs. The same file, layout and facts
    always give the same bytes."""
    factors = factors_of(data)
    family = factors.metadata.family
    if layout == "diffusers":
        prefix = prefix_of(family)
        tensors = {f"{prefix}{name}{DOWN}": down for name, down in factors.down.items()}
        tensors |= {f"{prefix}{name}{UP}": up for name, up in factors.up.items()}
        return _file(tensors, header_metadata(factors.down, factors.metadata), layout, factors.metadata, about)
    ours = {OURS: header_metadata((), factors.metadata)[OURS]}  # not the library's: its loader has alpha from the keys
    if layout == "comfyui":
        named = _renamed(factors, authors_names(family, factors.down))
        tensors = {f"diffusion_model.{key}": value for key, value in named.items()}
    else:
        named = _renamed(factors, trainers_names(family, factors.down), down=".lora_down.weight", up=".lora_up.weight")
        tensors = {f"lora_unet_{_flat(key)}": value for key, value in named.items()}
    return _file(tensors, ours, layout, factors.metadata, about)


def _renamed(factors: Factors, names: Names, down: str = DOWN, up: str = UP) -> dict[str, Array]:
    """Under other names, several linears in one where the names say so. ``alpha`` where the two differ, and always for
    trainers: without one, a loader takes the rank."""
    always = down != DOWN
    found: dict[str, Array] = {}
    for theirs, ours in names.items():
        found[f"{theirs}{down}"] = np.concatenate([factors.down[name] for name in ours])
        found[f"{theirs}{up}"] = _diagonal([factors.up[name] for name in ours])
        if always or factors.metadata.alpha != factors.metadata.rank:
            found[f"{theirs}.alpha"] = np.array(factors.metadata.alpha * len(ours), dtype="<f4")
    return found


def _diagonal(blocks: list[Array]) -> Array:
    if len(blocks) == 1:
        return blocks[0]
    whole = np.zeros((sum(one.shape[0] for one in blocks), sum(one.shape[1] for one in blocks)), dtype="<f4")
    row = column = 0
    for one in blocks:
        whole[row : row + one.shape[0], column : column + one.shape[1]] = one
        row, column = row + one.shape[0], column + one.shape[1]
    return whole


def _flat(key: str) -> str:
    """Dots of the module's name become underscores; the tensor's own name keeps its dots."""
    module, _, last = key.partition(".lora_") if ".lora_" in key else key.rpartition(".")
    return f"{module.replace('.', '_')}.{'lora_' if '.lora_' in key else ''}{last}"


def _file(
    tensors: Mapping[str, Array], metadata: Mapping[str, str], layout: Layout, ours: AdapterMetadata, about: About
) -> bytes:
    plain = {key: (tuple(value.shape), np.ascontiguousarray(value).tobytes()) for key, value in tensors.items()}
    digest = hashlib.sha256()
    for key in sorted(plain):
        digest.update(plain[key][1])
    return safetensors_bytes(plain, {**metadata, **notes_of(layout, ours, about, digest.hexdigest())})
