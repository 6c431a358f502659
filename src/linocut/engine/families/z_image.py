"""Z-Image and Z-Image-Turbo: the library's own forward pass with grouped linears (``parts/grouped.py``).

Shapes: B items of one batch, N image tokens, K latent channels, C = 2 x 2 x K channels of a token, T text tokens,
F text features, h and w latent rows and columns, H and W pixels.
"""

from collections.abc import Hashable, Sequence
from functools import cached_property
from math import exp
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ZImageTransformer2DModel
from diffusers.models.transformers.transformer_z_image import SEQ_MULTI_OF
from diffusers.pipelines.z_image.pipeline_z_image import calculate_shift
from torch import Tensor, device, dtype
from transformers import AutoModel, AutoTokenizer

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.items import Grid, Item, Plan, Step, Text, plan_of
from linocut.engine.families.parts.blind import LooksAtNothing
from linocut.engine.families.parts.branches import Branches, linearly, training_items
from linocut.engine.families.parts.folder import (
    check_tokens,
    float_tensor,
    load_module,
    load_tower,
    no_progress_bars,
    part_folder,
    read_json,
)
from linocut.engine.families.parts.grouped import GroupedNetwork
from linocut.engine.families.parts.latents import PATCH, as_input, as_levels, grid_of, packed, unpacked
from linocut.engine.families.parts.refused import refuse_unused
from linocut.engine.families.parts.schedule import linear_sigmas, scheduled
from linocut.engine.families.parts.tiles import tiled
from linocut.engine.families.parts.voice import Voice
from linocut.lora_files.targets import LORA_ENDINGS

FEATURES = "features_TF"


class ZImage(LooksAtNothing):
    """The family's protocol (``families/family.py``) over the parts of a ZImagePipeline.

    Guidance g is neg + g (pos - neg), as for every family; the library's ``guidance_scale`` is g - 1. Turbo is drawn
    with g = 1.
    """

    takes_negative_text = True

    def __init__(self, folder: Path, on: device, precision: dtype) -> None:
        no_progress_bars()
        facts = read_json(folder, "linocut.json")
        self.max_text_tokens = int(facts.get("max_text_tokens", 512))
        self.cfg_normalization = float(facts.get("cfg_normalization", 0.0))
        self.cfg_truncation = float(facts.get("cfg_truncation", 1.0))
        self.scheduler_config = read_json(folder, "scheduler/scheduler_config.json")
        self.transformer = load_module(ZImageTransformer2DModel, folder, "transformer", on, precision)
        self.network = GroupedNetwork(self.transformer, LORA_ENDINGS["z_image"])
        self.text_encoder = load_tower(AutoModel, folder, "text_encoder", on, precision)
        self.tokenizer = AutoTokenizer.from_pretrained(str(part_folder(folder, "tokenizer")), local_files_only=True)
        self.vae = load_module(AutoencoderKL, folder, "vae", on, precision)
        self.vae_shift = float(self.vae.config.shift_factor or 0.0)

    def lora_targets(self) -> dict[str, tuple[int, int]]:
        """Every attention and MLP linear of the layers and of both refiners -> (in, out) features."""
        return dict(self.network.targets)

    def grid(self, width: int, height: int) -> Grid:
        """(rows, columns) of tokens. ``InvalidRequest`` off the size multiple."""
        return grid_of(width, height, PATCH * 2 ** (len(self.vae.config.block_out_channels) - 1))

    def latent_shape(self, grid: Grid) -> tuple[int, ...]:
        """(N, C)."""
        return grid[0] * grid[1], int(self.transformer.in_channels) * PATCH * PATCH

    def by_cell(self, values_rc: Tensor) -> Tensor:
        """(N, 1)."""
        return values_rc.reshape(-1, 1)

    def plan(self, sampling: Sampling, width: int, height: int) -> Plan:
        """The scheduler's own shift, of the size where it is dynamic; ``mu`` is added to its mean (a static shift is
        multiplied by exp(mu), which is the same). The family has no ``std``.

        Steps nearer to the picture than the base's ``cfg_truncation`` (1 - sigma above it) go without guidance.
        """
        config, (rows, columns) = self.scheduler_config, self.grid(width, height)
        mean = calculate_shift(
            rows * columns,
            config.get("base_image_seq_len", 256),
            config.get("max_image_seq_len", 4096),
            config.get("base_shift", 0.5),
            config.get("max_shift", 1.15),
        )
        if not config.get("use_dynamic_shifting", False) and sampling.mu:
            config = {**config, "shift": float(config.get("shift", 1.0)) * exp(sampling.mu)}
        plan = plan_of(scheduled(config, linear_sigmas(sampling.steps), mean + sampling.mu), sampling.guidance)
        return Plan(tuple(self._truncated(step) for step in plan.steps), plan.start_scale)

    @torch.no_grad()
    def encode_text(self, captions: Sequence[str]) -> list[Text]:
        """The last but one hidden state, float32 ``[T, F]``, each caption alone and unpadded, its chat frame included.

        ``InvalidRequest`` for a caption above the base's ``max_text_tokens``, which the library would cut.
        """
        return [self._encode_text(caption) for caption in captions]

    def voice(self) -> Voice:
        """Qwen3. The table of words is its head."""
        return Voice(self.text_encoder, self.tokenizer)

    @torch.no_grad()
    def encode_images(self, pixels_HWC: Sequence[Tensor]) -> list[Tensor]:
        """uint8 pictures -> normalised ``latents_NC`` float32, the posterior's mode."""
        return [self._encode_image(picture_HWC) for picture_HWC in pixels_HWC]

    @torch.no_grad()
    def velocity(self, items: Sequence[Item]) -> list[Tensor]:
        """n + g x (v - n), n with the negative text (or the empty one); g up to 1: v alone.

        Items of one size whose texts fill equally many blocks of 32 tokens share a pass.
        """
        refuse_unused(self, items)
        branches = Branches(items, self._empty, guided=lambda item: item.guidance > 1.0)
        return branches.join(self.network.run(branches.items, _alike, self._forward), self._joined)

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
        items = training_items(latents, grid, sigmas, [text or self._empty for text in texts], adapter)
        return self.network.run(items, _alike, self._forward, recompute=recompute)

    def loss_weight(self, sigma: float) -> float:
        """The network predicts the velocity itself, of the other sign."""
        del sigma
        return 1.0

    @torch.no_grad()
    def decode(self, latents: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        """``latents_NC`` -> uint8 ``pixels_HWC``, in ``tiles`` a side."""
        return [self._decode(x_NC, grid, tiles) for x_NC, grid in zip(latents, grids, strict=True)]

    def release(self) -> None:
        """It keeps nothing."""

    @cached_property
    def _empty(self) -> Text:
        """What the guidance pushes away from when nobody says: the frame around no text."""
        return self.encode_text([""])[0]

    def _truncated(self, step: Step) -> Step:
        return Step(step.sigma, step.sigma_next, 1.0) if 1.0 - step.sigma > self.cfg_truncation else step

    def _forward(self, items: Sequence[Item]) -> Tensor:
        network = self.transformer
        sigma_B = float_tensor([item.sigma for item in items], network.device)
        films = [
            unpacked(item.latents.to(network.device, network.dtype), item.grid, channel_first=False)[:, None]
            for item in items
        ]
        texts = [(item.text or self._empty).tensors[FEATURES].to(network.device, network.dtype) for item in items]
        # Its time runs from noise (0) to the picture (1), through the scheduler's thousand as in the pipeline.
        towards_data: list[Tensor] = network(films, (1000 - sigma_B * 1000) / 1000, texts, return_dict=False)[0]
        found = [packed(film[:, 0], item.grid, False) for film, item in zip(towards_data, items, strict=True)]
        return -torch.stack(found)

    def _joined(self, with_text_NC: Tensor, without_NC: Tensor, guidance: float) -> Tensor:
        """Guided; where the base's ``cfg_normalization`` is above 0, at most so many times as long as with the text
        alone."""
        guided_NC = linearly(with_text_NC, without_NC, guidance)
        if self.cfg_normalization > 0.0:
            longest = torch.linalg.vector_norm(with_text_NC) * self.cfg_normalization
            guided_NC = guided_NC * (longest / torch.linalg.vector_norm(guided_NC)).clamp(max=1.0)
        return guided_NC

    def _encode_text(self, caption: str) -> Text:
        framed = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": caption}], tokenize=False, add_generation_prompt=True, enable_thinking=True
        )
        ids_1T = self.tokenizer(framed, return_tensors="pt")["input_ids"].to(self.text_encoder.device)
        count = int(ids_1T.shape[1])
        check_tokens(count, self.max_text_tokens)
        states = self.text_encoder(input_ids=ids_1T, attention_mask=torch.ones_like(ids_1T), output_hidden_states=True)
        return Text(count, {FEATURES: states.hidden_states[-2][0].float()})

    def _encode_image(self, pixels_HWC: Tensor) -> Tensor:
        grid = self.grid(pixels_HWC.shape[1], pixels_HWC.shape[0])
        pixels_1CHW = as_input(pixels_HWC, self.vae.device).to(self.vae.dtype)
        latents_Khw = self.vae.encode(pixels_1CHW).latent_dist.mode()[0].float()
        normalised_Khw: Tensor = (latents_Khw - self.vae_shift) * float(self.vae.config.scaling_factor)
        return packed(normalised_Khw, grid, channel_first=False)

    def _decode(self, latents_NC: Tensor, grid: Grid, tiles: int) -> Tensor:
        latents_Khw = unpacked(latents_NC.to(self.vae.device, torch.float32), grid, channel_first=False)
        scaled_Khw = latents_Khw / self.vae.config.scaling_factor + self.vae_shift
        return as_levels(tiled(self._pixels, scaled_Khw[None], tiles)[0])

    def _pixels(self, latents_1Khw: Tensor) -> Tensor:
        pixels_1CHW: Tensor = self.vae.decode(latents_1Khw.to(self.vae.dtype), return_dict=False)[0]
        return pixels_1CHW.float()


def _alike(item: Item) -> Hashable:
    """The network fills each text up to a multiple of 32 with a token of its own; more filling would change it."""
    return item.grid, -(-item.text.tokens // SEQ_MULTI_OF) if item.text else None
