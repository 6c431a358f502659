"""The units that draw: text and pictures in, one denoise step, pixels out. Those that learn: ``training/units.py``.

Shapes: H and W pixels; latents as in ``families/items.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from torch import Tensor

from linocut.engine.families.items import Grid, Item, Text
from linocut.engine.work import Bench, DeviceUnit, FullPass, finite

CHARACTERS_PER_TOKEN = 3
PIXELS_PER_TOKEN = 256
PIXELS_PER_SEEN_TOKEN = 784
"""Of a picture in a text: a vision tower sees squares of 28 pixels a side."""

BATCH_IMAGES = 4
"""Images of native size that share a forward pass. On two cores of a CPU a pass of four takes 0.97 to 1.09 of the
time of four passes of one, on the embedded base and on a larger one: there a batch neither gains nor costs, and more
than four would only make the others wait. What a batch gains on a GPU has not been measured."""

TRAINING_BATCH_IMAGES = 2
"""The same for a run's own pictures: a waiting image is delayed by at most two one-image steps."""

TILES = (2, 4)
"""Tiles a side in which a picture is decoded that finds no room as a whole: in 4, then in 16."""


@dataclass(frozen=True, eq=False)
class EncodeText(DeviceUnit):
    """-> Text. The empty caption "" is legal (it gives the text of an empty prompt). ``pictures``: uint8 ``pixels_HWC``
    that the text tower sees with it, for a family whose tower does."""

    kind: ClassVar[str] = "encode_text"
    caption: str
    pictures: tuple[Tensor, ...] = ()

    @property
    def tokens(self) -> int:
        """About the caption's tokens, and those that stand for the pictures."""
        seen = sum(picture.shape[0] * picture.shape[1] for picture in self.pictures)
        return len(self.caption) // CHARACTERS_PER_TOKEN + 1 + seen // PIXELS_PER_SEEN_TOKEN

    @classmethod
    def budget(cls, full: FullPass) -> int:
        """One text of full length, or several short ones."""
        return full.text_tokens

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> Sequence[Text]:
        """Each caption through the text tower."""
        if not any(unit.pictures for unit in units):
            return bench.family.encode_text([bench.read(unit.caption) for unit in units])
        family = bench.family
        return [
            family.encode_text_with(bench.read(unit.caption), unit.pictures) if unit.pictures
            else family.encode_text([bench.read(unit.caption)])[0]
            for unit in units
        ]  # fmt: skip

    @staticmethod
    def sound(result: Any) -> bool:
        """Whether all that the text became is finite."""
        return all(finite(tensor) for tensor in result.tensors.values())

    @property
    def remembered_as(self) -> str | None:
        """The caption, where it stands alone: the same prompt is often drawn again."""
        return None if self.pictures else self.caption


@dataclass(frozen=True, eq=False)
class EncodeImage(DeviceUnit):
    """uint8 ``pixels_HWC`` (sides multiples of the family's grid) -> latents, the posterior's mode."""

    kind: ClassVar[str] = "encode_image"
    pixels_HWC: Tensor

    @property
    def tokens(self) -> int:
        """In proportion to the pixels."""
        return self.pixels_HWC.shape[0] * self.pixels_HWC.shape[1] // PIXELS_PER_TOKEN + 1

    @classmethod
    def budget(cls, full: FullPass) -> int:
        """Encoding a picture takes about two of its steps, so half as many share a pass."""
        return full.images * full.image_tokens // 2

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> Sequence[Tensor]:
        """Each picture through the autoencoder."""
        return bench.family.encode_images([unit.pixels_HWC for unit in units])


@dataclass(frozen=True, eq=False)
class Denoise(Item, DeviceUnit):
    """-> the guided velocity, shaped as the latents: d latents / d sigma, that is noise - data."""

    kind: ClassVar[str] = "denoise"

    @property
    def tokens(self) -> int:
        """Tokens through the networks in one step: the guided branch sees the image, and a negative text, as well."""
        image = cells(self.grid) + sum(cells(reference.grid) for reference in self.references)
        words = sum(text.tokens for text in (self.text, self.negative) if text)
        return denoise_tokens(image, words, self.guidance)

    @classmethod
    def budget(cls, full: FullPass) -> int:
        """A step of every image, guided."""
        return full.images * denoise_tokens(full.image_tokens, full.text_tokens, guidance=0.0)

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> Sequence[Tensor]:
        """One forward pass of all, whatever their sizes, levels, texts and adapters."""
        return bench.family.velocity(units)


@dataclass(frozen=True, eq=False)
class DecodeLatents(DeviceUnit):
    """Latents -> uint8 ``pixels_HWC``, in ``tiles`` a side."""

    kind: ClassVar[str] = "decode"
    latents: Tensor
    grid: Grid
    tiles: int = 1

    @property
    def tokens(self) -> int:
        """The image's."""
        return cells(self.grid)

    @classmethod
    def budget(cls, full: FullPass) -> int:
        """As for ``EncodeImage``."""
        return full.images * full.image_tokens // 2

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> Sequence[Tensor]:
        """Each picture through the autoencoder; all of a batch in as many tiles as the first."""
        latents, grids = [unit.latents for unit in units], [unit.grid for unit in units]
        return bench.family.decode(latents, grids, tiles=units[0].tiles)

    def more_carefully(self) -> tuple[Self, ...]:
        """Once more as a whole, then in ever smaller tiles."""
        return (self, *(replace(self, tiles=tiles) for tiles in TILES))


def cells(grid: Grid) -> int:
    """The cells of a grid."""
    return grid[0] * grid[1]


def denoise_tokens(image_tokens: int, text_tokens: int, guidance: float) -> int:
    """Tokens through the networks in one step: the guided branch sees the image a second time."""
    return image_tokens + text_tokens + (image_tokens if guidance != 1.0 else 0)
