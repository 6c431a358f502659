"""Blocks that keep only their inputs for the backward pass."""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar, cast

from torch.utils.checkpoint import checkpoint

P = ParamSpec("P")
R = TypeVar("R")


def recomputed(block: Callable[P, R]) -> Callable[P, R]:
    """``block``, computed a second time in the backward pass instead of keeping what is inside. It draws no numbers."""
    return cast(Callable[P, R], partial(checkpoint, block, use_reentrant=False, preserve_rng_state=False))
