"""FLUX.2's transformer over batches of equal shape; the library's modules are read, never changed.

Items of one grid and text length share a forward pass; each keeps its own noise level and adapter.

Shapes: B items of one batch, T text and N image tokens (its references' too), L = T + N, E hidden width, X mlp width,
F text features, C latent channels, U heads, D width of a head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

import torch
from diffusers import Flux2Transformer2DModel
from diffusers.models.transformers.transformer_flux2 import Flux2SingleTransformerBlock, Flux2TransformerBlock
from torch import Tensor
from torch.nn import functional
from torch.nn.functional import silu

from linocut.engine.adapters.apply import Adapter, Shares, grouped_order, project, share_rows
from linocut.engine.families.items import Grid, Reference, Text
from linocut.engine.families.parts.folder import float_tensor, stacked
from linocut.engine.families.parts.recomputed import recomputed

FEATURES = "features_TF"
"""The name of a text's one tensor."""

REFERENCE_TIME = 10
"""How far apart references lie on the time axis; the image itself is at 0."""

Layout = tuple[tuple[Grid, ...], int]
"""The grids of an item's image and references, and its text's length."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One item of a forward pass."""

    latents_NC: Tensor
    grid: Grid
    sigma: float
    text: Text
    adapter: Adapter | None
    references: tuple[Reference, ...] = ()
    guidance: float | None = None
    """The embedded guidance of a network that was distilled with it."""

    @property
    def layout(self) -> Layout:
        """Items of one layout share a batch."""
        return (self.grid, *(reference.grid for reference in self.references)), self.text.tokens

    @property
    def all_tokens(self) -> Tensor:
        """The image's latents, then those of the references."""
        if not self.references:
            return self.latents_NC
        others = [reference.latents.to(self.latents_NC.device) for reference in self.references]
        return torch.cat([self.latents_NC, *others])


class Flux2Network:
    """The family's transformer."""

    def __init__(self, transformer: Flux2Transformer2DModel, timestep_scale: float) -> None:
        self.transformer = transformer
        self.timestep_scale = timestep_scale
        self._texts_TE: WeakKeyDictionary[Text, Tensor] = WeakKeyDictionary()
        self.rotary = lru_cache(maxsize=64)(self._rotary)

    def velocity(self, pieces: Sequence[Piece], *, recompute: bool = False) -> list[Tensor]:
        """noise - data of each piece, float32 ``[N, C]``. Gradients flow to the adapters, where they are enabled.

        ``recompute``: the backward pass computes each block again instead of keeping its activations.
        """
        groups: dict[Layout, list[int]] = {}
        for index, piece in enumerate(pieces):
            groups.setdefault(piece.layout, []).append(index)
        found: dict[int, Tensor] = {}
        for members in groups.values():
            order = grouped_order([pieces[i].adapter for i in members], [1] * len(members))
            ordered = [members[i] for i in order]
            outputs_BNC = self._batch([pieces[i] for i in ordered], recompute)
            found.update(zip(ordered, outputs_BNC.float().unbind(0), strict=True))
        return [found[index] for index in range(len(pieces))]

    def release(self) -> None:
        """Forget what was kept to be quicker next time."""
        self._texts_TE.clear()
        self.rotary.cache_clear()

    def _batch(self, pieces: Sequence[Piece], recompute: bool) -> Tensor:
        """The forward pass of items of equal shape."""
        network = self.transformer
        double, single = (recomputed(_double), recomputed(_single)) if recompute else (_double, _single)
        time_B = float_tensor([piece.sigma for piece in pieces], network.device) * self.timestep_scale
        # Scaled down and up again, and cast in between, exactly as the pipeline and the network do it.
        conditioning_BE = network.time_guidance_embed(
            (time_B / self.timestep_scale).to(network.dtype) * 1000, _guidance(pieces, network)
        )
        image_mods = _shift_scale_gate(network.double_stream_modulation_img(conditioning_BE), 2)
        text_mods = _shift_scale_gate(network.double_stream_modulation_txt(conditioning_BE), 2)
        single_mods = _shift_scale_gate(network.single_stream_modulation(conditioning_BE), 1)

        latents_BNC = stacked([piece.all_tokens for piece in pieces], network)
        image_BNE = network.x_embedder(latents_BNC)
        text_BTE = torch.stack([self._text(piece.text) for piece in pieces])
        rotary = self.rotary(pieces[0].layout)
        shares = share_rows([piece.adapter for piece in pieces], [1] * len(pieces))
        for index, block in enumerate(network.transformer_blocks):
            name = f"transformer_blocks.{index}"
            text_BTE, image_BNE = double(block, name, text_BTE, image_BNE, text_mods, image_mods, rotary, shares)
        joint_BLE = torch.cat([text_BTE, image_BNE], dim=1)
        for index, block in enumerate(network.single_transformer_blocks):
            name = f"single_transformer_blocks.{index}"
            joint_BLE = single(block, name, joint_BLE, single_mods[0], rotary, shares)
        start, (rows, columns) = text_BTE.shape[1], pieces[0].grid
        image_BNE = joint_BLE[:, start : start + rows * columns]
        output_BNC: Tensor = network.proj_out(network.norm_out(image_BNE, conditioning_BE))
        return output_BNC

    def _text(self, text: Text) -> Tensor:
        """The caption's tokens before the first block: frozen, so computed once for as long as ``text`` lives."""
        known_TE = self._texts_TE.get(text)
        if known_TE is None:
            with torch.no_grad():
                known_TE = self.transformer.context_embedder(
                    text.tensors[FEATURES].to(self.transformer.device, self.transformer.dtype)
                )
            self._texts_TE[text] = known_TE
        return known_TE

    @torch.no_grad()
    def _rotary(self, layout: Layout) -> tuple[Tensor, Tensor]:
        """cos and sin, float32 ``[1, L, 1, D]``: axes (time, row, column, text position)."""
        grids, text_tokens = layout
        one = torch.arange(1)
        parts = [torch.cartesian_prod(one, one, one, torch.arange(text_tokens))]
        for index, (rows, columns) in enumerate(grids):
            time = torch.tensor([REFERENCE_TIME * index])
            parts.append(torch.cartesian_prod(time, torch.arange(rows), torch.arange(columns), one))
        cos_LD, sin_LD = self.transformer.pos_embed(torch.cat(parts).to(self.transformer.device))
        return cos_LD[None, :, None], sin_LD[None, :, None]


def _guidance(pieces: Sequence[Piece], network: Flux2Transformer2DModel) -> Tensor | None:
    """``[B]``, scaled as the network does it; None where the network has no such input."""
    given = [piece.guidance for piece in pieces if piece.guidance is not None]
    return float_tensor(given, network.device).to(network.dtype) * 1000 if given else None


Mods = tuple[Tensor, Tensor, Tensor]
"""(shift, scale, gate), each ``[B, 1, E]``."""


def _shift_scale_gate(mods_BX: Tensor, sets: int) -> list[Mods]:
    shift_scale_gate = mods_BX[:, None].chunk(3 * sets, dim=-1)
    return [(shift_scale_gate[3 * i], shift_scale_gate[3 * i + 1], shift_scale_gate[3 * i + 2]) for i in range(sets)]


def _double(
    block: Flux2TransformerBlock,
    name: str,
    text_BTE: Tensor,
    image_BNE: Tensor,
    text_mods: list[Mods],
    image_mods: list[Mods],
    rotary: tuple[Tensor, Tensor],
    shares: Shares,
) -> tuple[Tensor, Tensor]:
    """A double block: text and image have their own weights and meet in the attention."""
    (shift, scale, gate), (shift_mlp, scale_mlp, gate_mlp) = image_mods
    (c_shift, c_scale, c_gate), (c_shift_mlp, c_scale_mlp, c_gate_mlp) = text_mods
    attn, at = block.attn, f"{name}.attn"
    x_BNE = (1 + scale) * block.norm1(image_BNE) + shift
    c_BTE = (1 + c_scale) * block.norm1_context(text_BTE) + c_shift
    q_BNUD = attn.norm_q(_heads(project(attn.to_q, f"{at}.to_q", x_BNE, shares), attn.head_dim))
    k_BNUD = attn.norm_k(_heads(project(attn.to_k, f"{at}.to_k", x_BNE, shares), attn.head_dim))
    v_BNUD = _heads(project(attn.to_v, f"{at}.to_v", x_BNE, shares), attn.head_dim)
    q_BTUD = attn.norm_added_q(_heads(project(attn.add_q_proj, f"{at}.add_q_proj", c_BTE, shares), attn.head_dim))
    k_BTUD = attn.norm_added_k(_heads(project(attn.add_k_proj, f"{at}.add_k_proj", c_BTE, shares), attn.head_dim))
    v_BTUD = _heads(project(attn.add_v_proj, f"{at}.add_v_proj", c_BTE, shares), attn.head_dim)
    mixed_BLE = _attend(
        torch.cat([q_BTUD, q_BNUD], dim=1),
        torch.cat([k_BTUD, k_BNUD], dim=1),
        torch.cat([v_BTUD, v_BNUD], dim=1),
        rotary,
    )
    text_tokens = text_BTE.shape[1]
    mixed_BTE, mixed_BNE = mixed_BLE[:, :text_tokens], mixed_BLE[:, text_tokens:]
    image_BNE = image_BNE + gate * project(attn.to_out[0], f"{at}.to_out.0", mixed_BNE, shares)
    text_BTE = text_BTE + c_gate * project(attn.to_add_out, f"{at}.to_add_out", mixed_BTE, shares)

    x_BNE = block.norm2(image_BNE) * (1 + scale_mlp) + shift_mlp
    gated_BNX = _swiglu(project(block.ff.linear_in, f"{name}.ff.linear_in", x_BNE, shares))
    image_BNE = image_BNE + gate_mlp * project(block.ff.linear_out, f"{name}.ff.linear_out", gated_BNX, shares)
    c_BTE = block.norm2_context(text_BTE) * (1 + c_scale_mlp) + c_shift_mlp
    feed, at = block.ff_context, f"{name}.ff_context"
    gated_BTX = _swiglu(project(feed.linear_in, f"{at}.linear_in", c_BTE, shares))
    text_BTE = text_BTE + c_gate_mlp * project(feed.linear_out, f"{at}.linear_out", gated_BTX, shares)
    return text_BTE, image_BNE


def _single(
    block: Flux2SingleTransformerBlock,
    name: str,
    joint_BLE: Tensor,
    mods: Mods,
    rotary: tuple[Tensor, Tensor],
    shares: Shares,
) -> Tensor:
    """A single block: one fused linear in, attention and MLP side by side, one fused linear out."""
    shift, scale, gate = mods
    attn = block.attn
    x_BLE = (1 + scale) * block.norm(joint_BLE) + shift
    fused = project(attn.to_qkv_mlp_proj, f"{name}.attn.to_qkv_mlp_proj", x_BLE, shares)
    qkv, mlp = torch.split(fused, [3 * attn.inner_dim, attn.mlp_hidden_dim * attn.mlp_mult_factor], dim=-1)
    q_BLUD, k_BLUD, v_BLUD = (_heads(part, attn.head_dim) for part in qkv.chunk(3, dim=-1))
    mixed_BLE = _attend(attn.norm_q(q_BLUD), attn.norm_k(k_BLUD), v_BLUD, rotary)
    both = torch.cat([mixed_BLE, _swiglu(mlp)], dim=-1)
    return joint_BLE + gate * project(attn.to_out, f"{name}.attn.to_out", both, shares)


def _heads(x_BLE: Tensor, width: int) -> Tensor:
    return x_BLE.view(*x_BLE.shape[:2], -1, width)


def _swiglu(fused: Tensor) -> Tensor:
    gate, value = fused.chunk(2, dim=-1)
    return silu(gate) * value


def _attend(q_BLUD: Tensor, k_BLUD: Tensor, v_BLUD: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Full attention within each item -> ``[B, L, E]``."""
    q_BLUD, k_BLUD = _rotate(q_BLUD, rotary), _rotate(k_BLUD, rotary)
    q_BULD, k_BULD, v_BULD = q_BLUD.transpose(1, 2), k_BLUD.transpose(1, 2), v_BLUD.transpose(1, 2)
    return functional.scaled_dot_product_attention(q_BULD, k_BULD, v_BULD).transpose(1, 2).flatten(2)


def _rotate(x_BLUD: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Turn neighbouring pairs of values, in float32."""
    cos, sin = rotary
    even, odd = x_BLUD.float().view(*x_BLUD.shape[:-1], -1, 2).unbind(-1)
    turned_BLUD = torch.stack([-odd, even], dim=-1).flatten(-2)
    return (x_BLUD.float() * cos + turned_BLUD * sin).to(x_BLUD.dtype)
