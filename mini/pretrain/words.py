"""The embedding while it trains: each word has a vector of its own, numbers and colour bytes share smooth ones.

A thousand coordinates learned one by one stay noisy for very long (version 3's neighbours lay 0.67 of their length
apart, and with them every edge in a picture); as waves of their value times one trained matrix each learns from all.
What ships is the plain table. Legend: v = vocabulary, k = waves, d = width, _bl = batch, text token.
"""

from __future__ import annotations

import re

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

COORDINATE_WAVES, BYTE_WAVES = 64, 32
WAVE_HEIGHT = 0.25
"""Low, so that a step of the matrix moves a number's vector no further than a step of its own would."""


class Words(nn.Module):
    """Vectors of a vocabulary: a row of ``weight`` where a token owns one, and ``waves @ mix``."""

    def __init__(
        self, table_vd: torch.Tensor, waves_vk: torch.Tensor | None = None, own_v1: torch.Tensor | None = None
    ) -> None:
        """Vectors that are shared are fitted to `table_vd` by least squares, all others are its own."""
        super().__init__()
        self.register_buffer("waves", torch.zeros(len(table_vd), 1) if waves_vk is None else waves_vk, persistent=False)
        self.register_buffer("own", torch.ones(len(table_vd), 1) if own_v1 is None else own_v1, persistent=False)
        self.waves: torch.Tensor
        self.own: torch.Tensor
        shared = self.own.squeeze(1) == 0
        mix_kd = torch.zeros(self.waves.shape[1], table_vd.shape[1])
        if shared.any():
            mix_kd = torch.linalg.lstsq(self.waves[shared], table_vd[shared], driver="gelsd").solution
        self.mix = nn.Parameter(mix_kd.contiguous())
        self.weight = nn.Parameter((table_vd - self.waves @ mix_kd) * self.own)

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerFast, table_vd: torch.Tensor) -> Words:
        return cls(table_vd, number_waves(tokenizer), own_vectors(tokenizer))

    def table(self) -> torch.Tensor:
        """_vd, what a plain embedding would hold."""
        return self.weight * self.own + self.waves @ self.mix

    def forward(self, ids_bl: torch.Tensor) -> torch.Tensor:
        return functional.embedding(ids_bl, self.table())


def number_waves(tokenizer: PreTrainedTokenizerFast) -> torch.Tensor:
    """_vk: cosines of what a token is worth as a coordinate, as the red byte of a colour, as another byte; or zeros."""
    waves = np.zeros((len(tokenizer), COORDINATE_WAVES + 2 * BYTE_WAVES), np.float32)
    for token, index in tokenizer.get_vocab().items():
        if re.fullmatch(r"[0-9]{1,4}", token):
            waves[index, :COORDINATE_WAVES] = _cosines(int(token) / 1000, COORDINATE_WAVES)
        if re.fullmatch(r"#[0-9A-F]{2}", token):
            waves[index, COORDINATE_WAVES:-BYTE_WAVES] = _cosines(int(token[1:], 16) / 255, BYTE_WAVES)
        elif re.fullmatch(r"[0-9A-F]{2}", token):
            waves[index, -BYTE_WAVES:] = _cosines(int(token, 16) / 255, BYTE_WAVES)
    return torch.from_numpy(waves)


def own_vectors(tokenizer: PreTrainedTokenizerFast) -> torch.Tensor:
    """_v1: 1 where a token has a vector of its own. Single digits do: they are letters too."""
    own = torch.ones(len(tokenizer), 1)
    for token, index in tokenizer.get_vocab().items():
        if re.fullmatch(r"#?[0-9A-F]{2}|[0-9]{3,4}", token):
            own[index] = 0.0
    return own


def _cosines(value: float, count: int) -> np.ndarray:
    return np.asarray(WAVE_HEIGHT * np.cos(np.pi * value * np.arange(count)), np.float32)
