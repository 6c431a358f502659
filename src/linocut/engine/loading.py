"""How the parts of a base are loaded: where to, in which precision, and who is told how far it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch

Precision = Literal["bf16", "fp32", "fp8", "nf4"]
DTYPES = {"bf16": torch.bfloat16, "fp8": torch.bfloat16, "nf4": torch.bfloat16, "fp32": torch.float32}

Told = Callable[[str], object]


@dataclass(frozen=True)
class Loading:
    """``precision`` is that of the networks' weights; they compute in ``dtype``. ``tower_on_host``: the text tower
    lives in the host's memory and visits the device block by block; so does a second denoising network
    with ``second_on_host``. ``tower_released``: the tower is loaded when a text is to be read, and may be given back.
    ``divided``: the denoising network stays in the host's memory until its parts go to several devices
    (``ranks/shards.py``). ``told`` is called with a part's name when it is begun.
    """

    on: torch.device
    precision: Precision
    tower_on_host: bool = False
    second_on_host: bool = False
    told: Told = field(default=lambda _part: None)
    tower_released: bool = False
    divided: bool = False

    @property
    def dtype(self) -> torch.dtype:
        """What the networks compute in."""
        return DTYPES[self.precision]


def loading_of(on: torch.device, precision: "torch.dtype | Loading") -> Loading:
    """A plain dtype as a way of loading."""
    if isinstance(precision, Loading):
        return precision
    return Loading(on, "bf16" if precision == torch.bfloat16 else "fp32")
