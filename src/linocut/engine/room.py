"""What of a device a base takes: what the operator asks, planned by ``bases/plan.py``."""

from math import sqrt
from pathlib import Path

import torch

from linocut.bases import Base
from linocut.bases.plan import Passes, Plan, Precision, Wishes, part_bytes, plan_for
from linocut.bases.reading import tensors_of
from linocut.bases.sizes import BaseSizes, sizes_of_folder
from linocut.engine.asked import Room
from linocut.engine.device import has_bfloat16
from linocut.engine.quantised import can_quantise
from linocut.errors import InvalidRequest
from linocut.lora_files.targets import LORA_ENDINGS

EASY_SHARE = 8
"""A base whose weights are less than this part of the device fits without being measured."""


def planned(base: Base, folder: Path, on: torch.device, device_bytes: int, room: Room, beside: int) -> Plan | None:
    """The plan for a base on a device with ``device_bytes`` free; ``beside``: bytes for adapters and tools.

    None for a base that is so small that nothing has to be planned. ``TooLarge`` where it does not fit, with figures.
    """
    sizes = sizes_of_folder(folder)
    wishes = wishes_of(base, sizes, folder, on.type == "cpu", room, beside)
    weights = sum(part_bytes(part, wishes.precisions[0]) for part in sizes.parts)
    if on.type == "cpu":
        weights *= room.devices
    if weights * EASY_SHARE < device_bytes and room.tower == "auto":
        return None
    return plan_for(base.name, sizes, measured(base, folder, wishes.precisions[0]), device_bytes, wishes)


def measured(base: Base, folder: Path, precision: Precision) -> Passes:
    """The passes of the base, found without its weights."""
    from linocut.engine.loading import DTYPES
    from linocut.engine.measure import measured_passes  # late: seconds, and most bases need none of it

    return measured_passes(base, folder, DTYPES[precision])


def wishes_of(base: Base, sizes: BaseSizes, folder: Path, on_host: bool, room: Room, beside: int) -> Wishes:
    """What is asked of the plan, and which precisions can be had here. ``InvalidRequest`` for what cannot be."""
    if room.tower == "released" and room.purpose != "training":
        raise InvalidRequest(
            "LINOCUT_TEXT_TOWER=released is for a server that trains alone: who draws reads a text at any time. Set "
            "LINOCUT_PURPOSE=training, or LINOCUT_TEXT_TOWER=host."
        )
    precisions = precisions_here(folder, on_host, room)
    whole = tuple(one for one in precisions if one in ("bf16", "fp32"))
    return Wishes(
        purpose=room.purpose,
        precisions=(whole or precisions) if room.divided else precisions,
        tower="device" if is_packed(folder) else None if room.tower == "auto" else room.tower,
        beside=beside,
        lora_values=lora_values(base, folder, sizes.networks[0].name),
        on_host=on_host,
        devices=room.devices,
        divided=room.divided,
        references=base.max_references if base.takes_references else 0,
    )


def precisions_here(folder: Path, on_host: bool, room: Room) -> tuple[Precision, ...]:
    """The one that is asked for; else what the files are already in; else a CPU's own, or on a GPU the best first.
    ``InvalidRequest`` for bf16 on a CPU that would have to imitate it."""
    if room.precision == "bf16" and on_host and not has_bfloat16():
        raise InvalidRequest(
            "LINOCUT_PRECISION=bf16 takes a processor with bfloat16 instructions (AVX512-BF16, AMX or ARM's bf16), and "
            "this one has none: it would be slower than fp32. Leave LINOCUT_PRECISION at auto, or set fp32.",
            field="LINOCUT_PRECISION",
        )
    if room.precision != "auto":
        return (room.precision,)
    if is_packed(folder):
        return ("nf4",)
    if on_host:
        return ("fp32",)
    fewer: tuple[Precision, ...] = ("fp8", "nf4")
    return ("bf16", *(one for one in fewer if can_quantise(one)))


def is_packed(folder: Path) -> bool:
    """Whether the authors' files are quantised in four bits already."""
    for part in ("transformer", "unet"):
        if (folder / part).is_dir():
            return any(one.kind == "U8" for one in tensors_of(folder, part))
    return False


def lora_values(base: Base, folder: Path, network: str) -> int:
    """The values of an adapter of the base's own rank over every linear that it covers, as the headers tell."""
    endings = tuple(f"{ending}.weight" for ending in LORA_ENDINGS[base.family])
    sides = 0
    for one in tensors_of(folder, network):
        if one.name.endswith(endings) and len(one.shape) == 2:
            # Packed in four bits the shape is gone; a linear's sides are about the root of its values.
            sides += round(2.5 * sqrt(2 * one.size)) if one.kind == "U8" else sum(one.shape)
    return base.training.lora_rank * sides
