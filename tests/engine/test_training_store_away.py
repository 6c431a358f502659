"""A store that cannot be asked just now is told as that: never as a picture that is missing or damaged."""

from pathlib import Path
from typing import Any

import pytest
from tests.engine.training_support import StandIn, dataset, drive, train_order

from linocut.engine.training.examples import load_pixels, prepare
from linocut.errors import Unavailable

_, SAMPLES = dataset()
ORDER = train_order(SAMPLES)


def away(_sha256: str) -> bytes:
    raise Unavailable("The store is away.")


def test_a_picture_that_cannot_be_fetched_now(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="away"):
        load_pixels(ORDER, 0, away)

    def routine() -> Any:
        yield from prepare(ORDER, StandIn(), away, tmp_path)

    with pytest.raises(Unavailable, match="away"):
        drive(routine(), StandIn())
