"""A unit says itself what the engine must know of it: one that nobody has heard of runs, batches and fails too."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from tests.engine.engine_orders import generate_order, no_blobs, run_to_the_end
from tests.engine.engine_support import CPU, Recording, scripted_engine, yielding

from linocut.engine.executor import Broken, Done, Executor
from linocut.engine.families.items import Reference, Text
from linocut.engine.units import Denoise, denoise_tokens
from linocut.engine.work import Bench, DeviceUnit, FullPass, OutOfMemory, Yielded
from linocut.orders import Event, GenerateFinished, Order


@dataclass(frozen=True, eq=False)
class Add(DeviceUnit):
    """Adds one, as nothing in the engine does; ``asked`` counts the passes."""

    kind: ClassVar[str] = "add"
    asked: ClassVar[list[int]] = []
    number: float

    @property
    def tokens(self) -> int:
        return 1

    @classmethod
    def budget(cls, full: FullPass) -> int:
        return full.images

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> list[torch.Tensor]:
        assert not torch.is_grad_enabled()
        cls.asked.append(len(units))
        return [torch.tensor(unit.number + 1) for unit in units]


def test_a_new_unit_shares_passes_up_to_its_own_budget() -> None:
    Add.asked.clear()
    answers: list[Any] = []
    engine = scripted_engine(yielding([Add(n) for n in range(6)], Add(float("nan")), answers=answers))
    engine.admit("o", generate_order(), no_blobs, Path())
    events = run_to_the_end(engine)
    assert [float(answer) for answer in answers[0]] == [1, 2, 3, 4, 5, 6]
    assert Add.asked == [4, 2, 1]
    assert "not a finite number" in str(events[-1])
    assert not any(isinstance(event, GenerateFinished) for event in events)


@dataclass(frozen=True, eq=False)
class Hungry(DeviceUnit):
    """Finds room only when it is small, or never again."""

    kind: ClassVar[str] = "hungry"
    forms: tuple["Hungry", ...] = ()
    small: bool = False

    @property
    def tokens(self) -> int:
        return 1

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> list[str]:
        if not units[0].small:
            raise MemoryError
        return ["small"]

    def more_carefully(self) -> tuple["Hungry", ...]:
        return self.forms


def test_a_unit_says_in_which_forms_it_is_tried_again() -> None:
    executor = Executor(Recording(), CPU)
    assert executor.run([Hungry((Hungry(), Hungry(small=True)))]) == [Done("small")]
    [never] = executor.run([Hungry()])
    assert isinstance(never, Broken)
    assert isinstance(never.error, OutOfMemory)


@dataclass(frozen=True, eq=False)
class Alone(Add):
    """The same, without a budget."""

    kind: ClassVar[str] = "alone"
    asked: ClassVar[list[int]] = []

    @classmethod
    def budget(cls, full: FullPass) -> int:
        return 0


def test_a_unit_without_a_budget_runs_alone() -> None:
    Alone.asked.clear()

    def script(
        order: Order, key: str, fetch: Any, workspace: Path, emit: Callable[[Event], None]
    ) -> Generator[Yielded, Any, None]:
        yield [Alone(1), Alone(2)]
        emit(GenerateFinished(key=key))

    engine = scripted_engine(script)
    engine.admit("o", generate_order(), no_blobs, Path())
    run_to_the_end(engine)
    assert Alone.asked == [1, 1]


def test_a_negative_text_and_references_have_their_price() -> None:
    text = Text(10, {})
    x = torch.zeros(4, 3)
    plain = Denoise(x, (2, 2), 0.5, text, None, 3.0)
    assert plain.tokens == denoise_tokens(4, 10, 3.0) == 18
    assert Denoise(x, (2, 2), 0.5, text, None, 3.0, negative=Text(5, {})).tokens == 23
    assert Denoise(x, (2, 2), 0.5, text, None, 3.0, references=(Reference(x, (2, 3)),)).tokens == 10 + 2 * 10
    assert Denoise(x, (2, 2), 0.5, text, None, 1.0).tokens == 14
