"""The devices that learn one run, for its routine: how many they are, and what is said of it."""

from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from linocut.engine.ranks.leader import Losses, Ranks
from linocut.engine.ranks.rank import RankLost
from linocut.engine.training.ladder import MemoryPlan
from linocut.engine.training.state import TrainState
from linocut.engine.work import Background, Yielded
from linocut.orders import TrainOrder, order_to_json

__all__ = ["ALONE", "RankLost", "Together", "spans", "told", "unused"]


class Together:
    """``size`` devices learn, the leader's own among them. Without ``ranks`` it is one, and nothing is yielded."""

    def __init__(self, ranks: Ranks | None = None) -> None:
        self._ranks = ranks
        self.size = 1
        self.missing = 0
        """How many could learn, a step's pictures allowing, and did not start."""
        self.idle = 0
        """How many a step has no picture for."""

    def begin(self, order: TrainOrder, features: Path) -> Generator[Yielded, Any, None]:
        """Gather the devices for ``order``, whose encoded pictures lie in ``features``: no more than a step has
        pictures."""
        if self._ranks is None:
            return
        self.idle = 0 if self._ranks.is_divided else max(0, self._ranks.devices - order.batch_size)
        if order.batch_size == 1 and not self._ranks.is_divided:
            return
        begin = partial(self._ranks.begin, order_to_json(order), features, order.batch_size)
        self.size = yield Background(begin, "gather devices", apart=True)
        self.missing = max(0, min(self._ranks.devices, order.batch_size) - self.size)

    def fitting(self, memory: MemoryPlan) -> MemoryPlan:
        """``memory``, as it may be here: on a divided base all devices take one picture at a time."""
        if self._ranks is None or not self._ranks.is_divided:
            return memory
        return msgspec.structs.replace(memory, micro_batch=1)

    def again(self) -> Generator[Yielded, Any, None]:
        """Gather those that are left."""
        if self._ranks is not None:
            self.size = yield Background(self._ranks.again, "gather devices", apart=True)

    def learn(self, state: TrainState, memory: MemoryPlan) -> Generator[Yielded, Any, None]:
        """Have the others learn their parts of the next update. ``RankLost``."""
        if self._ranks is not None and self.size > 1:
            how = state.step, memory.micro_batch, memory.recompute
            yield Background(partial(self._ranks.learn, state.weights, *how), "share weights", apart=True)

    def gather(self, state: TrainState) -> Generator[Yielded, Any, Losses]:
        """Add their gradients to the state's, in their order -> the losses of their samples. ``RankLost``, and
        ``OutOfMemory`` when one had no room."""
        if self._ranks is None or self.size == 1:
            return []
        found: Losses = yield Background(partial(self._ranks.gather, state.gradient), "gather gradients", apart=True)
        return found


ALONE = Together()


def spans(before: Mapping[int, int], step: int, size: int) -> dict[int, int]:
    """How many devices learn, by the number of updates done when that began; none: one, from the start."""
    earlier = {at: devices for at, devices in before.items() if at < step}
    now = (list(earlier.values()) or [1])[-1]
    return earlier if now == size else {**earlier, step: size}


def unused(idle: int, batch_size: int) -> str | None:
    """What the run's owner reads of devices that a step has no picture for."""
    if not idle:
        return None
    learn = "1 device learns" if batch_size == 1 else f"{batch_size} devices learn"
    pictures = "1 picture" if batch_size == 1 else f"{batch_size} pictures"
    return (
        f"A step takes {pictures}, so {learn} and {idle} more cannot help. An advanced training with a larger "
        "x_linocut.batch_size uses them."
    )


def told(before: Mapping[int, int], after: Mapping[int, int], step: int, missing: int, *, lost: bool) -> str | None:
    """What the run's owner reads of a change after ``step`` updates, or of devices that did not start."""
    size = (list(after.values()) or [1])[-1]
    learn = "1 device learns" if size == 1 else f"{size} devices learn together"
    if lost:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        return f"A device was lost at {now} UTC; from step {step + 1} on {learn}, with the same pictures in each step."
    if missing:
        return f"From step {step + 1} on {learn}: {missing} more did not start. The server's log says why."
    return None if before == after else f"From step {step + 1} on {learn}, with the same pictures in each step."
