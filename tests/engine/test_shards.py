"""A base in parts on two devices: the same adapter, whatever is drawn meanwhile, and nothing goes on without a part."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.stand_in_parts import InParts
from tests.engine.test_ranks import BLOBS, CLOSE, SAMPLES, distance, opening
from tests.engine.training_support import StandIn, train_order
from torch import Tensor

from linocut.engine.adapters.file import load_adapter
from linocut.engine.executor import Broken, Executor
from linocut.engine.ranks.leader import Ranks
from linocut.engine.ranks.shards import BaseBroken, Passes, network_of
from linocut.engine.training.run import train
from linocut.engine.training.together import Together
from linocut.engine.units import Denoise
from linocut.engine.work import Background
from linocut.errors import InvalidRequest
from linocut.orders import Event, TrainFinished, TrainOrder

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]
CPU = torch.device("cpu")


class Divided:
    """A leader whose base is in parts, and the executor over it."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self.ranks = Ranks(replace(opening(), family="in parts", divided=True))
        self.family = InParts()
        self.ranks.divide(self.family, 32)
        watch = partial(Passes(self.family, self.ranks.take_part).watched, _nothing)
        self.executor = Executor(self.family, CPU, watch)


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


@pytest.fixture
def divided() -> Iterator[Divided]:
    found = Divided()
    yield found
    found.ranks.close()


def run(
    order: TrainOrder, place: Path, family: Any, executor: Executor, ranks: Ranks | None, meanwhile: int = 0
) -> Tensor:
    """The adapter's weights; an image's step is drawn before every ``meanwhile``-th unit."""
    events: list[Event] = []
    routine = train(order, "run", family, BLOBS.__getitem__, place, events.append, together=Together(ranks))
    image = Denoise(torch.zeros(4, 12), (2, 2), 0.5, None, None, 1.0)
    send: Any = None
    number = 0
    try:
        while True:
            unit = routine.send(send)
            number += 1
            if meanwhile and number % meanwhile == 0:
                executor.run([image])
            send = [came_to(executor, one) for one in unit] if isinstance(unit, list) else came_to(executor, unit)
    except StopIteration:
        pass
    last = events[-1]
    assert isinstance(last, TrainFinished), last
    adapter, _ = load_adapter(last.path, targets=family.lora_targets(), base=order.base)
    return torch.cat([one.reshape(-1) for _, one in sorted({**adapter.down, **adapter.up}.items())])


def came_to(executor: Executor, unit: Any) -> Any:
    if isinstance(unit, Background):
        return unit.call()
    [outcome] = executor.run([unit])
    assert not isinstance(outcome, Broken), outcome.error
    return outcome.result


def test_a_base_in_parts_learns_what_the_whole_does(divided: Divided, tmp_path: Path) -> None:
    """Three pictures a step are uneven among two; where it is one, the other device only takes part."""
    local = [one.to_local().numel() for one in network_of(divided.family).network.parameters()]
    whole = sum(one.numel() for one in network_of(InParts()).network.parameters())
    assert sum(local) <= 0.6 * whole, "each device keeps about half"
    for batch in (3, 1):
        order = train_order(SAMPLES, steps=6, batch_size=batch)
        alone = InParts()
        one = run(order, tmp_path / f"one {batch}", alone, Executor(alone, CPU), None)
        parts = run(order, tmp_path / f"two {batch}", divided.family, divided.executor, divided.ranks, meanwhile=2)
        again = run(order, tmp_path / f"again {batch}", divided.family, divided.executor, divided.ranks)
        print(f"{batch} a step: weights {distance(parts, one):.1e} apart")
        assert distance(parts, one) < CLOSE
        assert again.equal(parts), "the same bytes, whatever was drawn meanwhile"


def test_nothing_is_computed_once_a_part_is_gone(divided: Divided) -> None:
    image = Denoise(torch.zeros(4, 12), (2, 2), 0.5, None, None, 1.0)
    [drawn] = divided.executor.run([image])
    assert not isinstance(drawn, Broken)
    os.kill(divided.ranks.members[0].pid, signal.SIGKILL)
    with pytest.raises(BaseBroken):
        divided.executor.run([image])


def test_a_family_with_a_forward_pass_of_its_own_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="LINOCUT_TRAINING_SHARDS=on divides bases"):
        network_of(StandIn())
