"""What other programs call the linears of a base, family by family.

The library's module names are ours. ComfyUI and most trainers kept the names of the authors' first code, in which
queries, keys and values are one linear. Sources: the state dicts of ComfyUI's models and the key map of its LoRA loader
(``comfy/lora.py``); the module names of musubi-tuner and sd-scripts; the library's ``lora_conversion_utils.py``.
"""

import re
from collections.abc import Iterable, Mapping

Names = Mapping[str, tuple[str, ...]]
"""A foreign linear -> the library's linears that are its rows, in this order: one, or queries, keys and values."""


def _fused(name: str, member: str) -> tuple[str, tuple[str, ...]]:
    """One linear of the authors' that the library has in three."""
    return name, tuple(member.replace("?", which) for which in "qkv")


_RENAMED: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "ideogram4": (
        _fused("{}.attention.qkv", "{}.attention.to_?"),
        ("{}.attention.o", ("{}.attention.to_out.0",)),
    ),
    "z_image": (
        _fused("{}.attention.qkv", "{}.attention.to_?"),
        ("{}.attention.out", ("{}.attention.to_out.0",)),
    ),
    "flux2": (
        _fused("double_blocks.{}.img_attn.qkv", "transformer_blocks.{}.attn.to_?"),
        _fused("double_blocks.{}.txt_attn.qkv", "transformer_blocks.{}.attn.add_?_proj"),
        ("double_blocks.{}.img_attn.proj", ("transformer_blocks.{}.attn.to_out.0",)),
        ("double_blocks.{}.txt_attn.proj", ("transformer_blocks.{}.attn.to_add_out",)),
        ("double_blocks.{}.img_mlp.0", ("transformer_blocks.{}.ff.linear_in",)),
        ("double_blocks.{}.img_mlp.2", ("transformer_blocks.{}.ff.linear_out",)),
        ("double_blocks.{}.txt_mlp.0", ("transformer_blocks.{}.ff_context.linear_in",)),
        ("double_blocks.{}.txt_mlp.2", ("transformer_blocks.{}.ff_context.linear_out",)),
        ("single_blocks.{}.linear1", ("single_transformer_blocks.{}.attn.to_qkv_mlp_proj",)),
        ("single_blocks.{}.linear2", ("single_transformer_blocks.{}.attn.to_out",)),
    ),
}
"""By family: the authors' name and the library's, ``{}`` being the block. What is not here has one name."""

_RENAMED["flux2_dev"] = _RENAMED["flux2"]

_ATTENTION_OF_UNET = re.compile(r"(down|up)_blocks\.(\d+)\.attentions\.(\d+)\.(.+)")


def authors_names(family: str, linears: Iterable[str]) -> Names:
    """The linears under the names of the base's authors, which ComfyUI's models have too.

    Queries, keys and values that are not all there stay under the library's names.
    """
    left = sorted(linears)
    found: dict[str, tuple[str, ...]] = {}
    for theirs, ours in _RENAMED.get(family, ()):
        for block in [block for name in left if (block := _block(ours[0], name)) is not None]:
            members = tuple(member.replace("{}", block) for member in ours)
            if set(members) <= set(left):
                found[theirs.replace("{}", block)] = members
                left = [name for name in left if name not in members]
    depth = _depth_of_unet(left) if family == "sdxl" else 0
    return found | {_sgm_name(name, depth) if family == "sdxl" else name: (name,) for name in left}


def trainers_names(family: str, linears: Iterable[str]) -> Names:
    """The linears under the names that kohya's trainers have for their modules: the authors', but for Z-Image the
    library's, whose attention they keep in three."""
    return {name: (name,) for name in sorted(linears)} if family == "z_image" else authors_names(family, linears)


def _block(template: str, name: str) -> str | None:
    """What stands for ``{}`` in ``name``, if the template fits."""
    before, after = template.split("{}")
    if name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after):
        return name[len(before) : len(name) - len(after)]
    return None


def _depth_of_unet(linears: Iterable[str]) -> int:
    """Layers in each block on the way down; on the way up there is one more."""
    found = [(_ATTENTION_OF_UNET.match(name)) for name in linears]
    sides = {side: [int(m[3]) for m in found if m and m[1] == side] for side in ("down", "up")}
    return max([*(layer + 1 for layer in sides["down"]), *sides["up"], 1])


def _sgm_name(name: str, depth: int) -> str:
    """SDXL's first code counts all layers in one row: an attention lies behind the convolution of its layer."""
    if name.startswith("mid_block.attentions.0."):
        return f"middle_block.1.{name.removeprefix('mid_block.attentions.0.')}"
    if not (match := _ATTENTION_OF_UNET.fullmatch(name)):
        return name
    side, first, rest = match[1], int(match[2]) * (depth + 1) + int(match[3]), match[4]
    return f"input_blocks.{1 + first}.1.{rest}" if side == "down" else f"output_blocks.{first}.1.{rest}"
