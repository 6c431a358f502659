"""Tiny bases with random weights of the families that stand on the library's own forward pass."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLQwenImage,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    QwenImageEditPipeline,
    QwenImageEditPlusPipeline,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from tests.engine.built_once import built_once
from tests.engine.tiny_bases import lively, tokenizer, write_facts
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoTokenizer,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLProcessor,
    Qwen3Config,
    Qwen3Model,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil


@built_once
def qwen_image_base(folder: Path, seed: int = 0) -> Path:
    """Qwen-Image's classes: two blocks, a text tower of two layers, the film autoencoder."""
    torch.manual_seed(seed)
    words = tokenizer()
    text_hidden = 16
    transformer = QwenImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=text_hidden,
        axes_dims_rope=(4, 6, 6),
    )
    text = {
        "vocab_size": len(words),
        "hidden_size": text_hidden,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 2048,
        "rope_scaling": {"type": "default", "mrope_section": [1, 1, 2]},
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": text_hidden}
    tower = Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision))
    vae = AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[1.5, 0.7, 1.1, 2.0],
    )
    pipeline = QwenImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, base_shift=0.5, max_shift=0.9, max_image_seq_len=8192, shift_terminal=0.02
        ),
        vae=lively(vae),
        text_encoder=lively(tower),
        tokenizer=words,
        transformer=lively(transformer),
    )
    pipeline.save_pretrained(folder)
    write_facts(folder, "qwen_image", max_text_tokens=512)
    return folder


VISION_TOKENS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")


@built_once
def qwen_image_edit_base(folder: Path, seed: int = 0, plus: bool = True) -> Path:
    """Qwen-Image-Edit(-Plus): Qwen-Image's classes, a text tower that is told which token stands for a picture, and the
    part of its processor that needs no torchvision."""
    qwen_image_base(folder, seed)
    words = AutoTokenizer.from_pretrained(str(folder / "tokenizer"))
    words.add_special_tokens({"additional_special_tokens": list(VISION_TOKENS)})
    words.save_pretrained(folder / "tokenizer")
    tower = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder / "text_encoder")
    torch.manual_seed(seed + 1)
    tower.resize_token_embeddings(len(words))
    start, _, image, video = (words.convert_tokens_to_ids(token) for token in VISION_TOKENS)
    tower.config.image_token_id, tower.config.video_token_id, tower.config.vision_start_token_id = image, video, start
    tower.save_pretrained(folder / "text_encoder")
    Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=28 * 28 * 64).save_pretrained(folder / "processor")
    index = json.loads((folder / "model_index.json").read_text())
    index["_class_name"] = f"QwenImageEdit{'Plus' * plus}Pipeline"
    index["processor"] = ["transformers", "Qwen2VLProcessor"]
    (folder / "model_index.json").write_text(json.dumps(index))
    write_facts(folder, "qwen_image_edit", max_text_tokens=512)
    return folder


class Processor(Qwen2VLProcessor):
    """The library's, without the part for films, which needs torchvision."""

    def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
        """Nobody looks at the part for films."""
        return None if argument is None else super().check_argument_for_proper_class(argument_name, argument)


def stock_edit(folder: Path) -> Any:
    """The library's pipeline on a base of ``qwen_image_edit_base``, its processor put together here."""
    kind = {"QwenImageEditPipeline": QwenImageEditPipeline, "QwenImageEditPlusPipeline": QwenImageEditPlusPipeline}[
        json.loads((folder / "model_index.json").read_text())["_class_name"]
    ]
    words = AutoTokenizer.from_pretrained(str(folder / "tokenizer"))
    pictures = Qwen2VLImageProcessorPil.from_pretrained(str(folder / "processor"))
    pipeline = kind(
        scheduler=FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler"),
        vae=AutoencoderKLQwenImage.from_pretrained(folder / "vae"),
        text_encoder=Qwen2_5_VLForConditionalGeneration.from_pretrained(folder / "text_encoder"),
        tokenizer=words,
        processor=Processor(image_processor=pictures, tokenizer=words, video_processor=None),
        transformer=QwenImageTransformer2DModel.from_pretrained(folder / "transformer"),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@built_once
def z_image_base(folder: Path, seed: int = 0, dynamic: bool = False, shift: float = 3.0, **facts: float) -> Path:
    """Z-Image's classes: one layer of each refiner and two others, a text tower of three layers, a plain autoencoder.

    ``facts`` go into linocut.json. Its pad tokens are random: freshly made ones hold zeros, which would hide a mistake.
    """
    torch.manual_seed(seed)
    words, text_hidden = tokenizer(), 16
    transformer = ZImageTransformer2DModel(
        in_channels=4,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=text_hidden,
        axes_dims=[4, 6, 6],
        axes_lens=[640, 32, 32],
    )
    for token in (transformer.x_pad_token, transformer.cap_pad_token):
        torch.nn.init.normal_(token)
    tower = Qwen3Model(
        Qwen3Config(
            vocab_size=len(words),
            hidden_size=text_hidden,
            intermediate_size=32,
            num_hidden_layers=3,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=8,
            max_position_embeddings=1024,
            pad_token_id=words.pad_token_id,
        )
    )
    pipeline = ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=dynamic, shift=shift),
        vae=plain_vae(scaling_factor=0.36, shift_factor=0.12),
        text_encoder=lively(tower),
        tokenizer=words,
        transformer=lively(transformer),
    )
    pipeline.save_pretrained(folder)
    write_facts(folder, "z_image", max_text_tokens=512, **facts)
    return folder


def plain_vae(**scaling: float) -> AutoencoderKL:
    """The autoencoder of Z-Image and SDXL: four latent channels, an eighth of the side."""
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        layers_per_block=1,
        **scaling,
    )


@built_once
def sdxl_base(folder: Path, seed: int = 0, prediction: str = "epsilon", zeros: bool = True) -> Path:
    """SDXL's classes: a UNet of two levels, two text towers of different width, the plain autoencoder."""
    torch.manual_seed(seed)
    first, second = _clip_tokenizer(), _clip_tokenizer()
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 1),
        projection_class_embeddings_input_dim=6 * 8 + 24,
        cross_attention_dim=16 + 24,
        norm_num_groups=4,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=plain_vae(scaling_factor=0.13),
        text_encoder=CLIPTextModel(_clip(16, first)),
        text_encoder_2=CLIPTextModelWithProjection(_clip(24, second)),
        tokenizer=first,
        tokenizer_2=second,
        unet=lively(unet),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            prediction_type=prediction,
            timestep_spacing="leading",
            steps_offset=1,
        ),
        force_zeros_for_empty_prompt=zeros,
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder)
    write_facts(folder, "sdxl", max_text_tokens=77)
    return folder


def _clip(hidden: int, words: PreTrainedTokenizerFast) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=hidden,
        intermediate_size=32,
        projection_dim=hidden,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=77,
        eos_token_id=words.eos_token_id,
        bos_token_id=words.bos_token_id,
        pad_token_id=words.pad_token_id,
    )


def _clip_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte between a beginning and an end, 77 at most."""
    words = tokenizer()
    words.model_max_length = 77
    words.bos_token = "<|im_start|>"
    words.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|im_start|> $A <|im_end|>",
        special_tokens=[(token, words.convert_tokens_to_ids(token)) for token in ("<|im_start|>", "<|im_end|>")],
    )
    return words
