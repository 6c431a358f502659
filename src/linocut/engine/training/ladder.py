"""What a run does when a step finds no room on the device: the same batch, seed and noise on a plan that needs less.

Every plan makes the same updates up to rounding, so a run never starts over. Which plan it is on stands in its
checkpoints from the moment it changes: a run that is resumed stays on it, and ends with the same bytes.
"""

import msgspec

from linocut.engine.training.plan import HELD_OUT_BATCH, MICRO_BATCH


class MemoryPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Samples of one forward and backward, examples of one scoring unit, and whether activations are recomputed."""

    micro_batch: int = MICRO_BATCH
    held_out_batch: int = HELD_OUT_BATCH
    recompute: bool = False


LADDER = (
    MemoryPlan(),
    MemoryPlan(micro_batch=1, held_out_batch=2),
    MemoryPlan(micro_batch=1, held_out_batch=1, recompute=True),
)
"""From the quickest to the most careful. The last one takes about a third more time a step and keeps one block's
activations instead of all."""


def rung(plan: MemoryPlan) -> int:
    """The plan's place on the ladder, from 0."""
    return LADDER.index(plan)


def cheaper(plan: MemoryPlan) -> MemoryPlan | None:
    """The next plan; None after the last."""
    return next(iter(LADDER[rung(plan) + 1 :]), None)
