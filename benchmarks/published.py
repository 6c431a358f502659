"""The bases of the catalogue as their authors publish them, without their weights: folders of configs at full size.

For plans and proofs that need shapes alone. Run as a script (minutes; it takes names of bases for less) it writes
``src/linocut/bases/published.json``, one base at a time: a run that breaks off keeps what it has.
Layers and widths are those of the published configs, as far as they are known here.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2Transformer2DModel,
    Ideogram4Transformer2DModel,
    QwenImageTransformer2DModel,
    UNet2DConditionModel,
    ZImageTransformer2DModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    MistralConfig,
    PixtralVisionConfig,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
    Qwen3VLConfig,
    Qwen3VLModel,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.engine.tiny_bases import tokenizer
from tests.engine.tiny_grouped import _clip_tokenizer

from linocut.bases import Base
from linocut.bases.folder import facts_of
from linocut.bases.published import FILE, Published
from linocut.bases.reading import TensorFacts
from linocut.bases.sizes import BaseSizes, Part, part_of
from linocut.engine.families.family import load_family
from linocut.engine.measure import META, passes_of
from linocut.files import write_durably

WORDS = 151936


def published_configs(name: str, folder: Path) -> Path:
    """A folder with the configs of the base ``name`` of the catalogue, and tokenizers of one token a byte."""
    with torch.device("meta"):
        parts, index, scheduler = MAKE[name]()
    named: dict[str, Any] = {"_class_name": index.pop("_class_name"), **index}
    for part, module in parts.items():
        library = "transformers" if part.startswith("text_encoder") else "diffusers"
        named[part] = [library, type(module).__name__]
        module.config.save_pretrained(folder / part) if library == "transformers" else module.save_config(folder / part)
    for part in ("tokenizer", "tokenizer_2") if "text_encoder_2" in parts else ("tokenizer",):
        named[part] = ["transformers", "PreTrainedTokenizerFast"]
        (_clip_tokenizer() if "text_encoder_2" in parts else tokenizer()).save_pretrained(folder / part)
    named["scheduler"] = ["diffusers", type(scheduler).__name__]
    scheduler.save_config(folder / "scheduler")
    if "Edit" in named["_class_name"]:
        Qwen2VLImageProcessorPil().save_pretrained(folder / "processor")
    (folder / "model_index.json").write_text(json.dumps(named))
    return folder


def _qwen3(kind: Any, hidden: int, inner: int, tied: bool = False) -> Any:
    return kind(
        Qwen3Config(
            vocab_size=WORDS, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=36, num_attention_heads=32,
            num_key_value_heads=8, head_dim=128, tie_word_embeddings=tied, bos_token_id=None, eos_token_id=None,
        )
    )  # fmt: skip


def _ideogram4() -> Any:
    text = {
        "vocab_size": WORDS, "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 5e6, "mrope_section": [24, 20, 20], "mrope_interleaved": True
        },
    }  # fmt: skip
    vision = {
        "depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16, "out_hidden_size": 4096,
        "deepstack_visual_indexes": [8, 16, 24],
    }  # fmt: skip
    parts = {
        "transformer": Ideogram4Transformer2DModel(),
        "unconditional_transformer": Ideogram4Transformer2DModel(),
        "text_encoder": Qwen3VLModel(Qwen3VLConfig(text_config=text, vision_config=vision)),
        "vae": AutoencoderKLFlux2(),
    }
    return parts, {"_class_name": "Ideogram4Pipeline"}, FlowMatchEulerDiscreteScheduler()


def _klein(double: int, single: int, heads: int, hidden: int, inner: int, distilled: bool) -> Callable[[], Any]:
    def make() -> Any:
        transformer = Flux2Transformer2DModel(
            num_layers=double, num_single_layers=single, num_attention_heads=heads, joint_attention_dim=3 * hidden,
            guidance_embeds=False,
        )  # fmt: skip
        tower = _qwen3(Qwen3ForCausalLM, hidden, inner, tied=hidden < 4096)
        parts = {"transformer": transformer, "text_encoder": tower, "vae": AutoencoderKLFlux2()}
        scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0)
        return parts, {"_class_name": "Flux2KleinPipeline", "is_distilled": distilled}, scheduler

    return make


def _qwen_image() -> Any:
    text = {
        "vocab_size": 152064, "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
        "num_attention_heads": 28, "num_key_value_heads": 4,
        "rope_scaling": {"type": "default", "mrope_section": [16, 24, 24]},
    }  # fmt: skip
    vision = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 3584}
    parts = {
        "transformer": QwenImageTransformer2DModel(),
        "text_encoder": Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision)),
        "vae": AutoencoderKLQwenImage(),
    }
    scheduler = FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True, base_shift=0.5, max_shift=0.9, max_image_seq_len=8192, shift_terminal=0.02
    )
    return parts, {"_class_name": "QwenImagePipeline"}, scheduler


def _qwen_image_edit(plus: bool) -> Callable[[], Any]:
    def make() -> Any:
        parts, index, scheduler = _qwen_image()
        return parts, {**index, "_class_name": f"QwenImageEdit{'Plus' * plus}Pipeline"}, scheduler

    return make


def _dev() -> Any:
    text = MistralConfig(
        vocab_size=131072, hidden_size=5120, intermediate_size=32768, num_hidden_layers=40, num_attention_heads=32,
        num_key_value_heads=8, head_dim=128, rope_theta=1e9,
    )  # fmt: skip
    vision = PixtralVisionConfig(
        hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, image_size=1540,
        patch_size=14,
    )  # fmt: skip
    parts = {
        "transformer": Flux2Transformer2DModel(),
        "text_encoder": Mistral3ForConditionalGeneration(Mistral3Config(text_config=text, vision_config=vision)),
        "vae": AutoencoderKLFlux2(),
    }
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0)
    return parts, {"_class_name": "Flux2Pipeline"}, scheduler


def _z_image(shift: float) -> Callable[[], Any]:
    def make() -> Any:
        parts = {
            "transformer": ZImageTransformer2DModel(),
            "text_encoder": _qwen3(Qwen3Model, 2560, 9728),
            "vae": _vae(16, shift_factor=0.1159, scaling_factor=0.3611),
        }
        return parts, {"_class_name": "ZImagePipeline"}, FlowMatchEulerDiscreteScheduler(shift=shift)

    return make


def _vae(channels: int, **more: Any) -> Any:
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=channels,
        layers_per_block=2,
        sample_size=1024,
        **more,
    )


def _sdxl(side: int) -> Callable[[], Any]:
    def make() -> Any:
        unet = UNet2DConditionModel(
            sample_size=side, in_channels=4, out_channels=4, block_out_channels=(320, 640, 1280), layers_per_block=2,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), attention_head_dim=(5, 10, 20),
            use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=256,
            transformer_layers_per_block=(1, 2, 10), projection_class_embeddings_input_dim=2816,
            cross_attention_dim=2048,
        )  # fmt: skip
        first = CLIPTextConfig(
            vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
            projection_dim=768, eos_token_id=2,
        )  # fmt: skip
        second = CLIPTextConfig(
            vocab_size=49408, hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20,
            projection_dim=1280, eos_token_id=2,
        )  # fmt: skip
        parts = {
            "unet": unet, "text_encoder": CLIPTextModel(first), "text_encoder_2": CLIPTextModelWithProjection(second),
            "vae": _vae(4, scaling_factor=0.13025),
        }  # fmt: skip
        with torch.device("cpu"):
            scheduler = EulerDiscreteScheduler(
                beta_start=0.00085,
                beta_end=0.012,
                beta_schedule="scaled_linear",
                timestep_spacing="leading",
                steps_offset=1,
            )
        return parts, {"_class_name": "StableDiffusionXLPipeline"}, scheduler

    return make


MAKE: dict[str, Callable[[], Any]] = {
    "ideogram-4": _ideogram4,
    "flux2-klein-4b": _klein(5, 20, 24, 2560, 9728, True),
    "flux2-klein-base-4b": _klein(5, 20, 24, 2560, 9728, False),
    "flux2-klein-9b": _klein(8, 24, 32, 4096, 12288, True),
    "flux2-klein-base-9b": _klein(8, 24, 32, 4096, 12288, False),
    "flux2-dev": _dev,
    "qwen-image": _qwen_image,
    "qwen-image-edit": _qwen_image_edit(plus=False),
    "qwen-image-edit-2509": _qwen_image_edit(plus=True),
    "z-image-turbo": _z_image(3.0),
    "z-image": _z_image(6.0),
    "sdxl": _sdxl(128),
    "sdxl-turbo": _sdxl(64),
}


def counted(name: str, folder: Path) -> Published:
    """What a plan counts with for the base whose configs are in ``folder``."""
    base = msgspec.convert({**facts_of(folder), "identity": name}, Base)
    family: Any = load_family(base.family, folder, META, torch.bfloat16)
    network = getattr(family, "transformer", None) or getattr(family, "unet", None)
    networks = [family.conditional.transformer, family.unconditional.transformer] if base.family == "ideogram4" else []
    towers = getattr(family, "towers", None) or [family.text_encoder]
    coder = getattr(family, "vae", None) or family.latents.vae
    sizes = BaseSizes(
        networks=tuple(_part("transformer", one) for one in networks or [network or family.network.transformer]),
        towers=tuple(_part("text_encoder", one) for one in towers),
        autoencoders=(_part("vae", coder),),
    )
    values = base.training.lora_rank * sum(i + o for i, o in family.lora_targets().values())
    return Published(sizes, passes_of(family, base, META, torch.bfloat16), values)


def _part(name: str, module: torch.nn.Module) -> Part:
    return part_of(
        name,
        [
            TensorFacts(key.replace(".base.", "."), "BF16", tuple(one.shape), 2 * one.numel())
            for key, one in module.named_parameters()
        ],
    )


def kept(name: str, one: Published, file: Path) -> None:
    """Put one base's figures into the file, which is whole at any moment; the others' stay."""
    found = msgspec.convert(json.loads(file.read_text()), dict[str, Published]) if file.exists() else {}
    found[name] = one
    if name == "ideogram-4":
        # The authors' nf4 files are the same networks in four bits (10.4 GB for both); fp8 is said of the others.
        found["ideogram-4-nf4"] = msgspec.structs.replace(one, is_packed=True)
    order = [*MAKE, "ideogram-4-nf4"]
    ordered = {key: found[key] for key in sorted(found, key=order.index)}
    write_durably(file, msgspec.json.format(msgspec.json.encode(ordered), indent=1) + b"\n")


def main() -> int:
    """Count those that are asked for, and write each into the file as soon as it is counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"these bases alone: {', '.join(MAKE)}")
    parser.add_argument("--file", type=Path, default=FILE, help="where the figures are kept")
    asked = parser.parse_args()
    names = asked.names or list(MAKE)
    if unknown := [name for name in names if name not in MAKE]:
        parser.error(f"there are no configs for {', '.join(unknown)}; there are for {', '.join(MAKE)}")
    for number, name in enumerate(names):
        print(f"If this breaks off: python benchmarks/published.py {' '.join(names[number:])}", flush=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = counted(name, published_configs(name, Path(folder)))
        kept(name, found, asked.file)
        print(f"{name} {time.monotonic() - began:.0f} s {found.passes}", flush=True)
    print(f"{len(names)} counted, in {asked.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
