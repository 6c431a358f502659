"""Pictures at twice their size, without any prompt: which tool a picture gets, and how a routine uses it.

Lanczos for photographs, a small network for flat art and lettering: no network that ships its weights beats Lanczos on
photographs, and on drawn pictures they win by decibels (``docs/tools.md`` has the figures). Imports no torch.

Shapes: H and W pixels of the picture that comes in, C colours (3), and 4 with its transparency.
"""

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from linocut.engine.tools.resampling import Levels, resampled
from linocut.engine.tools.toolbox import Toolbox
from linocut.engine.tools.units import use_tool
from linocut.engine.work import Background, Yielded
from linocut.errors import NotReady

AUTO = "auto"
LANCZOS = "lanczos"
FOR_DRAWN = "pyanime4k"

SAME = 2
"""Levels of 255 by which two neighbours of one flat colour differ at most."""
STEEP = 24
"""Levels from which a step between neighbours is an edge."""
LEAST_FLAT = 0.5
"""The least part of neighbours that are the same in a drawn picture. Of 60 drawn ones the least had 0.51."""
LEAST_STEEP = 0.3
"""The least part of edges among the other neighbours. Drawn pictures had 0.35 to 0.75; 15 real photographs that are
flat enough had at most 0.27."""

MISSING = (
    "The picture is drawn, and pyanime4k, which enlarges such pictures sharper, is not installed here; it was enlarged "
    "with Lanczos."
)


@dataclass(frozen=True, eq=False)
class Enlarged:
    """``pixels_HWC`` uint8 of the new size; ``component``: the tool that made it; ``notes``: a sentence each."""

    pixels_HWC: Levels
    component: str
    notes: tuple[str, ...] = ()


def is_drawn(pixels_HWC: Levels) -> bool:
    """Whether a picture is flat art or lettering: most of its neighbours are the same, and the others mostly edges."""
    flat, steep = flatness(pixels_HWC)
    return flat >= LEAST_FLAT and steep >= LEAST_STEEP


def flatness(pixels_HWC: Levels) -> tuple[float, float]:
    """(the part of neighbouring pixels that are the same, the part of edges among the others; 1 where all are the
    same)."""
    steps = np.concatenate([_steps(pixels_HWC, axis).ravel() for axis in (0, 1)])
    if not steps.size:
        return 1.0, 1.0
    other = steps > SAME
    return float(1.0 - other.mean()), float((steps[other] >= STEEP).mean()) if other.any() else 1.0


def enlarged(
    tools: Toolbox, pixels_HWC: Levels, wish: str = AUTO, factor: int = 2
) -> Generator[Yielded, Any, Enlarged]:
    """The picture (RGB or RGBA) at ``factor`` times its size (2 or 4) by the tool ``wish``, or, for ``auto``, by the
    one that fits what the picture is. Transparency is resampled by Lanczos. ``NotReady`` for a tool that cannot be
    loaded."""
    colour_HWC = np.ascontiguousarray(pixels_HWC[..., :3])
    name = wish
    if wish == AUTO:
        name = FOR_DRAWN if (yield Background(partial(is_drawn, colour_HWC), "look")) else LANCZOS
    notes: tuple[str, ...] = ()
    for _ in range({2: 1, 4: 2}[factor]):
        try:
            larger_HWC = yield from use_tool(tools, name, colour_HWC)
        except NotReady:
            if wish != AUTO:
                raise
            name, notes = LANCZOS, (MISSING,)
            larger_HWC = yield from use_tool(tools, name, colour_HWC)
        colour_HWC = larger_HWC
    if pixels_HWC.shape[2] == 4:
        alpha_HW = yield Background(partial(resampled, np.ascontiguousarray(pixels_HWC[..., 3]), factor), "alpha")
        colour_HWC = np.dstack([colour_HWC, alpha_HW])
    return Enlarged(colour_HWC, name, notes)


def _steps(pixels_HWC: Levels, axis: int) -> Levels:
    """The largest difference of any channel to the next pixel along ``axis``."""
    count = pixels_HWC.shape[axis]
    first, second = (np.take(pixels_HWC, range(start, count - 1 + start), axis=axis) for start in (0, 1))
    steps: Levels = (np.maximum(first, second) - np.minimum(first, second)).max(axis=2)
    return steps
