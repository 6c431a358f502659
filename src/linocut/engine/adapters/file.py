"""Saving and loading adapters. A file is refused with a sentence unless it fits the base, is whole and is finite.

Shapes: R rank, I input and O output features of a linear.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, device

from linocut.engine.adapters.apply import Adapter
from linocut.errors import InvalidRequest
from linocut.files import sha256_hex, write_durably
from linocut.lora_files.stored import (
    DOWN,
    PREFIXES,
    UP,
    AdapterMetadata,
    header_metadata,
    prefix_of,
    read_header,
    safetensors_bytes,
    without_prefix,
)
from linocut.lora_files.targets import Targets

FLOATS = (torch.float32, torch.float16, torch.bfloat16)


def adapter_bytes(adapter: Adapter, metadata: AdapterMetadata) -> bytes:
    """``adapter`` as a file: the same factors and metadata give the same bytes on every machine and day.

    ``ValueError`` when the adapter's scale is not the metadata's alpha / rank: the file would draw another image.
    """
    if abs(adapter.scale - metadata.alpha / metadata.rank) > 1e-6 * max(1.0, abs(adapter.scale)):
        raise ValueError(f"scale {adapter.scale} is not alpha {metadata.alpha} / rank {metadata.rank}")
    tensors, prefix = {}, prefix_of(metadata.family)
    for factors, suffix in ((adapter.down, DOWN), (adapter.up, UP)):
        for name, factor in factors.items():
            plain = factor.detach().to("cpu", torch.float32).contiguous()
            tensors[f"{prefix}{name}{suffix}"] = (tuple(plain.shape), plain.numpy().astype("<f4").tobytes())
    return safetensors_bytes(tensors, header_metadata(adapter.down, metadata))


def save_adapter(path: Path, adapter: Adapter, metadata: AdapterMetadata) -> str:
    """Write ``adapter`` durably to ``path`` -> the file's sha256."""
    data = adapter_bytes(adapter, metadata)
    write_durably(path, data)
    return sha256_hex(data)


def load_adapter(
    source: Path | bytes,
    *,
    targets: Targets | None = None,
    base: str | None = None,
    on: device | None = None,
) -> tuple[Adapter, AdapterMetadata]:
    """Read an adapter file -> (the adapter in float32 on device ``on`` (CPU unless given), its metadata).

    With ``base`` the identity must be that base's, with ``targets`` every linear must be one of them and all of them
    must be there, in the right shape. ``InvalidRequest`` with a sentence for a file that is damaged, foreign, not
    finite, or another base's.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    metadata, tensors = _parse(data)
    if base is not None and metadata.base != base:
        raise InvalidRequest(
            f"This adapter was trained on the base {metadata.base}; the server runs {base}. "
            "Train the model again on this base, or serve the one it was trained on."
        )
    down = {without_prefix(key)[: -len(DOWN)]: tensor for key, tensor in tensors.items() if key.endswith(DOWN)}
    up = {without_prefix(key)[: -len(UP)]: tensor for key, tensor in tensors.items() if key.endswith(UP)}
    _check_pairs(tensors, down, up, metadata.rank)
    if targets is not None:
        _check_targets(down, up, targets)
    place = on or torch.device("cpu")
    return (
        Adapter(
            down={name: down[name].to(place, torch.float32) for name in sorted(down)},
            up={name: up[name].to(place, torch.float32) for name in sorted(up)},
            scale=metadata.alpha / metadata.rank,
            sha256=sha256_hex(data),
        ),
        metadata,
    )


def adapter_nbytes(adapter: Adapter) -> int:
    """Memory that the factors take, in bytes."""
    return sum(factor.nbytes for factors in (adapter.down, adapter.up) for factor in factors.values())


def _refuse(why: str, way_out: str = "Upload or train it again.") -> NoReturn:
    raise InvalidRequest(f"The adapter file cannot be used: {why}. {way_out}")


def _parse(data: bytes) -> tuple[AdapterMetadata, dict[str, Tensor]]:
    try:
        header = read_header(data)
        tensors = load_tensors(data)
    except (ValueError, KeyError, RecursionError, SafetensorError):
        _refuse("it is damaged, or no safetensors file")
    try:
        ours = json.loads(header.get("__metadata__", {})["linocut"])
        metadata = msgspec.convert(ours, AdapterMetadata)
    except (KeyError, TypeError, ValueError, AttributeError):
        _refuse(
            "it does not say which base it was trained on",
            "Only adapters that linocut trained (header field linocut) can be loaded.",
        )
    if metadata.rank < 1 or not metadata.alpha > 0 or metadata.alpha == float("inf"):
        _refuse(f"its rank {metadata.rank} and alpha {metadata.alpha} must both be above 0 and finite")
    return metadata, tensors


def _check_pairs(
    tensors: Mapping[str, Tensor], down: Mapping[str, Tensor], up: Mapping[str, Tensor], rank: int
) -> None:
    """Every tensor is half of a pair of the stated rank, and finite."""
    strangers = sorted(k for k in tensors if not (k.startswith(PREFIXES) and k.endswith((DOWN, UP))))
    if strangers:
        _refuse(f"the tensor {strangers[0]!r} is no LoRA factor of the transformer")
    if len(down) + len(up) != len(tensors):
        _refuse("it holds the factors of one linear twice")
    if not down or down.keys() != up.keys():
        lonely = sorted(down.keys() ^ up.keys())
        _refuse(f"the linear {lonely[0]!r} has only one of its two factors" if lonely else "it holds no factors")
    for name in down:
        if down[name].dim() != 2 or up[name].dim() != 2 or (down[name].shape[0], up[name].shape[1]) != (rank, rank):
            _refuse(f"the factors of {name!r} do not have the rank {rank} that the header states")
    for key, tensor in tensors.items():
        if tensor.dtype not in FLOATS or not bool(torch.isfinite(tensor).all()):
            _refuse(f"the tensor {key!r} holds values that are no finite numbers")


def _check_targets(down: Mapping[str, Tensor], up: Mapping[str, Tensor], targets: Targets) -> None:
    """The linears are exactly the base's, in its sizes."""
    differing = sorted(down.keys() ^ targets.keys())
    if differing:
        which = "is not one of this base's" if differing[0] in down else "is missing"
        _refuse(f"the linear {differing[0]!r} {which}", "It must cover every attention and MLP linear of the base.")
    for name, (features_in, features_out) in targets.items():
        if (down[name].shape[1], up[name].shape[0]) != (features_in, features_out):
            _refuse(f"the factors of {name!r} do not fit a linear of {features_in} to {features_out} features")
