"""What the tests of families on the library's own forward pass share: each beside its pipeline, on one tiny base."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import QwenImagePipeline, StableDiffusionXLPipeline, ZImagePipeline
from tests.engine.family_support import CAPTION, STEPS, Tiny
from tests.engine.tiny_grouped import qwen_image_base, sdxl_base, z_image_base
from torch import Tensor

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import load_family
from linocut.engine.families.items import Item
from linocut.engine.families.parts.latents import packed, unpacked

CPU = torch.device("cpu")
BUILD: dict[str, Callable[..., Path]] = {"qwen_image": qwen_image_base, "z_image": z_image_base, "sdxl": sdxl_base}
PIPELINE = {"qwen_image": QwenImagePipeline, "z_image": ZImagePipeline, "sdxl": StableDiffusionXLPipeline}


def make(name: str, folder: Path, **options: Any) -> Tiny:
    torch.set_num_threads(1)
    built = BUILD[name](folder / name, **options)
    return Tiny(name, built, load_family(name, built, CPU, torch.float32))


def stock(tiny: Tiny) -> Any:
    """The library's pipeline on the same files, a fresh one: adapters change it."""
    pipeline = PIPELINE[tiny.name].from_pretrained(str(tiny.folder), local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def stock_latents(
    tiny: Tiny,
    pipeline: Any,
    noise: Tensor,
    size: tuple[int, int],
    guidance: float,
    negative: str | None = None,
    **options: float,
) -> Tensor:
    """What the library's pipeline ends with, from the same noise; guidance up to 1: without."""
    asked = {"prompt": CAPTION, "width": size[0], "height": size[1], "num_inference_steps": STEPS,
             "latents": noise[None].clone(), "output_type": "latent"}  # fmt: skip
    if tiny.name == "qwen_image":
        blank = (negative or " ") if guidance > 1 else None
        return pipeline(**asked, true_cfg_scale=guidance, negative_prompt=blank).images[0]
    if tiny.name == "z_image":  # its guidance is ours less one; its latents are not packed
        grid = tiny.family.grid(*size)
        asked |= {"latents": unpacked(noise, grid, channel_first=False)[None], "guidance_scale": guidance - 1.0}
        latents_Khw = pipeline(**asked, negative_prompt=negative, **options).images[0]
        return packed(latents_Khw, grid, channel_first=False)
    return pipeline(**asked, guidance_scale=guidance, negative_prompt=negative).images[0]


def our_latents(
    tiny: Tiny,
    noise: Tensor,
    size: tuple[int, int],
    guidance: float,
    negative: str | None = None,
    adapter: Adapter | None = None,
    steps: int = STEPS,
) -> Tensor:
    family = tiny.family
    [text] = family.encode_text([CAPTION])
    away = family.encode_text([negative])[0] if negative else None
    plan = family.plan(Sampling(steps, guidance), *size)
    x = noise * plan.start_scale
    for step in plan.steps:
        item = Item(x, family.grid(*size), step.sigma, text, adapter, step.guidance, away)
        x = x + (step.sigma_next - step.sigma) * family.velocity([item])[0]
    return x


def load_into(pipeline: Any, prefix: str, adapter: Adapter) -> None:
    """The adapter by the library's own loader, its scale folded in."""
    state = {f"{prefix}.{name}.lora_A.weight": factor for name, factor in adapter.down.items()}
    state |= {f"{prefix}.{name}.lora_B.weight": factor * adapter.scale for name, factor in adapter.up.items()}
    pipeline.load_lora_weights(state)
