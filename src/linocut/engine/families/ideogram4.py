"""Ideogram 4: one packed sequence of text and image tokens, and a second network without text for the guidance.

Shapes: N image tokens, C latent channels, T text tokens, F = 13 x hidden text features, H and W pixels.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKLFlux2, Ideogram4Pipeline, Ideogram4Transformer2DModel
from torch import Tensor, device, dtype
from transformers import AutoModel, AutoTokenizer

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.items import Grid, Item, Plan, Text, plan_of, polished
from linocut.engine.families.parts.blind import LooksAtNothing
from linocut.engine.families.parts.folder import (
    check_tokens,
    linears,
    load_module,
    load_tower,
    no_progress_bars,
    part_folder,
    read_json,
)
from linocut.engine.families.parts.ideogram4_layout import FEATURES, Piece
from linocut.engine.families.parts.ideogram4_network import Ideogram4Network
from linocut.engine.families.parts.latents import Latents
from linocut.engine.families.parts.refused import refuse_unused
from linocut.engine.families.parts.schedule import logit_normal_sigmas, resolution_mu, scheduled
from linocut.engine.families.parts.voice import Voice
from linocut.lora_files.targets import LORA_ENDINGS

NEGATIVE_SHARE = 0.5
"""How much of what the guidance pushes away from is the negative text; the rest is the network without text
(``docs/decisions/0018``)."""


class Ideogram4(LooksAtNothing):
    """The family's protocol (``families/family.py``) over the parts of an Ideogram4Pipeline."""

    takes_negative_text = True

    def __init__(self, folder: Path, on: device, precision: dtype) -> None:
        no_progress_bars()
        self.max_text_tokens = int(read_json(folder, "linocut.json").get("max_text_tokens", 2048))
        self.scheduler_config = read_json(folder, "scheduler/scheduler_config.json")
        timesteps = float(self.scheduler_config.get("num_train_timesteps", 1000))
        conditional = load_module(Ideogram4Transformer2DModel, folder, "transformer", on, precision)
        unconditional = load_module(Ideogram4Transformer2DModel, folder, "unconditional_transformer", on, precision)
        self.conditional = Ideogram4Network(conditional, timesteps)
        self.unconditional = Ideogram4Network(unconditional, timesteps)
        self.text_encoder = load_tower(AutoModel, folder, "text_encoder", on, precision)
        self.tokenizer = AutoTokenizer.from_pretrained(str(part_folder(folder, "tokenizer")), local_files_only=True)
        self.latents = Latents(load_module(AutoencoderKLFlux2, folder, "vae", on, precision), channel_first=False)
        self._targets = linears(conditional, LORA_ENDINGS["ideogram4"])

    def lora_targets(self) -> dict[str, tuple[int, int]]:
        """Every attention and MLP linear of the conditional network -> (in, out) features."""
        return dict(self._targets)

    def grid(self, width: int, height: int) -> Grid:
        """(rows, columns) of tokens. ``InvalidRequest`` off the size multiple."""
        return self.latents.grid(width, height)

    def latent_shape(self, grid: Grid) -> tuple[int, ...]:
        """(N, C)."""
        return grid[0] * grid[1], self.latents.channels

    def by_cell(self, values_rc: Tensor) -> Tensor:
        """(N, 1)."""
        return values_rc.reshape(-1, 1)

    def plan(self, sampling: Sampling, width: int, height: int) -> Plan:
        """The logit-normal schedule with ``mu`` as its mean and ``std`` as its deviation; with ``by_size`` the mean is
        shifted as the library's own pipeline does. The last ``polish_steps`` have a guidance of their own.
        """
        mu = resolution_mu(sampling.mu, width, height) if sampling.by_size else sampling.mu
        sigmas = logit_normal_sigmas(sampling.steps, mu, sampling.std)
        return polished(plan_of(scheduled(self.scheduler_config, sigmas, None), sampling.guidance), sampling)

    @torch.no_grad()
    def encode_text(self, captions: Sequence[str]) -> list[Text]:
        """Hidden states of 13 layers side by side, float32 ``[T, 13 x hidden]``, each caption alone and unpadded.

        ``InvalidRequest`` for a caption above the base's ``max_text_tokens``.
        """
        return [self._encode_text(caption) for caption in captions]

    def voice(self) -> Voice:
        """Qwen3-VL's language model. Its head is a part of its own."""
        return Voice(self.text_encoder.language_model, self.tokenizer)

    def encode_images(self, pixels_HWC: Sequence[Tensor]) -> list[Tensor]:
        """uint8 pictures -> normalised ``latents_NC`` float32, the posterior's mode."""
        return [self.latents.encode(picture_HWC) for picture_HWC in pixels_HWC]

    @torch.no_grad()
    def velocity(self, items: Sequence[Item]) -> list[Tensor]:
        """g x conditional + (1 - g) x away, in float32; items with g = 1 see the conditional network alone.

        ``away`` is the unconditional network. For an item with a negative text it is halfway from there to what the
        conditional network says to that text, without the item's adapter (``docs/decisions/0018``). All items share
        one packed forward pass of each network; the negative texts go with the conditional one.
        """
        if not items:
            return []
        refuse_unused(self, items)
        pieces = [Piece(item.latents, item.grid, item.sigma, item.text, item.adapter) for item in items]
        guided = [i for i, item in enumerate(items) if item.guidance != 1.0]
        negated = [i for i in guided if items[i].negative is not None]
        pieces += [Piece(items[i].latents, items[i].grid, items[i].sigma, items[i].negative, None) for i in negated]
        found = self.conditional.velocity(pieces)
        towards_data, negative = found[: len(items)], dict(zip(negated, found[len(items) :], strict=True))
        if guided:
            bare = [Piece(items[i].latents, items[i].grid, items[i].sigma, None, None) for i in guided]
            for i, away_NC in zip(guided, self.unconditional.velocity(bare), strict=True):
                if i in negative:
                    away_NC = torch.lerp(away_NC, negative[i], NEGATIVE_SHARE)
                weight = items[i].guidance
                towards_data[i] = weight * towards_data[i] + (1.0 - weight) * away_NC
        # The networks predict d latents / d model time = data - noise; sigma runs the other way.
        return [-velocity_NC for velocity_NC in towards_data]

    def velocity_for_training(
        self,
        latents: Sequence[Tensor],
        grid: Grid,
        sigmas: Sequence[float],
        texts: Sequence[Text | None],
        adapter: Adapter | None,
        *,
        recompute: bool = False,
    ) -> list[Tensor]:
        """noise - data of the conditional network, float32; gradients flow to the adapter's tensors."""
        samples = zip(latents, sigmas, texts, strict=True)
        pieces = [Piece(sample_NC, grid, sigma, text, adapter) for sample_NC, sigma, text in samples]
        return [-velocity_NC for velocity_NC in self.conditional.velocity(pieces, recompute=recompute)]

    def decode(self, latents: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        """``latents_NC`` -> uint8 ``pixels_HWC``, in ``tiles`` a side."""
        return [self.latents.decode(x_NC, grid, tiles) for x_NC, grid in zip(latents, grids, strict=True)]

    def loss_weight(self, sigma: float) -> float:
        """The network predicts the velocity itself."""
        del sigma
        return 1.0

    def release(self) -> None:
        """Forget projected captions and layouts; they are made again when they are needed."""
        self.conditional.release()
        self.unconditional.release()

    def _encode_text(self, caption: str) -> Text:
        messages = [{"role": "user", "content": [{"type": "text", "text": caption}]}]
        framed = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        ids_1T = self.tokenizer(framed, return_tensors="pt", add_special_tokens=False)["input_ids"]
        count = int(ids_1T.shape[1])
        check_tokens(count, self.max_text_tokens)
        ids_1T = ids_1T.to(self.text_encoder.device)
        positions_1T = torch.arange(count, device=ids_1T.device)[None]
        taps = Ideogram4Pipeline._get_text_encoder_hidden_states(
            self.text_encoder, ids_1T, torch.ones_like(ids_1T), positions_1T
        )
        # Hidden-major: a token's 13 values of one hidden unit lie side by side.
        features_TF = torch.stack(taps, dim=0).permute(1, 2, 3, 0).reshape(count, -1).float()
        return Text(count, {FEATURES: features_TF})
