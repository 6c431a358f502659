"""What an architecture must be able to do for the engine, and how a base is loaded.

Shapes as in ``engine/work.py``. Methods take lists, one entry an item; items of one call may differ in size, noise
level, text and adapter, and come out as if each had been alone (bit-equal when it is alone, within rounding in
company). The networks come from diffusers and transformers; they are frozen and never mutated: a family walks their
weights in a forward pass of its own (``parts/``), with the adapter as an argument.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from torch import Tensor, device, dtype

from linocut.engine.adapters.apply import Adapter
from linocut.engine.work import Denoise, Grid, TextFeatures


class Family(Protocol):
    """One resident base."""

    def lora_targets(self) -> dict[str, tuple[int, int]]:
        """Every linear that an adapter covers: its name in the library's module tree -> (in, out) features."""
        ...

    def grid(self, width: int, height: int) -> Grid:
        """The token grid of an image of ``width`` x ``height`` pixels. ``InvalidRequest`` off the size multiple."""
        ...

    def latent_shape(self, grid: Grid) -> tuple[int, int]:
        """(N, C) of an image's packed latents."""
        ...

    def sigmas(self, steps: int, mu: float, std: float, width: int, height: int) -> list[float]:
        """The family's noise schedule: ``steps`` levels from (nearly) 1 downwards, then 0.

        Ideogram 4: logit-normal with the *effective* mean ``mu`` and deviation ``std``. FLUX.2: its own shifted line,
        ``mu`` added to the mean of the shift (0: the library's schedule), no ``std``.
        """
        ...

    def encode_text(self, captions: Sequence[str]) -> list[TextFeatures]:
        """Each caption alone through the text tower; the same caption always gives the same features.

        Ideogram 4: without padding. FLUX.2: with the padding that its network was trained to look at. Keep and pass
        the same object while a caption is in use: a network caches its projection of the text by that object.
        ``InvalidRequest`` for a caption over the base's ``max_text_tokens``; it is never cut.
        """
        ...

    def encode_images(self, pixels_HWC: Sequence[Tensor]) -> list[Tensor]:
        """uint8 pictures -> ``latents_NC`` float32."""
        ...

    def velocity(self, items: Sequence[Denoise]) -> list[Tensor]:
        """Guided ``velocity_NC`` float32 of each item, without gradients.

        guidance x v(text) + (1 - guidance) x v(without text), in float32; guidance 1 is v(text) alone, at half the
        price. A distilled FLUX.2 ignores the guidance, as in the library.
        """
        ...

    def velocity_for_training(
        self,
        latents_NC: Sequence[Tensor],
        grid: Grid,
        sigmas: Sequence[float],
        texts: Sequence[TextFeatures | None],
        adapter: Adapter | None,
        *,
        recompute: bool = False,
    ) -> list[Tensor]:
        """Conditional branch only, float32; gradients flow to the adapter's tensors; the target is noise - data.

        All samples share one grid. Text None: the sample is seen without text (FLUX.2: with the empty caption).
        ``recompute``: keep no activations inside the blocks, compute them again in the backward pass; same result.
        """
        ...

    def decode(self, latents_NC: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        """``latents_NC`` -> uint8 ``pixels_HWC``.

        ``tiles`` above 1: in so many overlapping tiles a side, for a device without room for the whole; the result is
        close, not equal.
        """
        ...

    def release(self) -> None:
        """Let go of what is only kept to be quicker next time (projected captions, layouts)."""
        ...


def load_family(name: str, folder: Path, on: device, precision: dtype) -> Family:
    """Load the base in ``folder`` with the code of family ``name``, frozen, from local files only.

    ``InvalidRequest`` when a part of the base is missing; ``ValueError`` for a family that there is no code for.
    """
    if name == "ideogram4":
        from linocut.engine.families.ideogram4 import Ideogram4

        return Ideogram4.load(folder, on, precision)
    if name == "flux2":
        from linocut.engine.families.flux2 import Flux2

        return Flux2.load(folder, on, precision)
    raise ValueError(f"unknown family {name!r}")
