"""SDXL: the library's own UNet with grouped linears (``parts/grouped.py``), two text towers, Euler steps.

Shapes: B items of one batch, K = 4 latent channels, h and w latent rows and columns, T = 77 text tokens, F text
features of both towers side by side, P pooled features, H and W pixels.
"""

from collections.abc import Sequence
from functools import cached_property
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from torch import Tensor, device, dtype
from transformers import AutoTokenizer, CLIPTextModel, CLIPTextModelWithProjection

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.items import Grid, Item, Plan, Text, plan_of
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
    stacked,
)
from linocut.engine.families.parts.grouped import GroupedNetwork
from linocut.engine.families.parts.latents import as_input, as_levels, grid_of
from linocut.engine.families.parts.prediction import loss_weight_of, network_input, velocity_of
from linocut.engine.families.parts.refused import refuse_unused
from linocut.engine.families.parts.tiles import tiled
from linocut.errors import InvalidRequest
from linocut.lora_files.targets import LORA_ENDINGS

FEATURES, POOLED = "features_TF", "pooled_P"


class Sdxl(LooksAtNothing):
    """The family's protocol (``families/family.py``) over the parts of a StableDiffusionXLPipeline.

    The engine's noise level is s = sigma / (1 + sigma) of the scheduler's sigma (``parts/prediction.py``).
    """

    takes_negative_text = True

    def __init__(self, folder: Path, on: device, precision: dtype) -> None:
        no_progress_bars()
        self.zero_when_empty = bool(read_json(folder, "model_index.json").get("force_zeros_for_empty_prompt", True))
        self.unet = load_module(UNet2DConditionModel, folder, "unet", on, precision)
        self.scheduler_config = read_json(folder, "scheduler/scheduler_config.json")
        self.prediction = _prediction(folder, self.unet, self.scheduler_config)
        self.network = GroupedNetwork(self.unet, LORA_ENDINGS["sdxl"])
        self.towers: list[Any] = [
            load_tower(CLIPTextModel, folder, "text_encoder", on, precision),
            load_tower(CLIPTextModelWithProjection, folder, "text_encoder_2", on, precision),
        ]
        self.tokenizers = [
            AutoTokenizer.from_pretrained(str(part_folder(folder, name)), local_files_only=True)
            for name in ("tokenizer", "tokenizer_2")
        ]
        self.vae = load_module(AutoencoderKL, folder, "vae", on, precision)
        cumulative = EulerDiscreteScheduler.from_config(self.scheduler_config).alphas_cumprod.double().numpy()
        self._log_sigmas = np.log(((1 - cumulative) / cumulative) ** 0.5)

    def lora_targets(self) -> dict[str, tuple[int, int]]:
        """Every linear of the attention blocks -> (in, out) features."""
        return dict(self.network.targets)

    def grid(self, width: int, height: int) -> Grid:
        """(h, w). ``InvalidRequest`` off the size multiple."""
        return grid_of(width, height, 2 ** (len(self.vae.config.block_out_channels) - 1))

    def latent_shape(self, grid: Grid) -> tuple[int, ...]:
        """(K, h, w)."""
        return int(self.vae.config.latent_channels), *grid

    def by_cell(self, values_rc: Tensor) -> Tensor:
        """(1, h, w)."""
        return values_rc[None]

    def plan(self, sampling: Sampling, width: int, height: int) -> Plan:
        """The base's own Euler schedule, whatever the size. The family has neither ``mu`` nor ``std``."""
        del width, height
        scheduler = EulerDiscreteScheduler.from_config(self.scheduler_config)
        scheduler.set_timesteps(sampling.steps)
        sigmas = [float(sigma) for sigma in scheduler.sigmas]
        scale = float(scheduler.init_noise_sigma) / (1.0 + sigmas[0])
        return plan_of([sigma / (1.0 + sigma) for sigma in sigmas], sampling.guidance, scale)

    @torch.no_grad()
    def encode_text(self, captions: Sequence[str]) -> list[Text]:
        """The last but one hidden states of both towers side by side, float32 ``[T, F]``, padded to T, and the second
        tower's pooled projection ``[P]``."""
        return [self._encode_text(caption) for caption in captions]

    def voice(self) -> None:
        """CLIP says nothing."""

    @torch.no_grad()
    def encode_images(self, pixels_HWC: Sequence[Tensor]) -> list[Tensor]:
        """uint8 pictures -> scaled ``latents_Khw`` float32, the posterior's mode."""
        return [self._encode_image(picture_HWC) for picture_HWC in pixels_HWC]

    @torch.no_grad()
    def velocity(self, items: Sequence[Item]) -> list[Tensor]:
        """From n + g x (e - n) of the predictions e and, with the negative text, n; g up to 1: e alone."""
        refuse_unused(self, items)
        branches = Branches(items, self._empty, guided=lambda item: item.guidance > 1.0)
        outputs = branches.join(self.network.run(branches.items, _grid, self._forward), linearly)
        return self._velocities(items, outputs)

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
        return self._velocities(items, self.network.run(items, _grid, self._forward, recompute=recompute))

    def loss_weight(self, sigma: float) -> float:
        """The network predicts noise (or v)."""
        return loss_weight_of(self.prediction, sigma)

    @torch.no_grad()
    def decode(self, latents: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        """``latents_Khw`` -> uint8 ``pixels_HWC``, in ``tiles`` a side."""
        del grids
        scaled = [x_Khw.to(self.vae.device, torch.float32) / self.vae.config.scaling_factor for x_Khw in latents]
        return [as_levels(tiled(self._decode, x_Khw[None], tiles)[0]) for x_Khw in scaled]

    def release(self) -> None:
        """It keeps nothing."""

    @cached_property
    def _empty(self) -> Text:
        """What the guidance pushes away from when nobody says: zeros, or the empty prompt, as the base was made."""
        [empty] = self.encode_text([""])
        zeros = {name: torch.zeros_like(tensor) for name, tensor in empty.tensors.items()}
        return Text(empty.tokens, zeros) if self.zero_when_empty else empty

    def _forward(self, items: Sequence[Item]) -> Tensor:
        unet, (rows, columns) = self.unet, items[0].grid
        texts = [item.text or self._empty for item in items]
        side = 2 ** (len(self.vae.config.block_out_channels) - 1)
        height, width = rows * side, columns * side
        # Original size, the crop's corner, and the size that is drawn: a whole picture of that size.
        sizes_B6 = float_tensor([height, width, 0, 0, height, width], unet.device).repeat(len(items), 1)
        output_BKhw: Tensor = unet(
            stacked([network_input(item.latents, item.sigma) for item in items], unet),
            float_tensor([self._timestep(item.sigma) for item in items], unet.device),
            encoder_hidden_states=stacked([text.tensors[FEATURES] for text in texts], unet),
            added_cond_kwargs={
                "text_embeds": stacked([text.tensors[POOLED] for text in texts], unet),
                "time_ids": sizes_B6.to(unet.dtype),
            },
            return_dict=False,
        )[0]
        return output_BKhw

    def _velocities(self, items: Sequence[Item], outputs: Sequence[Tensor]) -> list[Tensor]:
        return [
            velocity_of(self.prediction, output, item.latents.to(output.device), item.sigma)
            for item, output in zip(items, outputs, strict=True)
        ]

    def _timestep(self, s: float) -> float:
        """The training timestep of noise level s, by the table of log sigmas; whole where the schedule's are."""
        found = float(np.interp(log(max(s / (1.0 - s), 1e-10)), self._log_sigmas, np.arange(len(self._log_sigmas))))
        return round(found) if abs(found - round(found)) < 1e-3 else found

    def _encode_text(self, caption: str) -> Text:
        states: list[Tensor] = []
        for tokenizer, tower in zip(self.tokenizers, self.towers, strict=True):
            longest = int(tokenizer.model_max_length)
            check_tokens(len(tokenizer(caption)["input_ids"]), longest)
            ids_1T = tokenizer(caption, padding="max_length", max_length=longest, return_tensors="pt")["input_ids"]
            output = tower(ids_1T.to(tower.device), output_hidden_states=True)
            states.append(output.hidden_states[-2][0].float())
        features_TF = torch.cat(states, dim=-1)
        return Text(features_TF.shape[0], {FEATURES: features_TF, POOLED: output.text_embeds[0].float()})

    def _encode_image(self, pixels_HWC: Tensor) -> Tensor:
        self.grid(pixels_HWC.shape[1], pixels_HWC.shape[0])
        pixels_1CHW = as_input(pixels_HWC, self.vae.device).to(self.vae.dtype)
        latents_Khw: Tensor = self.vae.encode(pixels_1CHW).latent_dist.mode()[0].float()
        return latents_Khw * float(self.vae.config.scaling_factor)

    def _decode(self, latents_1Khw: Tensor) -> Tensor:
        pixels_1CHW: Tensor = self.vae.decode(latents_1Khw.to(self.vae.dtype), return_dict=False)[0]
        return pixels_1CHW.float()


def _grid(item: Item) -> Grid:
    """Items of one size share a pass: every text is padded to the same length."""
    return item.grid


def _prediction(folder: Path, unet: Any, scheduler_config: dict[str, Any]) -> Any:
    """What the base predicts. ``InvalidRequest`` for a kind of base that would be drawn wrong."""
    kind = scheduler_config.get("prediction_type", "epsilon")
    if kind not in ("epsilon", "v_prediction"):
        raise InvalidRequest(f"{folder.name} predicts {kind!r}; an SDXL base must predict epsilon or v_prediction.")
    if unet.config.time_cond_proj_dim is not None:
        raise InvalidRequest(f"{folder.name} is distilled with its guidance built in (LCM); use the base behind it.")
    return kind
