"""Which linears of a base an adapter covers: by family, and as a base's own files tell them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

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
    missing, or packed in a way that does not say the linears' sizes.
    """
    found: dict[str, tuple[int, int]] = {}
    for shard in sorted((folder / denoiser(family)).glob("*.safetensors")):
        for name, (features_out, features_in) in _linears(shard, LORA_ENDINGS[family], folder.name).items():
            found[name] = features_in, features_out
    if not found:
        raise InvalidRequest(f"The base {folder.name} has no linears that an adapter of the family {family} covers.")
    return dict(sorted(found.items()))


def _linears(shard: Path, endings: tuple[str, ...], base: str) -> dict[str, tuple[int, int]]:
    """The linears in one file that end so -> (output, input) features."""
    found: dict[str, tuple[int, int]] = {}
    with shard.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = dict(json.loads(stream.read(length)))
        header.pop("__metadata__", None)
        for key, claim in header.items():
            name, shape = key.removesuffix(".weight"), claim["shape"]
            if not key.endswith(".weight") or not name.endswith(endings) or len(shape) != 2:
                continue
            if not claim["dtype"].startswith(("F", "BF")):
                shape = _packed_shape(stream, 8 + length, header.get(f"{key}{_PACKED}"), base)
            found[name] = int(shape[0]), int(shape[1])
    return found


_PACKED = ".quant_state.bitsandbytes__nf4"
"""What bitsandbytes keeps beside a packed weight: its state in JSON, the shape among it."""


def _packed_shape(stream: BinaryIO, start: int, claim: dict[str, Any] | None, base: str) -> list[int]:
    try:
        first, last = (claim or {})["data_offsets"]
        stream.seek(start + first)
        shape = json.loads(stream.read(last - first))["shape"]
        return [int(shape[0]), int(shape[1])]
    except (LookupError, ValueError, TypeError) as wrong:
        raise InvalidRequest(f"The files of the base {base} do not say the sizes of its packed linears.") from wrong
