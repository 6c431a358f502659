"""Qwen-Image: the library's own forward pass with grouped linears (``parts/grouped.py``).

Shapes: B items of one batch, N image tokens, C = K x 2 x 2 channels of a token, K latent channels, T text tokens,
F text features, h and w latent rows and columns, H and W pixels.
"""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from diffusers import AutoencoderKLQwenImage, QwenImageTransformer2DModel
from diffusers.pipelines.qwenimage.pipeline_qwenimage import calculate_shift
from torch import Tensor, device, dtype
from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.items import Grid, Item, Plan, Text, plan_of
from linocut.engine.families.parts.blind import LooksAtNothing
from linocut.engine.families.parts.branches import Branches, training_items
from linocut.engine.families.parts.folder import (
    check_tokens,
    float_tensor,
    load_module,
    load_tower,
    no_progress_bars,
    part_folder,
    read_json,
    stacked,
)
from linocut.engine.families.parts.grouped import GroupedNetwork
from linocut.engine.families.parts.latents import PATCH, as_input, as_levels, grid_of, packed, unpacked
from linocut.engine.families.parts.refused import refuse_unused
from linocut.engine.families.parts.schedule import linear_sigmas, scheduled
from linocut.engine.families.parts.tiles import tiled
from linocut.engine.families.parts.voice import Voice
from linocut.lora_files.targets import LORA_ENDINGS

FRAME = (
    "<|im_start|>system\nDescribe the image by detailing the color, shape, size, texture, quantity, text, spatial "
    "relationships of the objects and background:<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
)
FRAME_TOKENS = 34
"""How the base was taught to be asked (the pipeline's ``prompt_template_encode``), and how much of it is cut."""

FEATURES = "features_TF"


class QwenImage(LooksAtNothing):
    """The family's protocol (``families/family.py``) over the parts of a QwenImagePipeline."""

    takes_negative_text = True
    frame, frame_tokens = FRAME, FRAME_TOKENS

    def __init__(self, folder: Path, on: device, precision: dtype) -> None:
        no_progress_bars()
        self.max_text_tokens = int(read_json(folder, "linocut.json").get("max_text_tokens", 1024))
        self.scheduler_config = read_json(folder, "scheduler/scheduler_config.json")
        self.transformer = load_module(QwenImageTransformer2DModel, folder, "transformer", on, precision)
        self.network = GroupedNetwork(self.transformer, LORA_ENDINGS["qwen_image"])
        self.text_encoder = load_tower(Qwen2_5_VLForConditionalGeneration, folder, "text_encoder", on, precision)
        self.tokenizer = AutoTokenizer.from_pretrained(str(part_folder(folder, "tokenizer")), local_files_only=True)
        self.vae = load_module(AutoencoderKLQwenImage, folder, "vae", on, precision)
        self.mean_K111 = float_tensor(self.vae.config.latents_mean, on).view(-1, 1, 1, 1)
        self.std_K111 = float_tensor(self.vae.config.latents_std, on).view(-1, 1, 1, 1)

    def lora_targets(self) -> dict[str, tuple[int, int]]:
        """Every attention and MLP linear of the blocks -> (in, out) features."""
        return dict(self.network.targets)

    def grid(self, width: int, height: int) -> Grid:
        """(rows, columns) of tokens. ``InvalidRequest`` off the size multiple."""
        return grid_of(width, height, PATCH * 2 ** len(self.vae.temperal_downsample))

    def latent_shape(self, grid: Grid) -> tuple[int, ...]:
        """(N, C)."""
        return grid[0] * grid[1], int(self.vae.config.z_dim) * PATCH * PATCH

    def by_cell(self, values_rc: Tensor) -> Tensor:
        """(N, 1)."""
        return values_rc.reshape(-1, 1)

    def plan(self, sampling: Sampling, width: int, height: int) -> Plan:
        """The scheduler's own shift for the size, ``mu`` added to its mean. The family has no ``std``."""
        config, (rows, columns) = self.scheduler_config, self.grid(width, height)
        shift = calculate_shift(
            rows * columns,
            config.get("base_image_seq_len", 256),
            config.get("max_image_seq_len", 4096),
            config.get("base_shift", 0.5),
            config.get("max_shift", 1.15),
        )
        sigmas = scheduled(config, linear_sigmas(sampling.steps), shift + sampling.mu)
        return plan_of(sigmas, sampling.guidance)

    @torch.no_grad()
    def encode_text(self, captions: Sequence[str]) -> list[Text]:
        """The last hidden state, float32 ``[T, F]``, each caption alone and unpadded, the frame's first tokens cut."""
        return [self._encode_text(caption) for caption in captions]

    def voice(self) -> Voice:
        """Qwen2.5-VL's language model, with its head."""
        return Voice(self.text_encoder.model.language_model, self.tokenizer, self.text_encoder.lm_head)

    @torch.no_grad()
    def encode_images(self, pixels_HWC: Sequence[Tensor]) -> list[Tensor]:
        """uint8 pictures -> normalised ``latents_NC`` float32, the posterior's mode of a film of one frame."""
        return [self._encode_image(picture_HWC) for picture_HWC in pixels_HWC]

    @torch.no_grad()
    def velocity(self, items: Sequence[Item]) -> list[Tensor]:
        """n + g x (v - n), n with the negative text (or a blank), then as long in each token as v; g up to 1: v alone.

        Items of one size and one text length share a pass; nothing is padded.
        """
        refuse_unused(self, items)
        items = [replace(item, negative=item.negative or self._blank_beside(item.text)) for item in items]
        branches = Branches(items, self._blank, guided=lambda item: item.guidance > 1.0)
        return branches.join(self.network.run(branches.items, _alike, self._forward), _rescaled)

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
        """noise - data, float32, without guidance; gradients flow to the adapter's tensors. No text: a blank."""
        items = training_items(latents, grid, sigmas, [text or self._blank for text in texts], adapter)
        return self.network.run(items, _alike, self._forward, recompute=recompute)

    def loss_weight(self, sigma: float) -> float:
        """The network predicts the velocity itself."""
        del sigma
        return 1.0

    @torch.no_grad()
    def decode(self, latents: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        """``latents_NC`` -> uint8 ``pixels_HWC``, in ``tiles`` a side."""
        return [self._decode(x_NC, grid, tiles) for x_NC, grid in zip(latents, grids, strict=True)]

    def release(self) -> None:
        """It keeps nothing."""

    def _blank_beside(self, text: Text | None) -> Text:
        """The blank that goes with a text."""
        del text
        return self._blank

    @cached_property
    def _blank(self) -> Text:
        """What the guidance pushes away from when nobody says: a single space, as the base's authors do."""
        return self.encode_text([" "])[0]

    def _forward(self, items: Sequence[Item]) -> Tensor:
        network, grids = self.transformer, _grids(items[0])
        timestep_B = float_tensor([item.sigma for item in items], network.device) * 1000.0
        output_BNC: Tensor = network(
            hidden_states=stacked([_tokens(item) for item in items], network),
            timestep=timestep_B.to(network.dtype) / 1000,
            encoder_hidden_states=stacked([(item.text or self._blank).tensors[FEATURES] for item in items], network),
            img_shapes=[[(1, *grid) for grid in grids]] * len(items),
            return_dict=False,
        )[0]
        return output_BNC[:, : items[0].latents.shape[0]]

    def _encode_text(self, caption: str) -> Text:
        ids_1T = self.tokenizer(self.frame.format(caption), return_tensors="pt")["input_ids"].to(
            self.text_encoder.device
        )
        count = int(ids_1T.shape[1]) - self.frame_tokens
        check_tokens(count, self.max_text_tokens)
        # Its body alone: nobody reads what its head makes of the text.
        body, seen_1T = self.text_encoder.model, torch.ones_like(ids_1T)
        states = body(input_ids=ids_1T, attention_mask=seen_1T, output_hidden_states=True)
        return Text(count, {FEATURES: states.hidden_states[-1][0, self.frame_tokens :].float()})

    def _encode_image(self, pixels_HWC: Tensor) -> Tensor:
        height, width, _ = pixels_HWC.shape
        grid = self.grid(width, height)
        film_1C1HW = as_input(pixels_HWC, self.vae.device).to(self.vae.dtype)[:, :, None]
        latents_K1hw = self.vae.encode(film_1C1HW).latent_dist.mode()[0].float()
        normalised_K1hw: Tensor = (latents_K1hw - self.mean_K111) / self.std_K111
        return packed(normalised_K1hw[:, 0], grid, channel_first=True)

    def _decode(self, latents_NC: Tensor, grid: Grid, tiles: int) -> Tensor:
        latents_Khw = unpacked(latents_NC.to(self.vae.device, torch.float32), grid, channel_first=True)
        latents_1Khw = (latents_Khw[:, None] * self.std_K111 + self.mean_K111)[None, :, 0]
        return as_levels(tiled(self._decode_film, latents_1Khw, tiles)[0])

    def _decode_film(self, latents_1Khw: Tensor) -> Tensor:
        film_1C1HW: Tensor = self.vae.decode(latents_1Khw.to(self.vae.dtype)[:, :, None], return_dict=False)[0]
        return film_1C1HW[:, :, 0].float()


def _grids(item: Item) -> tuple[Grid, ...]:
    """The image's grid, then those of its references."""
    return item.grid, *(reference.grid for reference in item.references)


def _tokens(item: Item) -> Tensor:
    """The image's latents, then those of its references."""
    others = [reference.latents.to(item.latents.device) for reference in item.references]
    return torch.cat([item.latents, *others]) if others else item.latents


def _alike(item: Item) -> Hashable:
    """The library places a whole batch by its first sizes, and would pad texts: items of other shapes go separately."""
    return _grids(item), item.text.tokens if item.text else None


def _rescaled(with_text_NC: Tensor, without_NC: Tensor, guidance: float) -> Tensor:
    """Guided, then each token as long as it was with the text alone."""
    guided_NC = without_NC + guidance * (with_text_NC - without_NC)
    lengths_N1, guided_N1 = (torch.linalg.vector_norm(x, dim=-1, keepdim=True) for x in (with_text_NC, guided_NC))
    rescaled_NC: Tensor = guided_NC * (lengths_N1 / guided_N1)
    return rescaled_NC
