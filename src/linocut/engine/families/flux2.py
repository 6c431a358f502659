"""FLUX.2 klein: double and single blocks, one network; its guidance runs it again on the empty prompt.

Shapes: N image tokens, C latent channels, T text tokens, F = 3 x hidden text features, H and W pixels.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from diffusers import AutoencoderKLFlux2, Flux2KleinPipeline, Flux2Transformer2DModel
from torch import Tensor, device, dtype
from transformers import AutoTokenizer, Qwen3ForCausalLM

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.parts.flux2_network import LORA_ENDINGS, Flux2Network, Piece
from linocut.engine.families.parts.folder import (
    check_tokens,
    linears,
    load_module,
    no_progress_bars,
    part_folder,
    read_json,
)
from linocut.engine.families.parts.latents import Latents
from linocut.engine.families.parts.schedule import flux2_mu, linear_sigmas, scheduled
from linocut.engine.work import Denoise, Grid, TextFeatures


class Flux2:
    """The family's protocol (``families/family.py``) over the parts of a Flux2KleinPipeline.

    A base whose ``model_index.json`` says ``is_distilled`` ignores the guidance, as the library's pipeline does.
    """

    def __init__(self, folder: Path, on: device, precision: dtype) -> None:
        no_progress_bars()
        self.max_text_tokens = int(read_json(folder, "linocut.json").get("max_text_tokens", 512))
        self.is_distilled = bool(read_json(folder, "model_index.json").get("is_distilled", False))
        self.scheduler_config = read_json(folder, "scheduler/scheduler_config.json")
        transformer = load_module(Flux2Transformer2DModel, folder, "transformer", on, precision)
        self.network = Flux2Network(transformer, float(self.scheduler_config.get("num_train_timesteps", 1000)))
        self.text_encoder = load_module(Qwen3ForCausalLM, folder, "text_encoder", on, precision)
        self.tokenizer = AutoTokenizer.from_pretrained(str(part_folder(folder, "tokenizer")), local_files_only=True)
        self.latents = Latents(load_module(AutoencoderKLFlux2, folder, "vae", on, precision), channel_first=True)
        self._targets = linears(transformer, LORA_ENDINGS)

    @classmethod
    def load(cls, folder: Path, on: device, precision: dtype) -> "Flux2":
        """The base in ``folder``, frozen, from local files only. ``InvalidRequest`` when a part is missing."""
        return cls(folder, on, precision)

    def lora_targets(self) -> dict[str, tuple[int, int]]:
        """Every attention and MLP linear of the double and single blocks -> (in, out) features."""
        return dict(self._targets)

    def grid(self, width: int, height: int) -> Grid:
        """(rows, columns) of tokens. ``InvalidRequest`` off the size multiple."""
        return self.latents.grid(width, height)

    def latent_shape(self, grid: Grid) -> tuple[int, int]:
        """(N, C)."""
        return grid[0] * grid[1], self.latents.channels

    def sigmas(self, steps: int, mu: float, std: float, width: int, height: int) -> list[float]:
        """FLUX.2's schedule, shifted by its fit to size and steps; ``mu`` is added to that fit's mean, so 0 is the
        library's own schedule. The family has no ``std``. ``steps`` sigmas, then 0.
        """
        del std
        rows, columns = self.grid(width, height)
        return scheduled(self.scheduler_config, linear_sigmas(steps), flux2_mu(rows * columns, steps) + mu)

    @torch.no_grad()
    def encode_text(self, captions: Sequence[str]) -> list[TextFeatures]:
        """Hidden states of layers 9, 18 and 27 one after another, float32 ``[T, 3 x hidden]``.

        T is always the base's ``max_text_tokens``: this network was trained to look at the padding, which the text
        tower fills with what it knows of the caption, so the padding belongs to the features here. ``InvalidRequest``
        for a caption above that length, which the library would cut.
        """
        return [self._encode_text(caption) for caption in captions]

    def encode_images(self, pixels_HWC: Sequence[Tensor]) -> list[Tensor]:
        """uint8 pictures -> normalised ``latents_NC`` float32, the posterior's mode."""
        return [self.latents.encode(picture_HWC) for picture_HWC in pixels_HWC]

    @torch.no_grad()
    def velocity(self, items: Sequence[Denoise]) -> list[Tensor]:
        """g x v(text) + (1 - g) x v(empty prompt) in float32, the adapter in both.

        As in the library's pipeline a distilled base ignores g, and g <= 1 asks for the conditional branch alone.
        """
        if not items:
            return []
        pieces = [
            Piece(item.latents_NC, item.grid, item.sigma, item.text or self._empty, item.adapter) for item in items
        ]
        guided = [i for i, item in enumerate(items) if item.guidance > 1.0 and not self.is_distilled]
        bare = [
            Piece(items[i].latents_NC, items[i].grid, items[i].sigma, self._empty, items[i].adapter) for i in guided
        ]
        found = self.network.velocity(pieces + bare)
        velocities = found[: len(items)]
        for i, without_NC in zip(guided, found[len(items) :], strict=True):
            velocities[i] = without_NC + items[i].guidance * (velocities[i] - without_NC)
        return velocities

    def velocity_for_training(
        self,
        latents_NC: Sequence[Tensor],
        grid: Grid,
        sigmas: Sequence[float],
        texts: Sequence[TextFeatures | None],
        adapter: Adapter | None,
        *,
        recompute: bool = False,
    ) -> list[Tensor]:
        """noise - data, float32, without guidance; gradients flow to the adapter's tensors. No text: the empty one."""
        samples = zip(latents_NC, sigmas, texts, strict=True)
        pieces = [Piece(sample_NC, grid, sigma, text or self._empty, adapter) for sample_NC, sigma, text in samples]
        return self.network.velocity(pieces, recompute=recompute)

    def decode(self, latents_NC: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        """``latents_NC`` -> uint8 ``pixels_HWC``, in ``tiles`` a side."""
        return [self.latents.decode(x_NC, grid, tiles) for x_NC, grid in zip(latents_NC, grids, strict=True)]

    def release(self) -> None:
        """Forget projected captions and layouts; they are made again when they are needed."""
        self.network.release()

    @cached_property
    def _empty(self) -> TextFeatures:
        """The features of the empty prompt, which the guidance pushes away from."""
        return self.encode_text([""])[0]

    def _encode_text(self, caption: str) -> TextFeatures:
        messages = [{"role": "user", "content": caption}]
        framed = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        count = len(self.tokenizer(framed)["input_ids"])
        check_tokens(count, self.max_text_tokens)
        features_1TF = Flux2KleinPipeline._get_qwen3_prompt_embeds(
            self.text_encoder, self.tokenizer, caption, max_sequence_length=self.max_text_tokens
        )
        token_ids_T = torch.tensor(self.tokenizer(framed)["input_ids"], device=self.text_encoder.device)
        return TextFeatures(features_TF=features_1TF[0].float(), token_ids_T=token_ids_T)
