"""Drawing with the weights in training: the pipeline's schedule and guidance on the lean forward.

Legend as in net.py.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.ideogram4.pipeline_ideogram4 import _logit_normal_sigmas
from transformers import PreTrainedTokenizerFast

from pretrain import tokenizer
from pretrain.data import TOKEN
from pretrain.net import Mini

GUIDANCE = 1.5
"""What ships too: above it colours of small elements stray and edges fray, below it too (docs/log.md)."""


def schedule(steps: int = 24, mu: float = 2.6, std: float = 1.4) -> list[float]:
    """Falling noise levels from 1 to 0, one more than `steps`."""
    return [*_logit_normal_sigmas(steps, mu, std).tolist(), 0.0]


@torch.no_grad()
def denoise(model: Mini, words: PreTrainedTokenizerFast, captions: list[str], x_bnc: torch.Tensor,
            sigmas: list[float], grid: tuple[int, int], guidance: float = GUIDANCE) -> torch.Tensor:  # fmt: skip
    """Normalised latents _bnc at the last of `sigmas`, from `x_bnc` at the first; `grid` are rows and columns."""
    tokens = [words(tokenizer.wrap(c))["input_ids"] for c in captions]
    longest, b = max(len(t) for t in tokens), len(tokens)
    ids_bl = torch.tensor([[0] * (longest - len(t)) + t for t in tokens])
    lengths_b = torch.tensor([len(t) for t in tokens])
    nothing, none = torch.zeros(b, 0, dtype=torch.long), torch.zeros(b, dtype=torch.long)
    for sigma, following in itertools.pairwise(sigmas):
        s_b = torch.full((b,), sigma)
        with_text, _ = model(x_bnc, s_b, ids_bl, lengths_b, grid)
        without, _ = model(x_bnc, s_b, nothing, none, grid)
        v = without + guidance * (with_text - without)
        x_bnc = x_bnc - (following - sigma) * v
    return x_bnc


def unpack(vae: Any, x_bnc: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Normalised tokens -> latents _bchw as the decoder takes them."""
    z = x_bnc * torch.sqrt(vae.bn.running_var + vae.config.batch_norm_eps) + vae.bn.running_mean
    b, c = z.shape[0], z.shape[-1] // 4
    z_bchw: torch.Tensor = z.view(b, *grid, 2, 2, c).permute(0, 5, 1, 3, 2, 4).reshape(b, c, 2 * grid[0], 2 * grid[1])
    return z_bchw


@torch.no_grad()
def draw(model: Mini, vae: Any, words: PreTrainedTokenizerFast, captions: list[str],
         seed: int, *, size: tuple[int, int] = (128, 128), steps: int = 20, guidance: float = GUIDANCE,
         mu: float = 2.6, std: float = 1.4) -> np.ndarray:  # fmt: skip
    """One picture for each caption, uint8 batch x height x width x 3. `size` is (width, height)."""
    grid = (size[1] // TOKEN, size[0] // TOKEN)
    generator = torch.Generator().manual_seed(seed)
    x_bnc = torch.randn(len(captions), grid[0] * grid[1], model.transformer.config.in_channels, generator=generator)
    z = unpack(vae, denoise(model, words, captions, x_bnc, schedule(steps, mu, std), grid, guidance), grid)
    y = torch.cat([vae.decode(part).sample for part in torch.split(z, 16)])
    return ((y.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
