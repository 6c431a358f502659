"""Ideogram 4's transformer over one packed sequence of many items; the library's modules are read, never changed.

Each item brings its own size, noise level, text and adapter. Its tokens lie together, text before image, and attend to
each other only. No padding: an item's sums are the same alone and in company.

Shapes: M items, S tokens of the packed sequence, T text and N image tokens of an item, E hidden width, F text
features, C latent channels, A conditioning width, X MLP width, U heads, D width of a head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

import torch
from diffusers import Ideogram4Transformer2DModel
from diffusers.models.transformers.transformer_ideogram4 import Ideogram4TransformerBlock
from torch import Tensor
from torch.nn.functional import silu

from linocut.engine.adapters.apply import Shares, grouped_order, project, share_rows
from linocut.engine.families.items import Grid, Text
from linocut.engine.families.parts.folder import float_tensor
from linocut.engine.families.parts.ideogram4_layout import FEATURES, Layout, Piece, Rows, attend_within, packed_layout
from linocut.engine.families.parts.recomputed import recomputed

TEXT, IMAGE = 0, 1
"""Rows of the library's ``embed_image_indicator``."""

LAYOUTS_KEPT = 64


@dataclass(frozen=True, eq=False)
class Step:
    """What one block's pass knows beside its tokens."""

    name: str
    conditioning_MA: Tensor
    layout: Layout
    rows: Rows
    """The tokens that leave the block: ``layout.all`` or ``layout.image``."""
    shares: Shares
    """Adapters of all tokens, and of those that leave."""
    row_shares: Shares

    def chosen(self, x_SE: Tensor) -> Tensor:
        """Those of all tokens that leave the block."""
        return x_SE if self.rows is self.layout.all else x_SE[self.layout.image_S]


class Ideogram4Network:
    """One of the family's two transformers. ``timestep_scale``: the scheduler's timesteps at sigma 1."""

    def __init__(self, transformer: Ideogram4Transformer2DModel, timestep_scale: float) -> None:
        self.transformer = transformer
        self.timestep_scale = timestep_scale
        self.heads = int(transformer.config.num_attention_heads)
        self._texts_TE: WeakKeyDictionary[Text, Tensor] = WeakKeyDictionary()
        self._layout = lru_cache(maxsize=LAYOUTS_KEPT)(self._new_layout)

    def velocity(self, pieces: Sequence[Piece], *, recompute: bool = False) -> list[Tensor]:
        """data - noise of each piece, float32 ``[N, C]``. Gradients flow to the adapters, where they are enabled.

        ``recompute``: the backward pass computes each block again instead of keeping its activations.
        """
        lengths = [piece.text_length + piece.grid[0] * piece.grid[1] for piece in pieces]
        order = grouped_order([piece.adapter for piece in pieces], lengths)
        ordered = [pieces[i] for i in order]
        layout = self._layout(tuple((piece.text_length, piece.grid) for piece in ordered))
        adapters = [piece.adapter for piece in ordered]
        shares = share_rows(adapters, layout.all.lengths)
        conditioning_MA = self._conditioning([piece.sigma for piece in ordered])
        hidden_SE = self._embed(ordered)
        through = recomputed(self._block) if recompute else self._block
        *blocks, last = self.transformer.layers
        for index, block in enumerate(blocks):
            step = Step(f"layers.{index}", conditioning_MA, layout, layout.all, shares, shares)
            hidden_SE = through(block, step, hidden_SE)
        # Nobody reads what the last block makes of the text: there it serves as keys and values only.
        image_shares = share_rows(adapters, layout.image.lengths)
        step = Step(f"layers.{len(blocks)}", conditioning_MA, layout, layout.image, shares, image_shares)
        output_SC = self._final(through(last, step, hidden_SE), step)
        parts = torch.split(output_SC.float(), list(layout.image.lengths))
        return [part for _, part in sorted(zip(order, parts, strict=True), key=lambda pair: pair[0])]

    def release(self) -> None:
        """Forget what was kept to be quicker next time."""
        self._texts_TE.clear()
        self._layout.cache_clear()

    def _new_layout(self, sizes: tuple[tuple[int, Grid], ...]) -> Layout:
        return packed_layout(sizes, self.transformer.rotary_emb, self.transformer.device, self.transformer.dtype)

    def _embed(self, pieces: Sequence[Piece]) -> Tensor:
        """The packed sequence before the first block."""
        network = self.transformer
        latents_SC = torch.cat([piece.latents_NC.to(network.device, network.dtype) for piece in pieces])
        images_SE = network.input_proj(latents_SC) + network.embed_image_indicator.weight[IMAGE]
        images_NE = torch.split(images_SE, [piece.latents_NC.shape[0] for piece in pieces])
        parts: list[Tensor] = []
        for piece, image_NE in zip(pieces, images_NE, strict=True):
            if piece.text is not None:
                parts.append(self._text(piece.text))
            parts.append(image_NE)
        return torch.cat(parts)

    def _text(self, text: Text) -> Tensor:
        """The caption's tokens before the first block: frozen, so computed once for as long as ``text`` lives."""
        known_TE = self._texts_TE.get(text)
        if known_TE is None:
            network = self.transformer
            with torch.no_grad():
                features_TF = text.tensors[FEATURES].to(network.device, network.dtype)
                projected_TE = network.llm_cond_proj(network.llm_cond_norm(features_TF))
                known_TE = projected_TE + network.embed_image_indicator.weight[TEXT]
            self._texts_TE[text] = known_TE
        return known_TE

    @torch.no_grad()
    def _conditioning(self, sigmas: Sequence[float]) -> Tensor:
        # Through the scheduler's scale and back in float32, as the pipeline goes: the embedding's fastest wave turns
        # visibly within one rounding of the time.
        network = self.transformer
        time_M = 1.0 - float_tensor(list(sigmas), network.device) * self.timestep_scale / self.timestep_scale
        conditioning_MA: Tensor = silu(network.adaln_proj(network.t_embedding(time_M.to(network.dtype))))
        return conditioning_MA

    def _block(self, block: Ideogram4TransformerBlock, step: Step, hidden_SE: Tensor) -> Tensor:
        """All tokens in, the tokens of ``step.rows`` out."""
        scale_attention, gate_attention, scale_mlp, gate_mlp = block.adaln_modulation(step.conditioning_MA).chunk(4, -1)
        spread = step.rows.spread
        normed_SE = block.attention_norm1(hidden_SE) * step.layout.all.spread(1.0 + scale_attention)
        attended_SE = self._attention(block, step, normed_SE)
        hidden_SE = step.chosen(hidden_SE) + spread(torch.tanh(gate_attention)) * block.attention_norm2(attended_SE)

        feed, name = block.feed_forward, f"{step.name}.feed_forward"
        normed_SE = block.ffn_norm1(hidden_SE) * spread(1.0 + scale_mlp)
        gated_SX = silu(project(feed.w1, f"{name}.w1", normed_SE, step.row_shares))
        gated_SX = gated_SX * project(feed.w3, f"{name}.w3", normed_SE, step.row_shares)
        fed_SE = project(feed.w2, f"{name}.w2", gated_SX, step.row_shares)
        left_SE: Tensor = hidden_SE + spread(torch.tanh(gate_mlp)) * block.ffn_norm2(fed_SE)
        return left_SE

    def _attention(self, block: Ideogram4TransformerBlock, step: Step, x_SE: Tensor) -> Tensor:
        attention, name, width = block.attention, f"{step.name}.attention", x_SE.shape[-1] // self.heads
        q_SE = project(attention.to_q, f"{name}.to_q", step.chosen(x_SE), step.row_shares)
        k_SE = project(attention.to_k, f"{name}.to_k", x_SE, step.shares)
        v_SE = project(attention.to_v, f"{name}.to_v", x_SE, step.shares)
        mixed_SE = attend_within(
            step.rows.rotate(attention.norm_q(q_SE.view(-1, self.heads, width))),
            step.layout.all.rotate(attention.norm_k(k_SE.view(-1, self.heads, width))),
            v_SE.view(-1, self.heads, width),
            step.rows.lengths,
            step.layout.all.lengths,
        )
        return project(attention.to_out[0], f"{name}.to_out.0", mixed_SE, step.row_shares)

    def _final(self, image_SE: Tensor, step: Step) -> Tensor:
        final = self.transformer.final_layer
        scale_ME = 1.0 + final.adaln_modulation(silu(step.conditioning_MA))
        output_SC: Tensor = final.linear(final.norm_final(image_SE) * step.rows.spread(scale_ME))
        return output_SC
