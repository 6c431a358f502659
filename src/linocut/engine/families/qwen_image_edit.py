"""Qwen-Image-Edit, and Edit-Plus (2509 and later): Qwen-Image whose network and text tower look at pictures.

Shapes: T text tokens (those that stand for pictures too), F text features, H and W pixels.
"""

from collections.abc import Sequence
from math import sqrt
from pathlib import Path

import torch
from torch import Tensor, device, dtype
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from linocut.engine.families.items import Look, Size, Text
from linocut.engine.families.parts.folder import check_tokens, part_folder, read_json
from linocut.engine.families.qwen_image import FEATURES, QwenImage
from linocut.errors import InvalidRequest

FRAME = (
    "<|im_start|>system\nDescribe the key features of the input image (color, shape, size, texture, objects, "
    "background), then explain how the user's text instruction should alter or modify the image. Generate a new image "
    "that meets the user's requirements while maintaining consistency with the original input where appropriate."
    "<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
)
FRAME_TOKENS = 64
"""How these bases were taught to be asked (the pipelines' ``prompt_template_encode``), and how much of it is cut."""

PICTURE, ONE_PICTURE = "Picture {}: <|vision_start|>{}<|vision_end|>", "<|vision_start|>{}<|vision_end|>"
"""How a picture stands in a text: numbered from 1 for Edit-Plus, alone for Edit."""

PAD = "<|image_pad|>"
BLANK = "blank_TF"
NETWORK_AREA = 1024 * 1024
PLUS_TEXT_AREA = 384 * 384
SIDE = 32
"""Areas in pixels to which a picture is scaled for the network, and for the text tower of Edit-Plus (Edit's sees what
the network sees); sides are multiples of ``SIDE``. All from the library's pipelines."""


class QwenImageEdit(QwenImage):
    """The family's protocol (``families/family.py``) over the parts of a QwenImageEdit(Plus)Pipeline.

    Edit looks at one picture, Edit-Plus at several. Without any it draws from the text alone. The library's processor
    is not needed, which would ask for torchvision: its picture part and the tokenizer do the same.
    """

    takes_references = True
    frame, frame_tokens = FRAME, FRAME_TOKENS

    def __init__(self, folder: Path, on: device, precision: dtype) -> None:
        super().__init__(folder, on, precision)
        self.is_plus = read_json(folder, "model_index.json").get("_class_name") == "QwenImageEditPlusPipeline"
        self.pictures = Qwen2VLImageProcessorPil.from_pretrained(str(part_folder(folder, "processor")))

    def look(self, width: int, height: int) -> Look:
        """The shape kept as nearly as whole multiples of 32 allow."""
        seen = _sized(NETWORK_AREA, width, height)
        return Look(seen, _sized(PLUS_TEXT_AREA, width, height) if self.is_plus else seen)

    @torch.no_grad()
    def encode_text_with(self, caption: str, pictures_HWC: Sequence[Tensor]) -> Text:
        """As ``encode_text``, the pictures before the caption; the blank of the guidance is made with them too."""
        if not self.is_plus and len(pictures_HWC) > 1:
            raise InvalidRequest(f"This base looks at one picture; {len(pictures_HWC)} were sent. Send one.")
        seen = self.pictures(images=[picture_HWC.cpu().numpy() for picture_HWC in pictures_HWC], return_tensors="pt")
        counts = (seen["image_grid_thw"].prod(dim=-1) // self.pictures.merge_size**2).tolist()
        features_TF, blank_TF = (self._with_pictures(text, seen, counts) for text in (caption, " "))
        return Text(features_TF.shape[0], {FEATURES: features_TF, BLANK: blank_TF})

    def _with_pictures(self, caption: str, seen: dict[str, Tensor], counts: Sequence[int]) -> Tensor:
        spelled = [PICTURE.format(i + 1, PAD * count) if self.is_plus else ONE_PICTURE.format(PAD * count)
                   for i, count in enumerate(counts)]  # fmt: skip
        ids_1T = self.tokenizer(FRAME.format("".join(spelled) + caption), return_tensors="pt")["input_ids"]
        check_tokens(int(ids_1T.shape[1]) - FRAME_TOKENS - sum(counts), self.max_text_tokens)
        tower = self.text_encoder
        states = tower.model(
            input_ids=ids_1T.to(tower.device),
            attention_mask=torch.ones_like(ids_1T).to(tower.device),
            pixel_values=seen["pixel_values"].to(tower.device, tower.dtype),
            image_grid_thw=seen["image_grid_thw"].to(tower.device),
            output_hidden_states=True,
        )
        features_TF: Tensor = states.hidden_states[-1][0, FRAME_TOKENS:].float()
        return features_TF

    def _blank_beside(self, text: Text | None) -> Text:
        blank_TF = text.tensors.get(BLANK) if text else None
        return self._blank if blank_TF is None else Text(blank_TF.shape[0], {FEATURES: blank_TF})


def _sized(area: int, width: int, height: int) -> Size:
    """About that many pixels in about that shape."""
    ratio = width / height
    exact = sqrt(area * ratio)
    return max(SIDE, round(exact / SIDE) * SIDE), max(SIDE, round(exact / ratio / SIDE) * SIDE)
