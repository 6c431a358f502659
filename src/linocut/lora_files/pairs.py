"""The two factors of each linear of a LoRA file, with the scale that the file gives them.

Shapes: R rank, I input and O output features of a linear.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from linocut.lora_files.layouts import Array
from linocut.lora_files.refusal import listed, refuse
from linocut.lora_files.stored import OURS, AdapterMetadata
from linocut.lora_files.tensors import Damaged, File, Tensor

MAX_RANK = 1024


class Pair(NamedTuple):
    """The two factors of one linear of the file, and what its part of the weight is multiplied with."""

    down_RI: Array
    up_OR: Array
    scale: float


def pairs_in(
    file: File, halves: Mapping[str, Mapping[str, str]], alphas: Mapping[str, str], given: float | None
) -> tuple[dict[str, Pair], bool]:
    """Each linear's factors with their scale, and whether the file is mute about the alpha of any."""
    ours, stated = own_notes(file), _stated_alphas(file)
    found: dict[str, Pair] = {}
    mute = False
    lonely = sorted({*alphas, *halves} - {module for module, half in halves.items() if len(half) == 2})
    if lonely or not halves:
        refuse(f"{listed(lonely)} have only one of their two factors" if lonely else "it holds no LoRA factors")
    for module, keys in halves.items():
        down_RI, up_OR = _matrix(keys["down"], file.tensors), _matrix(keys["up"], file.tensors)
        rank = down_RI.shape[0]
        if up_OR.shape[1] != rank or not 1 <= rank <= MAX_RANK:
            refuse(f"the factors of {module} have the ranks {rank} and {up_OR.shape[1]}, not one of 1 to {MAX_RANK}")
        if module in alphas:
            scale = _alpha(alphas[module], file.tensors) / rank
        elif ours is not None:  # whatever the layout: a linear that stands for three has three times the rank
            scale = ours.alpha / ours.rank
        else:
            value = stated.get(module, stated.get(""))
            mute |= value is None
            value = given if value is None else value
            scale = 1.0 if value is None else value / rank
        found[module] = Pair(down_RI, up_OR, scale)
    return found, mute


def taken_apart(pair: Pair, parts: int) -> Sequence[Pair]:
    """The factors of linears that the file has as one. Blocks on a diagonal are taken apart again; else all parts look
    through the same ``down``."""
    if parts == 1:
        return [pair]
    rank, rows = pair.down_RI.shape[0], pair.up_OR.shape[0]
    if rows % parts:
        refuse(f"a linear that stands for {parts} has {rows} outputs, which do not divide")
    ups = np.split(pair.up_OR, parts)
    if rank % parts == 0:
        each = rank // parts
        outside = [np.delete(up, np.s_[i * each : (i + 1) * each], axis=1) for i, up in enumerate(ups)]
        if not any(one.any() for one in outside):
            downs = np.split(pair.down_RI, parts)
            return [Pair(downs[i], ups[i][:, i * each : (i + 1) * each], pair.scale) for i in range(parts)]
    return [Pair(pair.down_RI, up, pair.scale) for up in ups]


def own_notes(file: File) -> AdapterMetadata | None:
    """Our own notes, if it is a file of ours in whatever layout."""
    try:
        ours = msgspec.json.decode(file.metadata.get(OURS, ""), type=AdapterMetadata)
    except (msgspec.DecodeError, RecursionError):
        return None
    return ours if ours.rank >= 1 and 0 < ours.alpha < 1e9 else None


def _matrix(key: str, tensors: Mapping[str, Tensor]) -> Array:
    try:
        values = tensors[key].values()
    except Damaged as wrong:
        refuse(f"its tensor {key!r} {wrong}")
    while values.ndim > 2 and values.shape[-1] == 1:  # a linear that was trained as a convolution of one pixel
        values = values[..., 0]
    if values.ndim != 2 or not values.size:
        refuse(f"its tensor {key!r} has the shape {list(values.shape)}, and a factor of a linear has two sides")
    return values


def _alpha(key: str, tensors: Mapping[str, Tensor]) -> float:
    try:
        values = tensors[key].values()
    except Damaged as wrong:
        refuse(f"its tensor {key!r} {wrong}")
    if values.size != 1 or not 0 < float(values.reshape(-1)[0]) < 1e9:
        refuse(f"its tensor {key!r} must be one number above 0 and below a billion")
    return float(values.reshape(-1)[0])


def _stated_alphas(file: File) -> dict[str, float]:
    """What the library's part of the header says of alpha, by linear; "" for all that are not named. ``InvalidRequest``
    for numbers that make no sense."""
    try:
        library = dict(json.loads(file.metadata.get("lora_adapter_metadata", "{}")))
    except (ValueError, TypeError, RecursionError):
        return {}
    stated: dict[str, Any] = {}
    for key, value in library.items():
        if key.rpartition(".")[2] == "lora_alpha":
            stated[""] = value
        elif key.rpartition(".")[2] == "alpha_pattern" and isinstance(value, dict):
            stated |= value
    for value in stated.values():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
            refuse(f"its header states the alpha {value!r}, which must be a number above 0")
    return {name: float(value) for name, value in stated.items()}
