"""Random adapters on the linears of each family, and files made by hand."""

import json
from typing import Any

import numpy as np

from linocut.lora_files.foreign import Foreign
from linocut.lora_files.layouts import Factors
from linocut.lora_files.stored import AdapterMetadata

ATTENTION = {f"attention.{one}": (6, 6) for one in ("to_q", "to_k", "to_v", "to_out.0")}
FEED = {"feed_forward.w1": (6, 8), "feed_forward.w2": (8, 6), "feed_forward.w3": (6, 8)}
JOINT = {
    f"attn.{one}": (6, 6)
    for one in ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
}
THREE_AND_OUT = ("to_q", "to_k", "to_v", "to_out.0")
UNET = {
    "proj_in": (6, 6),
    **{f"transformer_blocks.0.{a}.{one}": (6, 6) for a in ("attn1", "attn2") for one in THREE_AND_OUT},
    "transformer_blocks.0.ff.net.0.proj": (6, 16),
    "transformer_blocks.0.ff.net.2": (8, 6),
    "proj_out": (6, 6),
}  # fmt: skip


def _each(blocks: tuple[str, ...], linears: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    return {f"{block}.{name}": size for block in blocks for name, size in linears.items()}


TARGETS: dict[str, dict[str, tuple[int, int]]] = {
    "ideogram4": _each(("layers.0", "layers.11"), ATTENTION | FEED),
    "z_image": _each(("noise_refiner.0", "context_refiner.1", "layers.0", "layers.11"), ATTENTION | FEED),
    "qwen_image": _each(
        ("transformer_blocks.0", "transformer_blocks.10"),
        JOINT | {f"{side}_mlp.net.0.proj": (6, 8) for side in ("img", "txt")}
        | {f"{side}_mlp.net.2": (8, 6) for side in ("img", "txt")},
    ),
    "flux2": _each(
        ("transformer_blocks.0", "transformer_blocks.7"),
        JOINT | {f"{ff}.linear_in": (6, 16) for ff in ("ff", "ff_context")}
        | {f"{ff}.linear_out": (8, 6) for ff in ("ff", "ff_context")},
    ) | _each(("single_transformer_blocks.0", "single_transformer_blocks.19"),
              {"attn.to_qkv_mlp_proj": (6, 34), "attn.to_out": (14, 6)}),
    "sdxl": _each(
        ("down_blocks.1.attentions.0", "down_blocks.2.attentions.1", "mid_block.attentions.0",
         "up_blocks.0.attentions.2", "up_blocks.1.attentions.0"), UNET),
}  # fmt: skip
"""By family: the real module names of two far blocks, small."""

RELATIVES = {"flux2_dev": "flux2", "qwen_image_edit": "qwen_image"}
"""Families with another's network."""
TARGETS |= {name: TARGETS[other] for name, other in RELATIVES.items()}


def metadata(family: str, alpha: float = 6.0, rank: int = 4) -> AdapterMetadata:
    return AdapterMetadata(f"{family}@0123456789abcdef", rank, alpha)


def factors(family: str, alpha: float = 6.0, rank: int = 4, seed: int = 0) -> Factors:
    draw = np.random.default_rng(seed)
    targets = sorted(TARGETS[family].items())
    return Factors(
        {name: draw.standard_normal((rank, i), "f4") for name, (i, _) in targets},
        {name: draw.standard_normal((o, rank), "f4") for name, (_, o) in targets},
        metadata(family, alpha, rank),
    )


def stored(family: str, alpha: float = 6.0, rank: int = 4, seed: int = 0) -> bytes:
    """A file of ours."""
    return Foreign(factors(family, alpha, rank, seed), "", ()).stored_bytes()


def deltas(found: Factors) -> dict[str, Any]:
    """Each linear's part of the weight."""
    scale = found.metadata.alpha / found.metadata.rank
    return {name: scale * found.up[name] @ down for name, down in found.down.items()}


def by_hand(tensors: dict[str, Any], metadata: dict[str, str] | None = None) -> bytes:
    """A safetensors file of numpy arrays, without our code. Pairs (dtype, array) for types that numpy has not."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    body = b""
    for name, value in tensors.items():
        dtype, array = value if isinstance(value, tuple) else (f"F{8 * value.dtype.itemsize}", value)
        data = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    return framed(header, body)


def framed(header: Any, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def header_of(data: bytes) -> dict[str, Any]:
    return dict(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]))
