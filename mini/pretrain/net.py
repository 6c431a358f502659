"""The transformer while it trains: stock modules and weights, a leaner forward, and the auxiliary heads.

Legend: _bl = batch, text length (left-padded); _bt = text then image tokens; _bn = image tokens; d = hidden width;
h = heads; e = head width; w = waves of the time. Sigma is 1 for noise, 0 for data; model time is 1 - sigma; the target
is x0 - noise.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import Ideogram4Transformer2DModel
from torch import nn
from torch.nn import functional

from pretrain.config import TransformerConfig, VaeConfig
from pretrain.data import FRAME, STROKES
from pretrain.draw import CLASSES
from pretrain.spelling import MARKS
from pretrain.words import Words

TAPS = 13
HEADS = {"place": 1 / 4, "spell": 3 / 8, "frame": 1 / 2, "fill": 5 / 8, "ink": 7 / 8}
"""After which share of the blocks each auxiliary head looks, in the order in which one follows from the other: a cell's
place in the picture, the letters' places, a cell's place in its letter or figure, what that is, its strokes."""
IMAGE_OFFSET = 65536

FASTEST = 100.0
"""Waves of the model time that are faster, in radians over the whole of it, are shut out. The library's go up to
10,000: they taught nothing, but now and then threw a picture far off at one narrow range of noise (docs/log.md)."""


def stock(config: TransformerConfig, text_features: int) -> Ideogram4Transformer2DModel:
    """The library's class. While training `text_features` is the embedding width, shipped it is 13 times that."""
    return Ideogram4Transformer2DModel(
        in_channels=4 * VaeConfig().latent_channels,
        num_layers=config.layers,
        attention_head_dim=config.head_dim,
        num_attention_heads=config.heads,
        intermediate_size=config.mlp,
        adaln_dim=config.adaln,
        llm_features_dim=text_features,
        rope_theta=config.rope_theta,
        mrope_section=config.mrope,
    )


def _norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    scale = torch.rsqrt(x.float().square().mean(-1, keepdim=True) + eps)
    return (x * scale.to(x.dtype)) * weight.to(x.dtype)


def _turn(x_bthe: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    half = x_bthe.shape[-1] // 2
    turned = torch.cat((-x_bthe[..., half:], x_bthe[..., :half]), dim=-1)
    return x_bthe * cos + turned * sin


def block_forward(block: Any, x_btd: torch.Tensor, mask: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor,
                  cond_b1a: torch.Tensor) -> torch.Tensor:  # fmt: skip
    """What the stock block computes, with the three attention projections and the two gates fused."""
    attention, mlp = block.attention, block.feed_forward
    scale1, gate1, scale2, gate2 = block.adaln_modulation(cond_b1a).chunk(4, dim=-1)
    b, t, d = x_btd.shape
    heads = attention.num_heads
    y = _norm(x_btd, block.attention_norm1.weight, 1e-5) * (1 + scale1)
    fused = torch.cat((attention.to_q.weight, attention.to_k.weight, attention.to_v.weight))
    q, k, v = functional.linear(y, fused).view(b, t, 3, heads, d // heads).unbind(2)
    q = _turn(_norm(q, attention.norm_q.weight, 1e-5), cos, sin).transpose(1, 2)
    k = _turn(_norm(k, attention.norm_k.weight, 1e-5), cos, sin).transpose(1, 2)
    v = v.transpose(1, 2)
    if x_btd.is_cuda:
        bias = mask.to(v.dtype).expand(b, heads, t, t)
        a = functional.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, bias)
    else:  # written out: on these short rows a CPU's fused attention takes three times as long backwards
        weight = torch.softmax((q * (d // heads) ** -0.5) @ k.mT + mask.to(q.dtype), dim=-1)
        a = weight.to(v.dtype) @ v
    a = attention.to_out[0](a.transpose(1, 2).reshape(b, t, d))
    x_btd = x_btd + torch.tanh(gate1) * _norm(a, block.attention_norm2.weight, 1e-5)
    y = _norm(x_btd, block.ffn_norm1.weight, 1e-5) * (1 + scale2)
    one, three = functional.linear(y, torch.cat((mlp.w1.weight, mlp.w3.weight))).chunk(2, dim=-1)
    y = mlp.w2(functional.silu(one) * three)
    return x_btd + torch.tanh(gate2) * _norm(y, block.ffn_norm2.weight, 1e-5)


class Mini(nn.Module):
    """Embedding, stock transformer on one tap, and the heads that are thrown away after training."""

    def __init__(self, config: TransformerConfig, words: Words) -> None:
        super().__init__()
        self.config = config
        self.embedding = words
        self.transformer = stock(config, config.text_dim)
        width = config.heads * config.head_dim
        sizes = {"place": 2, "spell": MARKS, "frame": FRAME, "fill": len(CLASSES) + 3, "ink": STROKES}
        self.heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in sizes.items()})
        for block in self.transformer.layers:
            nn.init.zeros_(block.adaln_modulation.weight)
            # Gates start a little open, scales at one.
            bias = torch.zeros(4, width)
            bias[1], bias[3] = 0.35, 0.35
            block.adaln_modulation.bias.data.copy_(bias.flatten())
        nn.init.normal_(self.transformer.embed_image_indicator.weight, std=0.1)
        nn.init.zeros_(self.transformer.final_layer.linear.weight)
        rate_w = 1e4 ** (1 - torch.arange(width // 2) / (width // 2 - 1))
        self.register_buffer("rates", rate_w, persistent=False)
        self.register_buffer("slow", (rate_w <= FASTEST).repeat(2).float(), persistent=False)
        self.rates: torch.Tensor
        self.slow: torch.Tensor
        self.run_block = block_forward

    def told_time(self, sigma_b: torch.Tensor) -> torch.Tensor:
        """_b1d, the stock embedding of the model time with its slow waves only."""
        time = self.transformer.t_embedding
        turn_bw = (1.0 - sigma_b)[:, None] * self.rates
        waves_bd = torch.cat((turn_bw.sin(), turn_bw.cos()), -1) * self.slow
        out_bd: torch.Tensor = time.mlp_out(functional.silu(time.mlp_in(waves_bd)))
        return out_bd.unsqueeze(1)

    def forward(
        self,
        z_bnc: torch.Tensor,
        sigma_b: torch.Tensor,
        ids_bl: torch.Tensor,
        lengths_b: torch.Tensor,
        grid: tuple[int, int],
        corners_b2: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(velocity _bnc, what each auxiliary head says by its name); a row of length 0 is image-only.

        Of image tokens: `place` (row, column), `frame`, `fill` (classes, then a colour), `ink` (strokes); of text
        tokens: `spell`, a letter's marks.

        `grid` are the rows and columns of tokens in `z_bnc`, `corners_b2` where they begin in their pictures.
        """
        net = self.transformer
        text_len, count = ids_bl.shape[1], z_bnc.shape[1]
        cond_b1a = functional.silu(net.adaln_proj(self.told_time(sigma_b)))
        text = _norm(self.embedding(ids_bl), net.llm_cond_norm.weight, 1e-6)
        text = net.llm_cond_proj(text) + net.embed_image_indicator.weight[0]
        image = net.input_proj(z_bnc) + net.embed_image_indicator.weight[1]
        x_btd = torch.cat((text.to(image.dtype), image), dim=1)
        where_bt3, mask = positions(lengths_b, text_len, grid, corners_b2)
        cos, sin = net.rotary_emb(where_bt3)
        cos, sin = cos.unsqueeze(2).to(x_btd.dtype), sin.unsqueeze(2).to(x_btd.dtype)
        told: dict[str, torch.Tensor] = {}
        for done, block in enumerate(net.layers, start=1):
            # The blocks alone in half precision, and only where that is faster: what is added up stays in single.
            with torch.autocast("cuda", torch.bfloat16, enabled=x_btd.is_cuda):
                x_btd = self.run_block(block, x_btd, mask, cos, sin, cond_b1a)
            for name in (name for name, share in HEADS.items() if max(1, int(share * len(net.layers))) == done):
                told[name] = self.heads[name](x_btd[:, :-count] if name == "spell" else x_btd[:, -count:]).float()
        image = functional.layer_norm(x_btd[:, -count:], x_btd.shape[-1:], eps=1e-6)
        scale = 1.0 + net.final_layer.adaln_modulation(functional.silu(cond_b1a))
        return net.final_layer.linear(image * scale).float(), told


def positions(lengths_b: torch.Tensor, text_len: int, grid: tuple[int, int],
              corners_b2: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Rotary coordinates (batch x tokens x 3), attention bias (batch x 1 x 1 x tokens); padded text, then image."""
    b, device = lengths_b.shape[0], lengths_b.device
    text = torch.arange(text_len, device=device)[None] - (text_len - lengths_b)[:, None]
    rows, cols = torch.meshgrid(*(torch.arange(side, device=device) for side in grid), indexing="ij")
    image = torch.stack((torch.zeros_like(rows), rows, cols), -1).view(1, -1, 3) + IMAGE_OFFSET
    image = image.expand(b, -1, 3)
    if corners_b2 is not None:
        image = image + functional.pad(corners_b2, (1, 0))[:, None]
    where = torch.cat((text.clamp(min=0)[..., None].expand(b, -1, 3), image), dim=1)
    mask = torch.cat((text >= 0, torch.ones(b, image.shape[1], dtype=torch.bool, device=device)), dim=1)
    bias = torch.zeros(mask.shape, device=device).masked_fill(~mask, -1e4)
    return where, bias[:, None, None]
