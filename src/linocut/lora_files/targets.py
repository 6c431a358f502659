"""Which linears of a base an adapter covers: by family, and as a base's own files tell them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linocut.errors import InvalidRequest

_MODULES_OF_DIT = (
    "attention.to_q",
    "attention.to_k",
    "attention.to_v",
    "attention.to_out.0",
    "feed_forward.w1",
    "feed_forward.w2",
    "feed_forward.w3",
)
_JOINT_ATTENTION = (
    "attn.to_q",
    "attn.to_k",
    "attn.to_v",
    "attn.to_out.0",
    "attn.add_q_proj",
    "attn.add_k_proj",
    "attn.add_v_proj",
    "attn.to_add_out",
)

LORA_ENDINGS: dict[str, tuple[str, ...]] = {
    "ideogram4": _MODULES_OF_DIT,
    "flux2": (
        *_JOINT_ATTENTION,
        "ff.linear_in",
        "ff.linear_out",
        "ff_context.linear_in",
        "ff_context.linear_out",
        "attn.to_qkv_mlp_proj",
        "attn.to_out",
    ),
    "qwen_image": (
        *_JOINT_ATTENTION,
        "img_mlp.net.0.proj",
        "img_mlp.net.2",
        "txt_mlp.net.0.proj",
        "txt_mlp.net.2",
    ),
    "z_image": _MODULES_OF_DIT,
    "sdxl": (
        "attn1.to_q",
        "attn1.to_k",
        "attn1.to_v",
        "attn1.to_out.0",
        "attn2.to_q",
        "attn2.to_k",
        "attn2.to_v",
        "attn2.to_out.0",
        "ff.net.0.proj",
        "ff.net.2",
        "proj_in",
        "proj_out",
    ),
}
"""By family: the ends of the names of every attention and MLP linear, those whose dimension 0 is a batch's rows. What
sees the tokens of all items one after another (Z-Image's embedders) must not be here."""

LORA_ENDINGS["flux2_dev"] = LORA_ENDINGS["flux2"]
LORA_ENDINGS["qwen_image_edit"] = LORA_ENDINGS["qwen_image"]

DENOISERS = {"sdxl": "unet"}
"""The folder of a family's denoiser, and what its keys begin with in the library's LoRA files; ``transformer`` else."""

Targets = Mapping[str, tuple[int, int]]
"""Name of a linear in the library's module tree -> (input, output) features."""


def denoiser(family: str) -> str:
    """The name of the network that an adapter of ``family`` is for."""
    return DENOISERS.get(family, "transformer")


def targets_in(folder: Path, family: str) -> dict[str, tuple[int, int]]:
    """What an adapter on the base in ``folder`` covers, from the headers of its weights: no weight is read.

    The same as ``Family.lora_targets`` of the loaded base. ``InvalidRequest`` when the files do not tell it: they are
    missing, or quantised, so that a weight no longer has its linear's shape.
    """
    found: dict[str, tuple[int, int]] = {}
    part = folder / denoiser(family)
    for shard in sorted(part.glob("*.safetensors")):
        for key, claim in _header(shard).items():
            name, shape = key.removesuffix(".weight"), claim.get("shape", ())
            if key.endswith(".weight") and name.endswith(LORA_ENDINGS[family]) and len(shape) == 2:
                if not str(claim.get("dtype", "")).startswith(("F", "BF")):
                    raise InvalidRequest(f"The linears of the base {folder.name} cannot be read from quantised files.")
                found[name] = (int(shape[1]), int(shape[0]))
    if not found:
        raise InvalidRequest(f"The base {folder.name} has no linears that an adapter of the family {family} covers.")
    return dict(sorted(found.items()))


def _header(shard: Path) -> dict[str, dict[str, Any]]:
    with shard.open("rb") as stream:
        header = dict(json.loads(stream.read(int.from_bytes(stream.read(8), "little"))))
    header.pop("__metadata__", None)
    return header
