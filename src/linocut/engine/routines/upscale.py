"""The routine of an upscale order: the picture enlarged, then redrawn a little in tiles of the base's own size.

Of each tile, the picture gets what the drawing changed and not what the autoencoder loses: the tile drawn, less the
same tile through the autoencoder alone. The noise belongs to the place on the picture, so tiles agree where they
overlap.
"""

from collections.abc import Generator
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from linocut.engine.canvas import opened
from linocut.engine.families.family import Family
from linocut.engine.families.items import Step, Text
from linocut.engine.noise import start_noise
from linocut.engine.png_text import texts_of
from linocut.engine.routines.draw import steps_below
from linocut.engine.routines.hands import Hands
from linocut.engine.routines.picture import png_of
from linocut.engine.tiles import Changes, Levels, Tile, Tiling, chunks, is_flat, tiling
from linocut.engine.tools.enlarging import Enlarged, enlarged
from linocut.engine.units import BATCH_IMAGES, DecodeLatents, Denoise, EncodeImage, EncodeText
from linocut.engine.work import Background, Routine, Yielded
from linocut.orders import GenerateFinished, ImageDrawn, UpscaleOrder


def upscale(order: UpscaleOrder, hands: Hands) -> Routine:
    """Enlarge the order's picture and draw it over, once a seed."""
    given_HWC = yield Background(partial(_fetched, order, hands), "open")
    larger: Enlarged = yield from enlarged(hands.tools, given_HWC, order.enlarger)
    plan = tiling(order.output_width, order.output_height, order.width, order.cell)
    padded_HWC = yield Background(partial(plan.padding, larger.pixels_HWC), "pad")
    text = yield EncodeText(order.caption)
    for index, seed in enumerate(order.seeds):
        drawing = _Drawing(order, hands.family, plan, padded_HWC, text, seed)
        changes = yield from drawing.whole()
        data: bytes = yield Background(partial(_finished, changes, larger, order, seed), "png")
        hands.emit(
            ImageDrawn(
                key=hands.key, index=index, seed=seed, png=data, native_width=order.width, native_height=order.height,
                notes=larger.notes, tools=(larger.component,),
            )
        )  # fmt: skip
    hands.emit(GenerateFinished(key=hands.key))


class _Drawing:
    """One image: its tiles, drawn over a few at a time."""

    def __init__(
        self, order: UpscaleOrder, family: Family, plan: Tiling, padded_HWC: Levels, text: Text, seed: int
    ) -> None:
        self.order, self.family, self.plan, self.padded_HWC, self.text = order, family, plan, padded_HWC, text
        rows, columns = plan.padded
        self.grid = family.grid(columns, rows)
        self.noise = start_noise(seed, family.latent_shape(self.grid))

    def whole(self) -> Generator[Yielded, Any, Changes]:
        """What all tiles change."""
        changes = Changes(self.plan)
        busy = []
        for tile in self.plan.tiles:
            if is_flat(self.padded_HWC[tile.place]):
                changes.add(tile, None)
            else:
                busy.append(tile)
        for some in chunks(tuple(busy), BATCH_IMAGES):
            drawn, plain = yield from self._drawn(some)
            yield Background(partial(_add, changes, some, drawn, plain), "blend")
        return changes

    def _drawn(self, tiles: tuple[Tile, ...]) -> Generator[Yielded, Any, tuple[list[Tensor], list[Tensor]]]:
        """(the tiles drawn over, the same through the autoencoder alone)."""
        grid = self.family.grid(tiles[0].width, tiles[0].height)
        seen = [torch.from_numpy(self.padded_HWC[tile.place].copy()) for tile in tiles]
        known: list[Tensor] = yield [EncodeImage(pixels_hwC) for pixels_hwC in seen]
        steps = self._steps(tiles[0])
        noises = [self._noise_of(tile).to(x.device) for tile, x in zip(tiles, known, strict=True)]
        level = steps[0].sigma
        latents = [(1.0 - level) * x + level * noise for x, noise in zip(known, noises, strict=True)]
        for step in steps:
            told = step.sigma * self.order.told
            velocities = yield [Denoise(x, grid, told, self.text, None, step.guidance) for x in latents]
            latents = [x + (step.sigma_next - step.sigma) * v for x, v in zip(latents, velocities, strict=True)]
        pictures: list[Tensor] = yield [DecodeLatents(x, grid) for x in [*latents, *known]]
        return pictures[: len(tiles)], pictures[len(tiles) :]

    def _steps(self, tile: Tile) -> tuple[Step, ...]:
        plan = self.family.plan(self.order.sampling, tile.width, tile.height)
        return steps_below(plan, self.order.level)

    def _noise_of(self, tile: Tile) -> Tensor:
        """The part of the picture's noise that lies under the tile."""
        rows, columns = self.grid
        height, width = self.plan.padded
        cell_h, cell_w = height // rows, width // columns
        under_rc = torch.zeros(rows, columns, dtype=torch.bool)
        top, left = tile.top // cell_h, tile.left // cell_w
        under_rc[top : top + tile.height // cell_h, left : left + tile.width // cell_w] = True
        shape = self.family.latent_shape(self.family.grid(tile.width, tile.height))
        under = self.family.by_cell(under_rc).expand(self.noise.shape)
        return self.noise[under].reshape(shape)


def _fetched(order: UpscaleOrder, hands: Hands) -> Levels:
    return np.asarray(opened(order.picture, hands.fetch, "RGB"))


def _add(changes: Changes, tiles: tuple[Tile, ...], drawn: list[Tensor], plain: list[Tensor]) -> None:
    for tile, one, other in zip(tiles, drawn, plain, strict=True):
        changes.add(tile, one.cpu().numpy().astype(np.float32) - other.cpu().numpy())


def _finished(changes: Changes, larger: Enlarged, order: UpscaleOrder, seed: int) -> bytes:
    pixels_HWC = changes.applied(larger.pixels_HWC, order.sharper)
    return png_of(Image.fromarray(pixels_HWC), texts_of(order, seed))
