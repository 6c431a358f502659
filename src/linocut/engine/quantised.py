"""Frozen linears in fewer bits: fp8 by torchao, nf4 by bitsandbytes, one linear at a time, straight onto the device.

Both are an extra (``pip install 'linocut[quantised]'``). What is quantised is said by ``bases/sizes.py``, which the
plan counts with: the linears inside blocks. A quantised linear is called, never read (``adapters/apply.py``).
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from linocut.bases.sizes import can_be_quantised
from linocut.errors import InvalidRequest

LIBRARIES = {"fp8": "torchao", "nf4": "bitsandbytes"}


def can_quantise(precision: str) -> bool:
    """Whether the library that it takes is installed."""
    return find_spec(LIBRARIES[precision]) is not None


def quantise(module: nn.Module, precision: str, on: torch.device) -> None:
    """Put the linears of ``module`` that can be quantised onto ``on`` in ``precision``, one after another.

    ``InvalidRequest`` when the library is not installed.
    """
    if not can_quantise(precision):
        raise InvalidRequest(
            f"LINOCUT_PRECISION={precision} takes {LIBRARIES[precision]}: pip install 'linocut[quantised]'."
        )
    chosen = [
        name
        for name, one in module.named_modules()
        if isinstance(one, nn.Linear) and can_be_quantised(f"{name}.weight", tuple(one.weight.shape))
    ]
    for name in chosen:
        if precision == "fp8":
            _to_fp8(module.get_submodule(name), on)
        else:
            parent, _, last = name.rpartition(".")
            setattr(module.get_submodule(parent), last, _as_nf4(module.get_submodule(name), on))


def _to_fp8(linear: nn.Module, on: torch.device) -> None:
    library: Any = import_module("torchao.quantization")
    linear.to(on)
    library.quantize_(linear, library.Float8WeightOnlyConfig(), filter_fn=lambda one, _name: isinstance(one, nn.Linear))


def _as_nf4(linear: Any, on: torch.device) -> nn.Module:
    library: Any = import_module("bitsandbytes")
    found: nn.Module = library.nn.Linear4bit(
        linear.in_features, linear.out_features, linear.bias is not None, compute_dtype=linear.weight.dtype,
        compress_statistics=False, quant_type="nf4", device="meta",
    )  # fmt: skip
    found.weight = library.nn.Params4bit(
        linear.weight.data, requires_grad=False, compress_statistics=False, quant_type="nf4", module=found
    )
    found.bias = linear.bias
    return found.to(on).requires_grad_(False)
