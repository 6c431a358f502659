"""Engines over the stand-in base for the engine's tests, and scripted routines."""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import torch
from tests.engine.engine_orders import BASE, base
from tests.engine.training_support import CHANNELS, StandIn
from torch import Tensor

from linocut.engine.door import Fetch
from linocut.engine.engine import RoutineEngine
from linocut.engine.executor import Executor
from linocut.engine.families.items import Grid, Item, Text
from linocut.engine.judging import Judge
from linocut.engine.memory import MIB, Footprint
from linocut.engine.resident import engine_over
from linocut.engine.scheduler import Scheduler
from linocut.engine.text_cache import TextCache
from linocut.engine.units import Denoise
from linocut.engine.work import FullPass, Routine, Unit, Yielded
from linocut.orders import Event, GenerateFinished, Order

CPU = torch.device("cpu")
GRID: Grid = (2, 2)


class Recording(StandIn):
    """The stand-in base, which notes every pass: ("velocity", number of items) and so on."""

    def __init__(self) -> None:
        super().__init__()
        self.passes: list[tuple[str, int]] = []

    def velocity(self, items: Sequence[Item]) -> list[Tensor]:
        self.passes.append(("velocity", len(items)))
        return super().velocity(items)

    def encode_text(self, captions: Sequence[str]) -> list[Text]:
        self.passes.append(("encode_text", len(captions)))
        return super().encode_text(captions)

    def decode(self, latents_NC: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        self.passes.append(("decode", len(latents_NC)))
        return super().decode(latents_NC, grids, tiles=tiles)


def stand_in_engine(family: Any = None) -> RoutineEngine:
    """The engine as the settings would open it, over the stand-in base."""
    return engine_over(base(), family or Recording(), CPU, 64 * MIB)


def denoise(value: float = 0.0, sigma: float = 0.5) -> Denoise:
    """One image's step on the stand-in base, without text."""
    return Denoise(torch.full((4, CHANNELS), value), GRID, sigma, None, None, 1.0)


Script = Callable[[Order, str, Fetch, Path, Callable[[Event], None]], Routine]


def scripted_engine(
    script: Script, family: Any = None, budget_bytes: int = 64 * MIB, judge: Judge | None = None
) -> RoutineEngine:
    """An engine whose orders run ``script`` in place of the real routines."""
    return RoutineEngine(
        identity=BASE,
        executor=Executor(family or Recording(), CPU),
        scheduler=Scheduler(Denoise.kind, Denoise.budget(FullPass(2, 4, 8))),
        full=FullPass(4, 4, 8),
        background_full=FullPass(2, 4, 8),
        make_routine=script,
        texts=TextCache(MIB),
        footprint=Footprint(latent_bytes_per_pixel=1.0, text_bytes_per_token=32, lora_features=96, on_host=True),
        budget_bytes=budget_bytes,
        judge=judge,
    )


def yielding(*units: Unit | list[Unit], answers: list[Any] | None = None) -> Script:
    """A script that yields ``units`` one after another, keeps the answers, and finishes as a generation does."""

    def script(
        order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]
    ) -> Generator[Yielded, Any, None]:
        for unit in units:
            answer = yield unit
            if answers is not None:
                answers.append(answer)
        emit(GenerateFinished(key=key))

    return script
