"""What goes into a family and comes out of it: plain data that the engine carries and only a family looks into.

Latents are a float32 tensor of the shape that ``Family.latent_shape`` gives, normalised as the base's own pipeline has
them. The engine adds and scales them value by value and knows no more of them. Sigma 1 is pure noise, 0 the picture,
and between them lies a straight line: ``(1 - sigma) * data + sigma * noise``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter

Grid = tuple[int, int]
"""(rows, columns) of the cells that a family lays an image's latents out in."""


@dataclass(frozen=True, eq=False)
class Text:
    """What one caption became. ``tokens`` is the number that the network sees, padding included; the tensors' names
    mean something to their family only."""

    tokens: int
    tensors: Mapping[str, Tensor]

    @property
    def nbytes(self) -> int:
        """Memory that it takes, in bytes."""
        return sum(tensor.nbytes for tensor in self.tensors.values())


Size = tuple[int, int]
"""(width, height) in pixels."""


@dataclass(frozen=True)
class Look:
    """At which size a picture is looked at: by the denoising network, and by the text tower (None: not at all)."""

    network: Size
    text: Size | None = None


@dataclass(frozen=True, eq=False)
class Reference:
    """A picture that the network looks at while it draws another: its latents and their grid."""

    latents: Tensor
    grid: Grid


@dataclass(frozen=True, eq=False)
class Item:
    """One image at one noise level. ``sigma`` in (0, 1].

    ``text`` None: no text at all. ``guidance`` 1: the conditional branch alone. ``negative`` None: the family's own
    empty text in the other branch; ``references`` in the order in which the text speaks of them. A family that has no
    place for a negative text or for references refuses them (``Family.takes_negative_text``, ``takes_references``).
    """

    latents: Tensor
    grid: Grid
    sigma: float
    text: Text | None
    adapter: Adapter | None
    guidance: float
    negative: Text | None = None
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class Step:
    """One Euler step: from noise level ``sigma`` down to ``sigma_next``, with this guidance."""

    sigma: float
    sigma_next: float
    guidance: float


@dataclass(frozen=True)
class Plan:
    """How an image is drawn: what its noise is multiplied with, and its steps from there to the picture."""

    steps: tuple[Step, ...]
    start_scale: float = 1.0

    @property
    def sigmas(self) -> list[float]:
        """Every noise level that is visited, the last one (0) too."""
        return [step.sigma for step in self.steps] + [step.sigma_next for step in self.steps[-1:]]


def plan_of(sigmas: Sequence[float], guidance: float, start_scale: float = 1.0) -> Plan:
    """The plan through ``sigmas`` (falling, the last one 0) at one guidance."""
    return Plan(tuple(Step(sigma, following, guidance) for sigma, following in pairwise(sigmas)), start_scale)


def polished(plan: Plan, sampling: Sampling) -> Plan:
    """``plan`` with the guidance of its last ``polish_steps`` steps turned to ``polish_guidance``. The first stays."""
    last = min(sampling.polish_steps, len(plan.steps) - 1)
    whole = len(plan.steps) - last
    turned = (Step(step.sigma, step.sigma_next, sampling.polish_guidance) for step in plan.steps[whole:])
    return Plan((*plan.steps[:whole], *turned), plan.start_scale)
