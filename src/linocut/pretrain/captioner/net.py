"""The captioner: the library's ``Qwen3ForCausalLM`` behind one layer that turns four cells of a picture into a token.

Legend: _bnc = batch, image token, channel; _bsd = batch, place in the sequence (picture first), hidden width.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from linocut.pretrain import tokenizer
from linocut.pretrain.config import CaptionerConfig

SIDE = 2
"""Cells a side that become one token of the sequence."""
WAVES = 8
"""Of each axis, to say where a token lies in its frame."""


class Captioner(nn.Module):
    def __init__(self, config: CaptionerConfig, words: PreTrainedTokenizerFast, seen: int) -> None:
        """`seen`: channels of a cell, see looking.py."""
        super().__init__()
        self.config = config
        stop, start = words.convert_tokens_to_ids([tokenizer.SPECIAL[0], tokenizer.SPECIAL[1]])
        self.language = Qwen3ForCausalLM(
            Qwen3Config(
                vocab_size=len(words), hidden_size=config.width, intermediate_size=config.mlp,
                num_hidden_layers=config.layers, num_attention_heads=config.heads, num_key_value_heads=config.kv_heads,
                head_dim=config.width // config.heads, max_position_embeddings=1024, tie_word_embeddings=True,
                bos_token_id=start, eos_token_id=stop, pad_token_id=stop,
            )
        )  # fmt: skip
        with torch.no_grad():
            table = tokenizer.initial_embedding(words, config.width, config.seed)
            self.language.model.embed_tokens.weight.copy_(table * 0.06)
        wide = SIDE * SIDE * seen
        self.merge = nn.Sequential(
            nn.Linear(wide, 2 * config.width), nn.GELU(), nn.Linear(2 * config.width, config.width)
        )
        self.place = nn.Linear(4 * WAVES, config.width)
        self.where = nn.Linear(config.width, 2)  # in training only, see places.py

    def picture(self, seen_bnc: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        """_bsd, one token for each ``SIDE`` x ``SIDE`` cells; `grid` are rows and columns of cells."""
        b, _, c = seen_bnc.shape
        rows, cols = grid[0] // SIDE, grid[1] // SIDE
        tiles = seen_bnc.view(b, rows, SIDE, cols, SIDE, c).transpose(2, 3).reshape(b, rows * cols, -1)
        merged: torch.Tensor = self.merge(tiles) + self.place(_places(rows, cols))
        return merged

    def states(self, before_bsd: torch.Tensor | None, ids_bl: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """_bld, the last hidden state at each of `ids_bl`, behind the picture's tokens if there is one.

        And where in the picture half of the layers place what comes next, _bl2 (y, x as shares of the frame).
        """
        x_bsd = self.language.model.embed_tokens(ids_bl)
        if before_bsd is not None:
            x_bsd = torch.cat((before_bsd, x_bsd), 1)
        out = self.language.model(inputs_embeds=x_bsd, use_cache=False, output_hidden_states=True)
        half_bsd = out.hidden_states[self.config.layers // 2]
        return out.last_hidden_state[:, -ids_bl.shape[1] :], self.where(half_bsd[:, -ids_bl.shape[1] :])

    @torch.no_grad()
    def write(self, before_bsd: torch.Tensor | None, ids_bl: torch.Tensor, longest: int) -> list[list[int]]:
        """Greedy answers to equally long questions, without the token that ends them."""
        x_bsd = self.language.model.embed_tokens(ids_bl)
        if before_bsd is not None:
            x_bsd = torch.cat((before_bsd, x_bsd), 1)
        mask = torch.ones(x_bsd.shape[:2], dtype=torch.long)
        out = self.language.generate(
            inputs_embeds=x_bsd, attention_mask=mask, max_new_tokens=longest, do_sample=False, use_cache=True
        )
        stop = self.language.config.eos_token_id
        return [row[: row.index(stop)] if stop in row else row for row in out.tolist()]


def _places(rows: int, cols: int) -> torch.Tensor:
    """Tokens x waves: sines and cosines of a token's middle, as shares of the frame."""
    y, x = torch.meshgrid((torch.arange(rows) + 0.5) / rows, (torch.arange(cols) + 0.5) / cols, indexing="ij")
    turns = torch.stack((y.flatten(), x.flatten()), -1)[..., None] * math.pi * 2.0 ** torch.arange(WAVES)
    return torch.cat((turns.sin(), turns.cos()), -1).flatten(1)


def soft_targets(words: PreTrainedTokenizerFast) -> torch.Tensor:
    """vocab x vocab: of a number of a box or a byte of a colour also its neighbours are right, the further the less."""
    names = {index: token for token, index in words.get_vocab().items()}
    out = torch.eye(len(words))
    kinds: dict[str, list[tuple[int, int]]] = {"number": [], "red": [], "byte": []}
    for index, token in names.items():
        if token.isdigit() and len(token) > 2 and int(token) <= 1000:
            kinds["number"].append((index, int(token)))
        elif len(token) == 3 and token[0] == "#" and all(letter in tokenizer.HEX for letter in token[1:]):
            kinds["red"].append((index, int(token[1:], 16)))
        elif len(token) == 2 and all(letter in tokenizer.HEX for letter in token) and not token.isdigit():
            kinds["byte"].append((index, int(token, 16)))
    for kind, members in kinds.items():
        ids = torch.tensor([index for index, _ in members])
        values = torch.tensor([float(value) for _, value in members])
        width = 4.0 if kind == "number" else 3.0
        near = torch.exp(-((values[:, None] - values) ** 2) / (2 * width**2))
        out[ids[:, None], ids] = near / near.sum(1, keepdim=True)
    return out


def loss_of(logits_tv: torch.Tensor, ids_t: torch.Tensor, soft_vv: torch.Tensor) -> torch.Tensor:
    """Mean over tokens of the cross entropy to the soft targets."""
    return -(soft_vv[ids_t] * functional.log_softmax(logits_tv, -1)).sum(-1).mean()
