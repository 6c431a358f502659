"""The transformer while it trains: stock modules and weights, a leaner forward, and the auxiliary head.

Legend: _bl = batch, text length (left-padded); _bt = text then image tokens; _bn = image tokens; d = hidden width;
h = heads; e = head width. Sigma is 1 for noise, 0 for data; model time is 1 - sigma; the target is x0 - noise.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import Ideogram4Transformer2DModel
from torch import nn
from torch.nn import functional

from linocut.pretrain.config import TransformerConfig, VaeConfig
from linocut.pretrain.data import FRAME, STROKES
from linocut.pretrain.draw import CLASSES
from linocut.pretrain.spelling import MARKS
from linocut.pretrain.words import Words

TAPS = 13
IMAGE_OFFSET = 65536


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
    # Written out: on these short rows the library's fused attention takes three times as long backwards.
    weight = torch.softmax((q * (d // heads) ** -0.5) @ k.mT + mask.to(q.dtype), dim=-1)
    a = weight.to(v.dtype) @ v.transpose(1, 2)
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
        self.aux = nn.Linear(width, len(CLASSES) + STROKES + 3)
        self.place = nn.Linear(width, 2)
        self.frame = nn.Linear(width, FRAME)
        self.spell = nn.Linear(width, MARKS)
        for block in self.transformer.layers:
            nn.init.zeros_(block.adaln_modulation.weight)
            # Gates start a little open, scales at one.
            bias = torch.zeros(4, width)
            bias[1], bias[3] = 0.35, 0.35
            block.adaln_modulation.bias.data.copy_(bias.flatten())
        nn.init.normal_(self.transformer.embed_image_indicator.weight, std=0.1)
        nn.init.zeros_(self.transformer.final_layer.linear.weight)
        self.run_block = block_forward

    def forward(
        self,
        z_bnc: torch.Tensor,
        sigma_b: torch.Tensor,
        ids_bl: torch.Tensor,
        lengths_b: torch.Tensor,
        grid: tuple[int, int],
        corners_b2: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(velocity _bnc, auxiliary outputs of image tokens and of text tokens); a row of length 0 is image-only.

        Of image tokens: classes, strokes, 3 colours, 2 places, frame; of text tokens: a letter's marks.

        `grid` are the rows and columns of tokens in `z_bnc`, `corners_b2` where they begin in their pictures.
        """
        net = self.transformer
        text_len, count = ids_bl.shape[1], z_bnc.shape[1]
        cond_b1a = functional.silu(net.adaln_proj(net.t_embedding(1.0 - sigma_b).unsqueeze(1)))
        text = _norm(self.embedding(ids_bl), net.llm_cond_norm.weight, 1e-6)
        text = net.llm_cond_proj(text) + net.embed_image_indicator.weight[0]
        image = net.input_proj(z_bnc) + net.embed_image_indicator.weight[1]
        x_btd = torch.cat((text.to(image.dtype), image), dim=1)
        where_bt3, mask = positions(lengths_b, text_len, grid, corners_b2)
        cos, sin = net.rotary_emb(where_bt3)
        cos, sin = cos.unsqueeze(2).to(x_btd.dtype), sin.unsqueeze(2).to(x_btd.dtype)
        aux = place = frame = spelled = x_btd
        for index, block in enumerate(net.layers):
            x_btd = self.run_block(block, x_btd, mask, cos, sin, cond_b1a)
            # In the order in which one follows from the other: a cell's place, the letters' places, a cell's place in
            # the letter or figure that it belongs to, its ink.
            if index == len(net.layers) // 3 - 1:
                place = self.place(x_btd[:, -count:])
            if index == len(net.layers) // 2 - 1:
                spelled = self.spell(x_btd[:, :-count])
            if index == len(net.layers) * 2 // 3 - 1:
                frame = self.frame(x_btd[:, -count:])
            if index == len(net.layers) * 5 // 6 - 1:
                aux = self.aux(x_btd[:, -count:])
        image = functional.layer_norm(x_btd[:, -count:], x_btd.shape[-1:], eps=1e-6)
        scale = 1.0 + net.final_layer.adaln_modulation(functional.silu(cond_b1a))
        return net.final_layer.linear(image * scale).float(), torch.cat((aux, place, frame), -1).float(), spelled


def positions(lengths_b: torch.Tensor, text_len: int, grid: tuple[int, int],
              corners_b2: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Rotary coordinates (batch x tokens x 3), attention bias (batch x 1 x 1 x tokens); padded text, then image."""
    b = lengths_b.shape[0]
    text = torch.arange(text_len)[None] - (text_len - lengths_b)[:, None]
    rows, cols = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    image = torch.stack((torch.zeros_like(rows), rows, cols), -1).view(1, -1, 3) + IMAGE_OFFSET
    image = image.expand(b, -1, 3)
    if corners_b2 is not None:
        image = image + functional.pad(corners_b2, (1, 0))[:, None]
    where = torch.cat((text.clamp(min=0)[..., None].expand(b, -1, 3), image), dim=1)
    mask = torch.cat((text >= 0, torch.ones(b, image.shape[1], dtype=torch.bool)), dim=1)
    bias = torch.zeros(mask.shape).masked_fill(~mask, -1e4)
    return where, bias[:, None, None]
