"""Tiny bases with random weights on disk: a stock pipeline's directory plus ``linocut.json``. For tests of the engine.

``ideogram4_base(folder)`` and ``flux2_base(folder)`` write one and return ``folder``; the same seed gives the same
weights. They take a second and about 1 MB each, so make them once a test module.
"""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Pipeline,
    Flux2Transformer2DModel,
    Ideogram4Pipeline,
    Ideogram4Transformer2DModel,
)
from tests.engine.built_once import built_once
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    MistralConfig,
    PixtralVisionConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3VLConfig,
    Qwen3VLModel,
)

PIXELS_PER_TOKEN = 16
LATENT_CHANNELS = 4
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' }}{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{% endif %}{{ '<|im_end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>' }}{% endif %}"
)


@built_once
def ideogram4_base(folder: Path, seed: int = 0, hidden: int = 32, layers: int = 2) -> Path:
    """Ideogram 4's classes: two transformers, a text tower of the 36 layers that the taps need, and a small VAE."""
    torch.manual_seed(seed)
    words = tokenizer()
    text_hidden = 8
    shape: dict[str, Any] = {
        "in_channels": LATENT_CHANNELS * 4,
        "num_layers": layers,
        "attention_head_dim": 16,
        "num_attention_heads": hidden // 16,
        "intermediate_size": hidden * 2,
        "adaln_dim": 16,
        "llm_features_dim": 13 * text_hidden,
        "rope_theta": 100,
        "mrope_section": (4, 2, 2),
    }
    pipeline = Ideogram4Pipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=_vae(),
        text_encoder=_ideogram4_text_tower(len(words), text_hidden),
        tokenizer=words,
        transformer=lively(Ideogram4Transformer2DModel(**shape)),
        unconditional_transformer=lively(Ideogram4Transformer2DModel(**shape)),
    )
    pipeline.save_pretrained(folder)
    write_facts(folder, "ideogram4", max_text_tokens=2048)
    return folder


@built_once
def flux2_base(folder: Path, seed: int = 0, distilled: bool = False, max_text_tokens: int = 512) -> Path:
    """FLUX.2 klein's classes: two double and two single blocks, a text tower of the 28 layers that its taps need.

    Its captions are always padded to ``max_text_tokens``; the library's default is 512.
    """
    torch.manual_seed(seed)
    words = tokenizer()
    text_hidden = 8
    text_encoder = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(words),
            hidden_size=text_hidden,
            intermediate_size=16,
            num_hidden_layers=28,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=4,
            max_position_embeddings=1024,
            pad_token_id=words.pad_token_id,
            bos_token_id=None,
            eos_token_id=None,
        )
    )
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0)
    pipeline = Flux2KleinPipeline(
        scheduler=scheduler,
        vae=_vae(),
        text_encoder=lively(text_encoder),
        tokenizer=words,
        transformer=_flux2_network(text_hidden, guidance_embeds=False),
        is_distilled=distilled,
    )
    pipeline.save_pretrained(folder)
    write_facts(folder, "flux2", max_text_tokens)
    return folder


@built_once
def flux2_dev_base(folder: Path, seed: int = 0, max_text_tokens: int = 512) -> Path:
    """FLUX.2 dev's classes: klein's network with the guidance as an input, Mistral of 31 layers with a vision tower."""
    torch.manual_seed(seed)
    words, text_hidden = tokenizer(), 8
    text = MistralConfig(
        vocab_size=len(words),
        hidden_size=text_hidden,
        intermediate_size=16,
        num_hidden_layers=31,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=4,
        max_position_embeddings=1024,
        pad_token_id=words.pad_token_id,
        bos_token_id=None,
        eos_token_id=None,
    )
    vision = PixtralVisionConfig(
        hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    pipeline = Flux2Pipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        vae=_vae(),
        text_encoder=lively(Mistral3ForConditionalGeneration(Mistral3Config(text_config=text, vision_config=vision))),
        tokenizer=words,
        transformer=_flux2_network(text_hidden, guidance_embeds=True),
    )
    pipeline.save_pretrained(folder)
    write_facts(folder, "flux2_dev", max_text_tokens)
    return folder


def _flux2_network(text_hidden: int, guidance_embeds: bool) -> Flux2Transformer2DModel:
    network: Flux2Transformer2DModel = lively(
        Flux2Transformer2DModel(
            in_channels=LATENT_CHANNELS * 4,
            num_layers=2,
            num_single_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=3 * text_hidden,
            timestep_guidance_channels=32,
            axes_dims_rope=(4, 4, 4, 4),
            guidance_embeds=guidance_embeds,
        )
    )
    return network


def _ideogram4_text_tower(vocabulary: int, hidden: int) -> Qwen3VLModel:
    text = {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": 16,
        "num_hidden_layers": 36,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "max_position_embeddings": 4096,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [2, 1, 1],
            "mrope_interleaved": True,
        },
    }
    vision = {
        "depth": 1,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_heads": 2,
        "out_hidden_size": hidden,
        "num_position_embeddings": 16,
        "deepstack_visual_indexes": [0],
    }
    return lively(Qwen3VLModel(Qwen3VLConfig(text_config=text, vision_config=vision)))


def _vae() -> AutoencoderKLFlux2:
    vae = AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=4,
        sample_size=64,
        mid_block_add_attention=False,
    )
    vae.bn.running_mean.normal_()
    vae.bn.running_var.uniform_(0.5, 2.0)
    return vae


def lively(module: Any) -> Any:
    """Move every norm weight away from one, so that a forgotten norm shows."""
    for name, parameter in module.named_parameters():
        if parameter.dim() == 1 and "norm" in name and name.endswith("weight"):
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return module


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        model_max_length=2048,
        padding_side="right",
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def write_facts(folder: Path, family: str, max_text_tokens: int, **more: float) -> None:
    """The base's linocut.json, with ``more`` in it."""
    sampling = {"steps": 4, "guidance": 3.0, "mu": 0.0, "std": 1.0}
    facts = {
        "name": f"tiny-{family}",
        "family": family,
        "native_pixels": 64,
        "size_multiple": PIXELS_PER_TOKEN,
        "max_text_tokens": max_text_tokens,
        "sampling": dict.fromkeys(("FLASH", "TURBO", "DEFAULT", "QUALITY"), sampling),
        "training": {
            "lora_rank": 4,
            "learning_rate": 1e-3,
            "training_steps": 20,
            "batch_size": 2,
            "ema": 0.99,
            "caption_dropout": 0.05,
            "warmup_steps": 2,
            "weight_decay": 1e-4,
            "sigma_mean": 0.0,
            "sigma_std": 1.0,
        },
        **more,
    }
    (folder / "linocut.json").write_text(json.dumps(facts, indent=2))
