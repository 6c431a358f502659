"""A picture decoded piece by piece, for a device that has no room for the whole.

Shapes: K latent channels, h and w latent rows and columns, H and W pixels.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

OVERLAP = 8
"""Latent rows or columns that neighbours share, over which one fades into the other: 64 pixels."""

Span = tuple[int, int]
"""First latent row or column of a tile, and the one after its last."""


def tiled(decode: Callable[[Tensor], Tensor], latents_1Khw: Tensor, tiles: int) -> Tensor:
    """``decode`` (``latents_1Khw`` -> ``pixels_1CHW``) of ``tiles`` overlapping pieces a side, joined.

    1: of the whole, as it is. More: about 1 / tiles² of the memory, and a picture that is close but not equal, since
    a piece does not see the others.
    """
    if tiles == 1:
        return decode(latents_1Khw)
    down, across = (_spans(size, tiles) for size in latents_1Khw.shape[2:])
    strips = [
        _join([decode(latents_1Khw[:, :, top:bottom, left:right]) for left, right in across], across, 3)
        for top, bottom in down
    ]
    return _join(strips, down, 2)


def _spans(length: int, tiles: int) -> list[Span]:
    step = -(-length // tiles)
    half = min(OVERLAP, step) // 2
    return [(max(0, start - half), min(length, start + step + half)) for start in range(0, length, step)]


def _join(parts: Sequence[Tensor], spans: Sequence[Span], dim: int) -> Tensor:
    """The parts side by side along ``dim``; over what two share, the first fades into the second."""
    joined = parts[0]
    pixels = parts[0].shape[dim] // (spans[0][1] - spans[0][0])
    for (_, end), (start, _), part in zip(spans, spans[1:], parts[1:], strict=False):
        shared = (end - start) * pixels
        kept = joined.shape[dim] - shared
        ramp = torch.linspace(0, 1, shared, device=part.device).view([-1 if d == dim else 1 for d in range(part.dim())])
        faded = torch.lerp(joined.narrow(dim, kept, shared), part.narrow(dim, 0, shared), ramp)
        rest = part.narrow(dim, shared, part.shape[dim] - shared)
        joined = torch.cat([joined.narrow(dim, 0, kept), faded, rest], dim=dim)
    return joined
