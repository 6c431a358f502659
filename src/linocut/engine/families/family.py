"""What an architecture must be able to do for the engine, and how a base is loaded.

Methods take lists, one entry an item; items of one call may differ in size, noise level, text and adapter, and come
out as if each had been alone (bit-equal when it is alone, within rounding in company). The networks come from
diffusers and transformers; they are frozen and never mutated. The adapter is an argument of each call: a family walks
the library's modules in a forward pass of its own, or calls the library's with grouped linears (``docs/decisions/``
0001 and 0009). A text, latents and a plan are what their family makes of them (``items.py``); the engine carries them.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from torch import Tensor, device, dtype

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.items import Grid, Item, Look, Plan, Text
from linocut.engine.families.parts.voice import Voice
from linocut.engine.loading import Loading

FAMILIES = {
    "ideogram4": "Ideogram4",
    "flux2": "Flux2",
    "flux2_dev": "Flux2Dev",
    "qwen_image": "QwenImage",
    "qwen_image_edit": "QwenImageEdit",
    "z_image": "ZImage",
    "sdxl": "Sdxl",
}
"""Every family: the name of its file in this folder -> its class there."""


class Family(Protocol):
    """One resident base."""

    takes_negative_text: bool
    """Whether the guidance may push away from a text of the caller's, in place of the empty one."""

    takes_references: bool
    """Whether the network can look at other pictures while it draws."""

    def lora_targets(self) -> dict[str, tuple[int, int]]:
        """Every linear that an adapter covers: its name in the library's module tree -> (in, out) features."""
        ...

    def grid(self, width: int, height: int) -> Grid:
        """The grid of an image of ``width`` x ``height`` pixels. ``InvalidRequest`` off the size multiple."""
        ...

    def latent_shape(self, grid: Grid) -> tuple[int, ...]:
        """The shape of an image's latents, of any number of dimensions."""
        ...

    def by_cell(self, values_rc: Tensor) -> Tensor:
        """One value a cell of a grid, rows and columns, in a shape that an image's latents can be multiplied with."""
        ...

    def plan(self, sampling: Sampling, width: int, height: int) -> Plan:
        """How an image of that size is drawn at this speed; which of the speed's numbers count is the family's affair.

        ``sampling.steps`` steps, the first from (nearly) pure noise.
        """
        ...

    def encode_text(self, captions: Sequence[str]) -> list[Text]:
        """Each caption alone through the text tower; the same caption always gives the same text.

        Keep and pass the same object while a caption is in use: a network may cache its projection of the text by
        that object. ``InvalidRequest`` for a caption over the base's ``max_text_tokens``; it is never cut.
        """
        ...

    def look(self, width: int, height: int) -> Look:
        """At which sizes a reference of ``width`` x ``height`` pixels is looked at, about its shape, as the library's
        pipeline scales it. ``InvalidRequest`` from a base that takes none."""
        ...

    def encode_text_with(self, caption: str, pictures_HWC: Sequence[Tensor]) -> Text:
        """The caption through a text tower that sees the references too, uint8, each at its ``look(...).text``.

        Only where ``look`` names a size for it. The empty text of the guidance sees the same pictures.
        """
        ...

    def voice(self) -> Voice | None:
        """The language model that its texts are read with, which may write too; None for a text tower that is none."""
        ...

    def encode_images(self, pixels_HWC: Sequence[Tensor]) -> list[Tensor]:
        """uint8 pictures -> latents, float32."""
        ...

    def velocity(self, items: Sequence[Item]) -> list[Tensor]:
        """Guided velocity, float32, of each item, without gradients: d latents / d sigma, that is noise - data.

        Whatever the network predicts is turned into it (``parts/prediction.py``). Guidance as the library's pipeline
        does it; guidance 1 is the conditional branch alone, at half the price. ``InvalidRequest`` for a negative text
        or references that the base has no place for.
        """
        ...

    def velocity_for_training(
        self,
        latents: Sequence[Tensor],
        grid: Grid,
        sigmas: Sequence[float],
        texts: Sequence[Text | None],
        adapter: Adapter | None,
        *,
        recompute: bool = False,
    ) -> list[Tensor]:
        """Conditional branch only, float32; gradients flow to the adapter's tensors.

        All samples share one grid. Text None: the sample is seen without text (or with the empty caption, where the
        base was trained so). ``recompute``: keep no activations inside the blocks, compute them again in the backward
        pass; same result.
        """
        ...

    def loss_weight(self, sigma: float) -> float:
        """What a squared error of the velocity at ``sigma`` is multiplied with, so that it is one of what the network
        was trained to predict: 1 where that is the velocity."""
        ...

    def decode(self, latents: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        """Latents -> uint8 ``pixels_HWC``.

        ``tiles`` above 1: in so many overlapping tiles a side, for a device without room for the whole; the result is
        close, not equal.
        """
        ...

    def release(self) -> None:
        """Let go of what is only kept to be quicker next time (projected captions, layouts)."""
        ...


def load_family(name: str, folder: Path, on: device, precision: dtype | Loading) -> Family:
    """Load the base in ``folder`` with the code of family ``name``, frozen, from local files only.

    ``InvalidRequest`` when a part of the base is missing; ``ValueError`` for a family that there is no code for.
    """
    if name not in FAMILIES:
        raise ValueError(f"unknown family {name!r}")
    kind = getattr(import_module(f"linocut.engine.families.{name}"), FAMILIES[name])
    return cast(Family, kind(folder, on, precision))
