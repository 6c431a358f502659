"""A picture as the captioner sees it: what the frozen drawing network makes of it, latents, pixels.

The network is asked about the picture alone, without a caption, with a little noise as it was trained; what two of its
blocks hold says which letter or figure each cell belongs to (docs/log.md: its auxiliary heads read words from there).
Legend: _bnc = batch, image token (row-major), channel.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from pretrain.config import TransformerConfig, VaeConfig
from pretrain.data import FRAME, STROKES, TOKEN, encode
from pretrain.draw import CLASSES
from pretrain.net import Mini, block_forward

BLOCKS = (5, 7)
"""After which blocks, counted from one; where the heads for classes and for strokes looked."""
NOISE = 0.35
SHARP = 3.0
"""How much louder a cell's class is than one of the blocks' numbers: most of it is one number of 94."""


def channels(config: TransformerConfig) -> int:
    """Numbers a cell is seen by."""
    said = len(CLASSES) + FRAME + STROKES
    pixels = 3 * TOKEN * TOKEN
    return len(BLOCKS) * config.heads * config.head_dim + 4 * VaeConfig().latent_channels + said + pixels


@torch.no_grad()
def look(model: Mini, vae: Any, pixels_bhwc: torch.Tensor, seed: int, sigma: float = NOISE) -> torch.Tensor:
    """_bnc, float32: blocks' states, each normalised; latents; what the auxiliary heads say of class, frame and ink;
    the cell's own pixels, -1..1. `pixels_bhwc` are uint8, `seed` is the noise's.
    """
    seen: list[torch.Tensor] = []
    latents_bnc = encode(vae, pixels_bhwc)
    grid = pixels_bhwc.shape[1] // TOKEN, pixels_bhwc.shape[2] // TOKEN

    def remember(block: Any, x_btd: torch.Tensor, mask: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor,
                 cond_b1a: torch.Tensor) -> torch.Tensor:  # fmt: skip
        out = block_forward(block, x_btd, mask, cos, sin, cond_b1a)
        seen.append(out)
        return out

    b = latents_bnc.shape[0]
    noise_bnc = torch.randn(latents_bnc.shape, generator=torch.Generator().manual_seed(seed))
    none = torch.zeros(b, 0, dtype=torch.long), torch.zeros(b, dtype=torch.long)
    before, model.run_block = model.run_block, remember
    try:
        _, told = model((1 - sigma) * latents_bnc + sigma * noise_bnc, torch.full((b,), sigma), *none, grid)
    finally:
        model.run_block = before
    states = [functional.layer_norm(seen[block - 1], seen[0].shape[-1:]) for block in BLOCKS]
    said = [told["fill"][..., : len(CLASSES)].softmax(-1) * SHARP, told["frame"], told["ink"].sigmoid()]
    cells = pixels_bhwc.reshape(b, grid[0], TOKEN, grid[1], TOKEN, 3).transpose(2, 3)
    return torch.cat([*states, latents_bnc, *said, cells.reshape(b, grid[0] * grid[1], -1) / 127.5 - 1], -1)
