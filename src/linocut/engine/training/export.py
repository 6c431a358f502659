"""The end of a run: the adapter file, written, loaded back and proved before anyone is told that it is there.

Shapes: R rank, I input and O output features of a linear.
"""

from collections.abc import Generator
from math import isfinite, sqrt
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.file import load_adapter, save_adapter
from linocut.engine.families.family import Family
from linocut.engine.routines.draw import draw_latents
from linocut.engine.training.previews import preview_size
from linocut.engine.work import Background, Yielded
from linocut.errors import InvalidRequest, LinocutError, RunFailed
from linocut.lora_files.stored import AdapterMetadata
from linocut.orders import PreviewPrompt, TrainOrder

ADAPTER_FILE = "adapter.safetensors"
EFFECT_STEPS = 4
"""Denoise steps of the two pictures, with and without the adapter, whose latents are compared."""

LEAST_EFFECT = 1e-6
"""Relative; below it the difference is rounding."""

_TRY_AGAIN = "Train again with a higher learning_rate or more steps; if it happens again, write to the operator."
_LOWER_RATE = "Train again with a lower learning_rate."


def export(
    order: TrainOrder, family: Family, adapter: Adapter, workspace: Path, on: torch.device
) -> Generator[Yielded, Any, tuple[Path, float]]:
    """Write ``adapter`` durably, load the file back and prove it -> (its path, its effect).

    The effect is the root mean square difference of the latents drawn with and without the file's adapter, from the
    same noise and prompt, relative to those without. ``RunFailed`` when the file is not finite, is zero, or moves
    nothing.
    """
    path = workspace / ADAPTER_FILE
    metadata = AdapterMetadata(base=order.base, rank=order.rank, alpha=order.alpha)
    yield Background(lambda: save_adapter(path, adapter, metadata), "write adapter")
    stored: Adapter = yield Background(lambda: _load_back(order, family, path, on), "prove adapter")
    try:
        with_it = yield from _draw_latents(order, family, stored)
        without = yield from _draw_latents(order, family, None)
    except LinocutError as failed:  # the engine refuses results that are no finite numbers
        raise RunFailed(f"The trained adapter could not be tried out: {failed.message} {_LOWER_RATE}") from failed
    effect = float((with_it - without).norm() / without.norm())
    if not isfinite(effect):
        raise RunFailed(f"The trained adapter draws no finite picture. {_LOWER_RATE}")
    if effect <= LEAST_EFFECT:
        raise RunFailed(f"The trained adapter changes nothing in what the base draws. {_TRY_AGAIN}")
    return path, effect


def delta_norm(adapter: Adapter) -> float:
    """The Frobenius norm of scale * up @ down over all linears, without forming any ``[O, I]`` product."""
    total = 0.0
    for name, down_RI in adapter.down.items():
        up_OR = adapter.up[name]
        total += float(((up_OR.T @ up_OR) * (down_RI @ down_RI.T)).sum())
    return adapter.scale * sqrt(max(total, 0.0))


def _draw_latents(order: TrainOrder, family: Family, adapter: Adapter | None) -> Generator[Yielded, Any, Tensor]:
    """The latents of the first preview (or of the first sample's caption) in few steps of the preview sampling."""
    prompt = order.previews[0] if order.previews else PreviewPrompt(caption=order.samples[0].caption, seed=order.seed)
    width, height = preview_size(order)
    [latents] = yield from draw_latents(
        family,
        caption=prompt.caption,
        seeds=(prompt.seed,),
        width=width,
        height=height,
        sampling=msgspec.structs.replace(order.preview_sampling, steps=EFFECT_STEPS),
        adapter=adapter,
    )
    return latents


def _load_back(order: TrainOrder, family: Family, path: Path, on: torch.device) -> Adapter:
    try:
        adapter, _ = load_adapter(path, targets=family.lora_targets(), base=order.base, on=on)
    except InvalidRequest as broken:  # the loader refuses what is damaged, foreign or not finite
        raise RunFailed(f"The trained adapter could not be read back: {broken.message} {_LOWER_RATE}") from broken
    size = delta_norm(adapter)
    if not isfinite(size):
        raise RunFailed(f"The trained adapter is too large to be a finite number. {_LOWER_RATE}")
    if size == 0.0:
        raise RunFailed(f"The trained adapter is zero: it learned nothing. {_TRY_AGAIN}")
    return adapter
