"""FLUX.2 dev: klein's network with the guidance as an input, and Mistral for its text tower.

Shapes: T text tokens, F = 3 x hidden text features, N image tokens, C latent channels.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import Flux2Pipeline
from diffusers.pipelines.flux2.pipeline_flux2 import format_input
from torch import Tensor, device, dtype
from transformers import Mistral3ForConditionalGeneration

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.flux2 import Flux2
from linocut.engine.families.items import Grid, Item, Text
from linocut.engine.families.parts.flux2_network import FEATURES, Piece
from linocut.engine.families.parts.folder import check_tokens, load_tower
from linocut.engine.families.parts.refused import refuse_unused
from linocut.engine.families.parts.voice import Voice

TRAINING_GUIDANCE = 1.0
"""The guidance that a run is trained with: pictures of a dataset were made by nobody's guidance."""


class Flux2Dev(Flux2):
    """The family's protocol (``families/family.py``) over the parts of a Flux2Pipeline.

    One pass an image at any guidance: the network was distilled with it. So there is no place for a negative text.
    """

    def __init__(self, folder: Path, on: device, precision: dtype) -> None:
        super().__init__(folder, on, precision)
        self.takes_negative_text = False

    def _load_tower(self, folder: Path, on: device, precision: dtype) -> Any:
        """The language model alone: no picture goes through it, and nobody reads its head."""
        kind = Mistral3ForConditionalGeneration
        return load_tower(kind, folder, "text_encoder", on, precision, lambda tower: tower.model.language_model)

    def voice(self) -> Voice:
        """Mistral's language model. Its head is read again when it is to write."""
        return Voice(self.text_encoder, self.tokenizer)

    @torch.no_grad()
    def velocity(self, items: Sequence[Item]) -> list[Tensor]:
        """The network's own answer at each item's guidance, float32."""
        refuse_unused(self, items)
        return self.network.velocity([
            Piece(item.latents, item.grid, item.sigma, item.text or self._empty, item.adapter, item.references,
                  item.guidance)
            for item in items
        ])  # fmt: skip

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
        """noise - data at ``TRAINING_GUIDANCE``, float32; gradients flow to the adapter's tensors."""
        pieces = [
            Piece(x_NC, grid, sigma, text or self._empty, adapter, guidance=TRAINING_GUIDANCE)
            for x_NC, sigma, text in zip(latents, sigmas, texts, strict=True)
        ]
        return self.network.velocity(pieces, recompute=recompute)

    def _encode_text(self, caption: str) -> Text:
        """Hidden states of layers 10, 20 and 30 one after another, padded to the full length, as klein's."""
        framed = self.tokenizer.apply_chat_template(format_input([caption])[0], tokenize=False)
        count = len(self.tokenizer(framed, add_special_tokens=False)["input_ids"])
        check_tokens(count, self.max_text_tokens)
        features_1TF = Flux2Pipeline._get_mistral_3_small_prompt_embeds(
            self.text_encoder, self.tokenizer, caption, max_sequence_length=self.max_text_tokens
        )
        return Text(features_1TF.shape[1], {FEATURES: features_1TF[0].float()})
