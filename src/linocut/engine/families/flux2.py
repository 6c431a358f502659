"""FLUX.2 klein: double and single blocks, one network; its guidance runs it again on the empty prompt.

Shapes: N image tokens, C latent channels, T text tokens, F = 3 x hidden text features, H and W pixels.
"""

from collections.abc import Sequence
from functools import cached_property
from math import sqrt
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLFlux2, Flux2KleinPipeline, Flux2Transformer2DModel
from torch import Tensor, device, dtype
from transformers import AutoTokenizer, Qwen3ForCausalLM

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.items import Grid, Item, Look, Plan, Text, plan_of
from linocut.engine.families.parts.blind import SeesNoPictures
from linocut.engine.families.parts.flux2_network import FEATURES, Flux2Network, Piece
from linocut.engine.families.parts.folder import (
    check_tokens,
    linears,
    load_module,
    load_tower,
    no_progress_bars,
    part_folder,
    read_json,
)
from linocut.engine.families.parts.latents import Latents
from linocut.engine.families.parts.refused import refuse_unused
from linocut.engine.families.parts.schedule import flux2_mu, linear_sigmas, scheduled
from linocut.engine.families.parts.voice import Voice
from linocut.lora_files.targets import LORA_ENDINGS

REFERENCE_AREA = 1024 * 1024
"""The most pixels that the network is shown of a reference (from the library's pipelines)."""


class Flux2(SeesNoPictures):
    """The family's protocol (``families/family.py``) over the parts of a Flux2KleinPipeline.

    A base whose ``model_index.json`` says ``is_distilled`` ignores the guidance, as the library's pipeline does,
    and so takes no negative text.
    """

    takes_references = True

    def __init__(self, folder: Path, on: device, precision: dtype) -> None:
        no_progress_bars()
        self.max_text_tokens = int(read_json(folder, "linocut.json").get("max_text_tokens", 512))
        self.is_distilled = bool(read_json(folder, "model_index.json").get("is_distilled", False))
        self.takes_negative_text = not self.is_distilled
        self.scheduler_config = read_json(folder, "scheduler/scheduler_config.json")
        transformer = load_module(Flux2Transformer2DModel, folder, "transformer", on, precision)
        self.network = Flux2Network(transformer, float(self.scheduler_config.get("num_train_timesteps", 1000)))
        self.text_encoder: Any = self._load_tower(folder, on, precision)
        self.tokenizer = AutoTokenizer.from_pretrained(str(part_folder(folder, "tokenizer")), local_files_only=True)
        self.latents = Latents(load_module(AutoencoderKLFlux2, folder, "vae", on, precision), channel_first=True)
        self._targets = linears(transformer, LORA_ENDINGS["flux2"])

    def _load_tower(self, folder: Path, on: device, precision: dtype) -> Any:
        return load_tower(Qwen3ForCausalLM, folder, "text_encoder", on, precision)

    def lora_targets(self) -> dict[str, tuple[int, int]]:
        """Every attention and MLP linear of the double and single blocks -> (in, out) features."""
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
        """FLUX.2's schedule, shifted by its fit to size and steps; ``mu`` is added to that fit's mean, so 0 is the
        library's own schedule. The family has no ``std``.
        """
        (rows, columns), steps = self.grid(width, height), sampling.steps
        mu = flux2_mu(rows * columns, steps) + sampling.mu
        return plan_of(scheduled(self.scheduler_config, linear_sigmas(steps), mu), sampling.guidance)

    @torch.no_grad()
    def encode_text(self, captions: Sequence[str]) -> list[Text]:
        """Hidden states of layers 9, 18 and 27 one after another, float32 ``[T, 3 x hidden]``.

        T is always the base's ``max_text_tokens``: this network was trained to look at the padding, which the text
        tower fills with what it knows of the caption, so the padding belongs to the features here. ``InvalidRequest``
        for a caption above that length, which the library would cut.
        """
        return [self._encode_text(caption) for caption in captions]

    def look(self, width: int, height: int) -> Look:
        """As it is, or scaled down to ``REFERENCE_AREA``; cut to whole tokens."""
        shrunk = min(1.0, sqrt(REFERENCE_AREA / (width * height)))
        side = self.latents.pixels_per_token
        columns, rows = (max(1, int(pixels * shrunk) // side) for pixels in (width, height))
        return Look((columns * side, rows * side))

    def voice(self) -> Voice:
        """Qwen3, with its head."""
        return Voice(self.text_encoder.model, self.tokenizer, self.text_encoder.lm_head)

    def encode_images(self, pixels_HWC: Sequence[Tensor]) -> list[Tensor]:
        """uint8 pictures -> normalised ``latents_NC`` float32, the posterior's mode."""
        return [self.latents.encode(picture_HWC) for picture_HWC in pixels_HWC]

    @torch.no_grad()
    def velocity(self, items: Sequence[Item]) -> list[Tensor]:
        """g x v(text) + (1 - g) x v(negative text, or the empty prompt) in float32, adapter and references in both.

        As in the library's pipeline a distilled base ignores g, and g <= 1 asks for the conditional branch alone.
        """
        if not items:
            return []
        refuse_unused(self, items)
        pieces = [self._piece(item, item.text) for item in items]
        guided = [i for i, item in enumerate(items) if item.guidance > 1.0 and not self.is_distilled]
        bare = [self._piece(items[i], items[i].negative) for i in guided]
        found = self.network.velocity(pieces + bare)
        velocities = found[: len(items)]
        for i, without_NC in zip(guided, found[len(items) :], strict=True):
            velocities[i] = without_NC + items[i].guidance * (velocities[i] - without_NC)
        return velocities

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
        """noise - data, float32, without guidance; gradients flow to the adapter's tensors. No text: the empty one."""
        samples = zip(latents, sigmas, texts, strict=True)
        pieces = [Piece(sample_NC, grid, sigma, text or self._empty, adapter) for sample_NC, sigma, text in samples]
        return self.network.velocity(pieces, recompute=recompute)

    def decode(self, latents: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        """``latents_NC`` -> uint8 ``pixels_HWC``, in ``tiles`` a side."""
        return [self.latents.decode(x_NC, grid, tiles) for x_NC, grid in zip(latents, grids, strict=True)]

    def loss_weight(self, sigma: float) -> float:
        """The network predicts the velocity itself."""
        del sigma
        return 1.0

    def release(self) -> None:
        """Forget projected captions and layouts; they are made again when they are needed."""
        self.network.release()

    def _piece(self, item: Item, text: Text | None) -> Piece:
        return Piece(item.latents, item.grid, item.sigma, text or self._empty, item.adapter, item.references)

    @cached_property
    def _empty(self) -> Text:
        """The features of the empty prompt, which the guidance pushes away from."""
        return self.encode_text([""])[0]

    def _encode_text(self, caption: str) -> Text:
        messages = [{"role": "user", "content": caption}]
        framed = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        count = len(self.tokenizer(framed)["input_ids"])
        check_tokens(count, self.max_text_tokens)
        features_1TF = Flux2KleinPipeline._get_qwen3_prompt_embeds(
            self.text_encoder.model,  # nobody reads what its head makes of 512 tokens
            self.tokenizer,
            caption,
            device=self.text_encoder.device,
            max_sequence_length=self.max_text_tokens,
        )
        return Text(features_1TF.shape[1], {FEATURES: features_1TF[0].float()})
