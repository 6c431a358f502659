"""The real engine carries a kind of order that it has never heard of: a line in two tables, and its routine."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine.engine_orders import BASE, generate_order, run_to_the_end
from tests.engine.engine_support import Recording, stand_in_engine
from tests.engine.new_kinds import ReciteOrder, carried, kind
from tests.engine.training_support import picture

from linocut.engine.carriage import CARRIAGES
from linocut.engine.units import EncodeImage
from linocut.engine.work import Background, Routine
from linocut.errors import Cancelled
from linocut.files import sha256_hex
from linocut.orders import KINDS, Answered, Failed, GenerateFinished, order_from_json, order_to_json

PICTURE = picture(1, 48, 48)
ORDER = ReciteOrder(base=BASE, organization_id="org", picture_sha256=sha256_hex(PICTURE), sentences=2)


def recite(order: ReciteOrder, hands: Any) -> Routine:
    """The picture's mean, as a sentence: a stored picture in, no seed, no image out."""
    data = yield Background(lambda: hands.fetch(order.picture_sha256), "fetch picture")
    pixels_HWC = torch.from_numpy(np.zeros((48, 48, 3), dtype=np.uint8)) + len(data) % 7
    latents = yield EncodeImage(pixels_HWC)
    hands.emit(Answered(key=hands.key, answer={"descriptions": [str(tuple(latents.shape))] * order.sentences}))


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "recite", kind(ReciteOrder))
    monkeypatch.setitem(CARRIAGES, "recite", carried(None, recite))


def test_an_order_of_a_new_kind_runs_beside_the_others(tmp_path: Path) -> None:
    family = Recording()
    engine = stand_in_engine(family)
    engine.admit("recite", ORDER, lambda sha256: PICTURE, tmp_path)
    engine.admit("draw", generate_order(), lambda sha256: b"", tmp_path)
    events = {event.key: event for event in run_to_the_end(engine)}
    assert events["recite"] == Answered(key="recite", answer={"descriptions": ["(9, 12)", "(9, 12)"]})
    assert isinstance(events["draw"], GenerateFinished)


def test_it_is_cancelled_as_what_somebody_waits_for(tmp_path: Path) -> None:
    engine = stand_in_engine()
    engine.admit("recite", ORDER, lambda sha256: PICTURE, tmp_path)
    engine.cancel("recite")
    [last] = run_to_the_end(engine)
    assert isinstance(last, Failed)
    assert isinstance(last.error, Cancelled)


def test_it_is_the_same_after_json() -> None:
    assert order_from_json(order_to_json(ORDER)) == ORDER
