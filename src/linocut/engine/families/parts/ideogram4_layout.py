"""How Ideogram 4's items lie in one packed sequence: positions, which token is whose, attention in equal runs.

Shapes: M items, S tokens of the packed sequence, T text and N image tokens of an item, E hidden width, C latent
channels, U heads, D width of a head.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers.models.transformers.transformer_ideogram4 import IMAGE_POSITION_OFFSET, Ideogram4MRoPE
from torch import Tensor, device, dtype
from torch.nn import functional

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.items import Grid, Text

FEATURES = "features_TF"
"""The name of a text's one tensor."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One item of a forward pass. ``text`` None: no text tokens at all."""

    latents_NC: Tensor
    grid: Grid
    sigma: float
    text: Text | None
    adapter: Adapter | None

    @property
    def text_length(self) -> int:
        """T."""
        return 0 if self.text is None else self.text.tokens


@dataclass(frozen=True, eq=False)
class Rows:
    """A choice of a packed sequence's tokens: all of them, or the image tokens alone."""

    lengths: tuple[int, ...]
    """Tokens of each item."""
    item_S: Tensor | None
    """The item of each token; None when there is only one item."""
    cos_S1D: Tensor
    sin_S1D: Tensor

    def spread(self, values_ME: Tensor) -> Tensor:
        """Each item's values to its tokens; a single item's are left to broadcast."""
        return values_ME if self.item_S is None else values_ME[self.item_S]

    def rotate(self, x_SUD: Tensor) -> Tensor:
        """Turn queries or keys by their tokens' positions."""
        first, second = x_SUD.chunk(2, dim=-1)
        return x_SUD * self.cos_S1D + torch.cat((-second, first), dim=-1) * self.sin_S1D


@dataclass(frozen=True, eq=False)
class Layout:
    """What packed sequences of the same text lengths and grids have in common. ``image`` is ``all`` without texts."""

    all: Rows
    image: Rows
    image_S: Tensor
    """Positions of the image tokens, in order."""


@torch.no_grad()
def packed_layout(sizes: Sequence[tuple[int, Grid]], rotary: Ideogram4MRoPE, on: device, precision: dtype) -> Layout:
    """The layout of items with (T, grid) ``sizes``, each one's text before its image."""
    positions: list[Tensor] = []
    image_S: list[Tensor] = []
    lengths: list[int] = []
    for text, (rows, columns) in sizes:
        positions.append(torch.arange(text)[:, None].expand(text, 3))
        cells_N3 = torch.cartesian_prod(torch.arange(1), torch.arange(rows), torch.arange(columns))
        positions.append(cells_N3 + IMAGE_POSITION_OFFSET)
        first = sum(lengths) + text
        image_S.append(torch.arange(first, first + rows * columns))
        lengths.append(text + rows * columns)
    cos_1SD, sin_1SD = rotary(torch.cat(positions)[None].to(on))
    cos_S1D, sin_S1D = cos_1SD[0, :, None].to(precision), sin_1SD[0, :, None].to(precision)
    item_S = torch.arange(len(sizes)).repeat_interleave(torch.tensor(lengths)).to(on)
    several = len(sizes) > 1
    everything = Rows(tuple(lengths), item_S if several else None, cos_S1D, sin_S1D)
    chosen_S = torch.cat(image_S).to(on)
    if len(chosen_S) == sum(lengths):
        return Layout(everything, everything, chosen_S)
    cells = tuple(rows * columns for _, (rows, columns) in sizes)
    image = Rows(cells, item_S[chosen_S] if several else None, cos_S1D[chosen_S], sin_S1D[chosen_S])
    return Layout(everything, image, chosen_S)


def attend_within(
    q_SUD: Tensor, k_SUD: Tensor, v_SUD: Tensor, q_lengths: Sequence[int], lengths: Sequence[int]
) -> Tensor:
    """Attention of each item's queries to its own keys alone -> ``[S, E]``; neighbours of equal size share a call."""
    parts: list[Tensor] = []
    q_start, start = 0, 0
    for items, q_length, length in _runs(q_lengths, lengths):
        q_MULD = _by_item(q_SUD, q_start, items, q_length)
        k_MULD, v_MULD = _by_item(k_SUD, start, items, length), _by_item(v_SUD, start, items, length)
        parts.append(functional.scaled_dot_product_attention(q_MULD, k_MULD, v_MULD).transpose(1, 2).flatten(0, 1))
        q_start, start = q_start + items * q_length, start + items * length
    return (parts[0] if len(parts) == 1 else torch.cat(parts)).flatten(1)


def _by_item(x_SUD: Tensor, start: int, items: int, length: int) -> Tensor:
    """The tokens of ``items`` neighbours of equal ``length`` -> ``[M, U, L, D]``."""
    stop = start + items * length
    return x_SUD[start:stop].view(items, length, *x_SUD.shape[1:]).transpose(1, 2)


def _runs(q_lengths: Sequence[int], lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    """Neighbours of equal lengths as (items, queries, keys)."""
    runs: list[tuple[int, int, int]] = []
    for q_length, length in zip(q_lengths, lengths, strict=True):
        if runs and runs[-1][1:] == (q_length, length):
            runs[-1] = (runs[-1][0] + 1, q_length, length)
        else:
            runs.append((1, q_length, length))
    return runs
