"""A safetensors file that knows its own checksum: whatever was cut, flipped or half written is noticed on reading."""

import hashlib
import json
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from linocut.lora_files.stored import read_header

_CHECKSUM = "sha256"


class Damaged(Exception):
    """The bytes are not what was sealed."""


def seal(tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> bytes:
    """``tensors`` and ``facts`` as one safetensors file, with the SHA-256 of both among its metadata."""
    plain = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    return save_tensors(plain, metadata={**facts, _CHECKSUM: _checksum(plain, facts)})


def unseal(data: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """What ``seal`` was given, tensors on the CPU. ``Damaged`` for anything else."""
    try:
        metadata = dict(read_header(data)["__metadata__"])
        tensors = load_tensors(data)
        stated = metadata.pop(_CHECKSUM)
    except (ValueError, KeyError, TypeError, SafetensorError) as broken:
        raise Damaged("no whole safetensors file") from broken
    if _checksum(tensors, metadata) != stated:
        raise Damaged("the checksum does not fit the content")
    # Copies lie where the allocator puts them, as freshly computed tensors do: a matmul may take another path, and
    # round otherwise, for memory that is aligned otherwise.
    return {name: tensors.pop(name).clone() for name in sorted(tensors)}, metadata


def _checksum(tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
