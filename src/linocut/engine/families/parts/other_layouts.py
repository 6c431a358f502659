"""Weights that their authors publish in other layouts than the library saves them in: fused projections, scaled fp8.

A tensor at a time, straight onto the device; nothing is written. Text towers too: Ideogram 4's comes in scaled fp8, and
may come without the part that looks at pictures, which nobody asks there. Fused: ``attention.qkv`` holds q, k and v one
under another, ``attention.o`` is the library's ``to_out.0``. Scaled fp8: a weight in eight bits, and beside it what it
is multiplied with, one number for all of it or one a row.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from linocut.bases.reading import COPY_AGAIN, json_or_nothing, tensors_of, weights_of
from linocut.errors import InvalidRequest

PREFIXES = ("model.diffusion_model.", "diffusion_model.")
SCALES = (".weight_scale", ".scale_weight", ".weight_scale_inv")
"""What the number that a weight is multiplied with is called, in place of ``.weight``."""
IGNORED = ("scaled_fp8", ".input_scale", ".scale_input")
TOWER_PREFIX, HEAD, EYES = "model.", "lm_head.weight", "visual."
"""Before the names of a tower that was cut out of a whole language model; that model's head; what looks at pictures."""
_FUSED = {
    "attention.qkv": ("attention.to_q", "attention.to_k", "attention.to_v"),
    "attention.o": ("attention.to_out.0",),
}


def is_other(folder: Path, part: str) -> bool:
    """Whether the files of a part are in one of these layouts, as their headers tell."""
    if is_packed(folder, part):
        return False  # the library reads it by what its config says
    return any(one.kind.startswith("F8_") or ".attention.qkv." in f".{one.name}" for one in tensors_of(folder, part))


def is_packed(folder: Path, part: str) -> bool:
    """Whether the config of a part says that its files are in four bits, which the library reads by it."""
    said = json_or_nothing(folder, f"{part}/config.json").get("quantization_config")
    return isinstance(said, dict) and said.get("quant_method") == "bitsandbytes"


def load_other(kind: Any, folder: Path, part: str, on: torch.device, dtype: torch.dtype) -> nn.Module:
    """The part with its weights in ``dtype`` on ``on``. ``InvalidRequest`` where they are not those of its class."""
    from accelerate import init_empty_weights
    from accelerate.utils import set_module_tensor_to_device

    with init_empty_weights(include_buffers=False):
        module = _empty(kind, folder / part)
    wanted = {name: tuple(tensor.shape) for name, tensor in [*module.named_parameters(), *module.named_buffers()]}
    missing = {name for name, tensor in module.named_parameters() if tensor.is_meta}
    for name, tensor in library_tensors(folder, part):
        if name not in wanted and name.removeprefix(TOWER_PREFIX) in wanted:
            name = name.removeprefix(TOWER_PREFIX)
        if name.endswith(HEAD) and name not in wanted:
            continue  # of a whole language model; it is read apart where it is to write
        if wanted.get(name) != tuple(tensor.shape):
            raise InvalidRequest(_stranger(folder, part, name))
        set_module_tensor_to_device(module, name, on, value=tensor.to(dtype), dtype=dtype)
        missing.discard(name)
    check_missing(folder, part, module, missing)
    return module


def check_missing(folder: Path, part: str, module: nn.Module, missing: set[str]) -> None:
    """``InvalidRequest`` where tensors of a part are ``missing`` in its files. A tower without the part that looks at
    pictures is whole: that part is taken off."""
    if missing and all(name.startswith(EYES) for name in missing) and isinstance(getattr(module, EYES[:-1]), nn.Module):
        setattr(module, EYES[:-1], None)
    elif missing:
        raise InvalidRequest(f"{folder.name} cannot be loaded: {part} has no {min(missing)}. {COPY_AGAIN}")


def _empty(kind: Any, where: Path) -> nn.Module:
    """A part of its class, its weights still to come."""
    if hasattr(kind, "load_config"):
        found: nn.Module = kind.from_config(kind.load_config(str(where), local_files_only=True))
        return found
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(str(where), local_files_only=True)
    made: nn.Module = kind.from_config(config) if kind.__name__.startswith("Auto") else kind(config)
    return made


def library_tensors(folder: Path, part: str) -> Iterator[tuple[str, Tensor]]:
    """Every weight of a part by the library's name: scaled, and taken apart."""
    opened: list[Any] = [safe_open(str(path), framework="pt") for path in weights_of(folder, part).files]
    where: dict[str, Any] = {name: stream for stream in opened for name in stream.keys()}  # noqa: SIM118  # it is no dict
    for name, stream in where.items():
        if name.endswith(IGNORED) or name.endswith(SCALES):
            continue
        tensor = stream.get_tensor(name)
        if tensor.dtype in (torch.float8_e4m3fn, torch.float8_e5m2):
            tensor = tensor.float() * _scale(where, name)
        yield from _taken_apart(_bare(name), tensor)


def _scale(where: dict[str, Any], name: str) -> Tensor | float:
    """What an fp8 weight is multiplied with: 1 where nothing says."""
    stem = name.removesuffix(".weight")
    for ending in SCALES:
        if (scale_name := f"{stem}{ending}") in where:
            scale: Tensor = where[scale_name].get_tensor(scale_name).float()
            return scale.reshape(-1, 1) if scale.numel() > 1 else scale.reshape(())
    return 1.0


def _taken_apart(name: str, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    owner, _, last = name.rpartition(".")
    for fused, parts in _FUSED.items():
        if f".{owner}".endswith(f".{fused}"):
            named = owner.removesuffix(fused)
            for part, piece in zip(parts, tensor.chunk(len(parts), 0), strict=True):
                yield f"{named}{part}.{last}", piece
            return
    yield name, tensor


def _bare(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _stranger(folder: Path, part: str, name: str) -> str:
    return (
        f"{folder} cannot be loaded: {part} holds a {name} that its class has no place for. It is in a layout that "
        "linocut does not read (docs/bases.md), or of another base."
    )
