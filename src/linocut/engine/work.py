"""The units of work that routines yield, one forward pass (or less) each, and what each one gives back.

Shapes: N image tokens, C channels of one token (latent channels x patch area), T text tokens, F text features,
H and W pixels, M samples of one micro-batch. A latent is always a packed sequence ``[N, C]`` over a grid of
``(rows, columns)`` tokens, normalised as the base's own pipeline has it.

A routine is a generator. It yields one unit and receives its result, or yields a list of units and receives the list
of their results (they may then share a forward pass). An error in a unit is thrown into the routine at its yield.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from linocut.engine.adapters.apply import Adapter
    from linocut.engine.training.state import TrainState

Grid = tuple[int, int]
"""(rows, columns) of image tokens."""


@dataclass(frozen=True, eq=False)
class TextFeatures:
    """What one caption became: ``features_TF`` float32, unpadded (but FLUX.2's network attends to padding)."""

    features_TF: Tensor
    token_ids_T: Tensor


@dataclass(frozen=True, eq=False)
class EncodeText:
    """-> TextFeatures. The empty caption "" is legal (it gives the features of an empty prompt)."""

    caption: str


@dataclass(frozen=True, eq=False)
class EncodeImage:
    """uint8 ``pixels_HWC`` (sides multiples of the family's grid) -> ``latents_NC`` float32, the posterior's mode."""

    pixels_HWC: Tensor


@dataclass(frozen=True, eq=False)
class Denoise:
    """-> ``velocity_NC`` float32 = d latents / d sigma (that is noise - data), guided.

    ``sigma`` in (0, 1], 1 is pure noise. ``text`` None: no text at all. ``guidance`` 1: the conditional branch alone.
    """

    latents_NC: Tensor
    grid: Grid
    sigma: float
    text: TextFeatures | None
    adapter: "Adapter | None"
    guidance: float


@dataclass(frozen=True, eq=False)
class DecodeLatents:
    """``latents_NC`` -> uint8 ``pixels_HWC``."""

    latents_NC: Tensor
    grid: Grid


@dataclass(frozen=True, eq=False)
class TrainExample:
    """One sample of a training step: clean latents, its noise, its noise level and its text (None: dropped)."""

    latents_NC: Tensor
    noise_NC: Tensor
    grid: Grid
    sigma: float
    text: TextFeatures | None
    name: str
    """The sample's key, for error messages."""


@dataclass(frozen=True, eq=False)
class TrainStep:
    """One micro-batch forward and backward, indivisible -> list of M losses (floats).

    Gradients of ``weight`` x the mean loss are added to ``state``'s parameters. All examples share one grid.
    """

    state: "TrainState"
    examples: tuple[TrainExample, ...]
    weight: float
    recompute: bool = False
    """Whether each block's activations are thrown away and computed again in the backward pass."""


@dataclass(frozen=True, eq=False)
class UpdateWeights:
    """Clip, AdamW, EMA, zero the gradients -> the gradient norm before clipping (float)."""

    state: "TrainState"
    learning_rate: float


@dataclass(frozen=True, eq=False)
class HeldOutLoss:
    """Forward only, with ``adapter`` -> list of M losses (floats)."""

    adapter: "Adapter | None"
    examples: tuple[TrainExample, ...]


@dataclass(frozen=True, eq=False)
class Background:
    """Work off the device loop (PNG, hashing, fsync, disk): runs in the engine's helper thread -> its return value."""

    call: Callable[[], Any]
    label: str = field(default="background")


DeviceUnit = EncodeText | EncodeImage | Denoise | DecodeLatents | TrainStep | UpdateWeights | HeldOutLoss
Unit = DeviceUnit | Background
Yielded = Unit | list[Unit]
Routine = Generator[Yielded, Any, None]
"""Routines say what happened through the ``emit`` callable they are given, not through their return value."""


class OutOfMemory(Exception):
    """Thrown into a routine at its yield when its unit, alone, finds no room on the device; a run then steps down to
    a plan that needs less (``training/ladder.py``)."""


class StopRequested(Exception):
    """Thrown into a routine at its yield when its order is cancelled; training catches it to finish early."""
