"""Whether the factors of a LoRA file fit a base, and made all alike: one rank, one alpha, every linear.

Shapes: R rank, I input and O output features of a linear.
"""

from collections.abc import Mapping
from math import isclose

import numpy as np

from linocut.lora_files.layouts import Array, Factors
from linocut.lora_files.pairs import Pair
from linocut.lora_files.refusal import listed, refuse
from linocut.lora_files.stored import AdapterMetadata
from linocut.lora_files.targets import Targets

_ROUNDING = 1e-6
"""Scales that differ by no more are the same: a tensor holds alpha in float32."""


def check_shapes(found: Mapping[str, Pair], targets: Targets) -> None:
    """Every linear of the file has the (I, O) of the base's; ``InvalidRequest`` with the first few that have not."""
    wrong = [
        f"{name} ({pair.down_RI.shape[1]} to {pair.up_OR.shape[0]}, not {targets[name][0]} to {targets[name][1]})"
        for name, pair in sorted(found.items())
        if (pair.down_RI.shape[1], pair.up_OR.shape[0]) != targets[name]
    ]
    if wrong:
        refuse(
            f"{len(wrong)} of its {len(found)} linears have other sizes than this base's: {listed(wrong)}",
            "It was trained on another base, perhaps another size of the same family.",
        )


def check_size(found: Mapping[str, Pair], targets: Targets, most_bytes: int | None) -> None:
    """Every linear gets the highest rank, in float32: a small file may stand for a very large one. ``InvalidRequest``
    above ``most_bytes``; None: no limit."""
    rank = max(pair.down_RI.shape[0] for pair in found.values())
    needed = 4 * rank * sum(features_in + features_out for features_in, features_out in targets.values())
    if most_bytes is not None and needed > most_bytes:
        refuse(
            f"with the rank {rank} on all {len(targets)} linears of this base it takes {-(-needed >> 20)} MiB, and at "
            f"most {most_bytes >> 20} MiB are taken",
            "Use one of a lower rank, or ask the operator of this server for a higher LINOCUT_MAX_LORA_MIB.",
        )


def made_alike(found: Mapping[str, Pair], targets: Targets, base: str, own_alpha: float | None) -> Factors:
    """One rank and one alpha for all, as our files have. ``own_alpha``: what a file of ours notes, kept to the last bit
    where it is the same. ``InvalidRequest`` where a scale makes a number infinite."""
    rank = max(pair.down_RI.shape[0] for pair in found.values())
    scale = next(iter(found.values())).scale
    alike = all(isclose(pair.scale, scale, rel_tol=_ROUNDING) for pair in found.values())
    scale = scale if alike else 1.0
    alpha = scale * rank
    if own_alpha is not None and isclose(own_alpha, alpha, rel_tol=_ROUNDING):
        alpha = own_alpha
    down: dict[str, Array] = {}
    up: dict[str, Array] = {}
    for name, (features_in, features_out) in sorted(targets.items()):
        down[name], up[name] = np.zeros((rank, features_in), "<f4"), np.zeros((features_out, rank), "<f4")
        if pair := found.get(name):
            own = pair.down_RI.shape[0]
            down[name][:own] = pair.down_RI
            with np.errstate(over="ignore"):
                up[name][:, :own] = pair.up_OR if alike else pair.up_OR * np.float32(pair.scale)
            if not np.isfinite(up[name]).all():
                refuse(f"the factors of {name}, times alpha, are no finite numbers")
    return Factors(down, up, AdapterMetadata(base, rank, alpha))
