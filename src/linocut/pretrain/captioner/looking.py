"""A picture as the captioner sees it: what the frozen drawing network makes of it, and its latents.

The network is asked about the picture alone, without a caption, with a little noise as it was trained; what two of its
blocks hold says which letter or figure each cell belongs to (docs/log.md: its auxiliary heads read words from there).
Legend: _bnc = batch, image token (row-major), channel.
"""

from __future__ import annotations

from typing import Any

import torch

from linocut.pretrain.config import TransformerConfig, VaeConfig
from linocut.pretrain.net import Mini, block_forward

BLOCKS = (5, 7)
"""After which blocks, counted from one; where the heads for classes and for strokes looked."""
NOISE = 0.35


def channels(config: TransformerConfig) -> int:
    """Numbers a cell is seen by."""
    return len(BLOCKS) * config.heads * config.head_dim + 4 * VaeConfig().latent_channels


@torch.no_grad()
def look(
    model: Mini, latents_bnc: torch.Tensor, grid: tuple[int, int], seed: int, sigma: float = NOISE
) -> torch.Tensor:
    """_bnc, the blocks' states and the latents, float32; `seed` is the noise's."""
    seen: list[torch.Tensor] = []

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
        model((1 - sigma) * latents_bnc + sigma * noise_bnc, torch.full((b,), sigma), *none, grid)
    finally:
        model.run_block = before
    return torch.cat([*(seen[block - 1] for block in BLOCKS), latents_bnc], -1)
