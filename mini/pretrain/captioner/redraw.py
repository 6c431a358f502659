"""A picture after an edit: what the caption changes is drawn anew, the rest keeps its own latents.

After each step the cells that stay are put back, at that step's noise. Legend as in net.py of the drawing network.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from pretrain.data import TOKEN, encode
from pretrain.net import Mini
from pretrain.sampling import GUIDANCE, denoise, schedule, unpack

GROWN = 1
"""Cells around a changed box that are drawn anew with it."""


def changed(before: dict[str, Any], after: dict[str, Any], grid: tuple[int, int]) -> np.ndarray:
    """rows x columns, true where the picture is to be drawn anew: under elements that came, went or are not the same.

    All of it where the ground is another, or an element that changed has no box.
    """
    old, new = (caption["compositional_deconstruction"] for caption in (before, after))
    everywhere = np.ones(grid, bool)
    if old["background"] != new["background"]:
        return everywhere
    apart = [e for e in old["elements"] if e not in new["elements"]]
    apart += [e for e in new["elements"] if e not in old["elements"]]
    if any("bbox" not in element for element in apart):
        return everywhere
    out = np.zeros(grid, bool)
    for y0, x0, y1, x1 in (element["bbox"] for element in apart):
        rows = slice(max(0, int(y0 * grid[0] / 1000) - GROWN), -int(-y1 * grid[0] // 1000) + GROWN)
        cols = slice(max(0, int(x0 * grid[1] / 1000) - GROWN), -int(-x1 * grid[1] // 1000) + GROWN)
        out[rows, cols] = True
    return out


@torch.no_grad()
def redraw(model: Mini, vae: Any, words: PreTrainedTokenizerFast, pixels: np.ndarray, caption: str,
           anew: np.ndarray, seed: int, steps: int = 24) -> np.ndarray:  # fmt: skip
    """The edited picture, uint8 height x width x 3 as `pixels`; `anew` as ``changed`` gives it.

    Pixels of cells that stay come back exactly as they were.
    """
    grid = pixels.shape[0] // TOKEN, pixels.shape[1] // TOKEN
    kept_bnc = encode(vae, torch.from_numpy(pixels.copy())[None])
    noise_bnc = torch.randn(kept_bnc.shape, generator=torch.Generator().manual_seed(seed))
    free_1n1 = torch.from_numpy(anew).flatten()[None, :, None]
    x_bnc = noise_bnc
    for sigma, following in itertools.pairwise(schedule(steps)):
        x_bnc = denoise(model, words, [caption], x_bnc, [sigma, following], grid, GUIDANCE)
        x_bnc = torch.where(free_1n1, x_bnc, (1 - following) * kept_bnc + following * noise_bnc)
    y = vae.decode(unpack(vae, x_bnc, grid)).sample
    drawn = ((y.clamp(-1, 1) + 1) * 127.5).round().byte()[0].permute(1, 2, 0).numpy()
    inside = np.kron(anew, np.ones((TOKEN, TOKEN), bool))
    return np.where(inside[..., None], drawn, pixels)
