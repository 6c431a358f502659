"""Round trip on the embedded base: what it draws is described, and what is drawn from the description is compared."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from tests.engine.engine_orders import run_to_the_end
from tests.engine.test_canvas import stored

from linocut.bases import MINI, load_base
from linocut.engine.families.family import load_family
from linocut.engine.resident import engine_over
from linocut.engine.tools.tool import ToolsAtHand
from linocut.orders import Answered, DescribeOrder, GenerateOrder, ImageDrawn
from linocut.orders.seen import Seen
from linocut.prompting import tell
from linocut.runtime import worded

SIDE = 512
ASKED = (
    ("a red circle on plain navy", "circle", "red"),
    ("a yellow star on plain teal", "star", "yellow"),
    ("a white house on plain maroon", "house", "white"),
    ("a blue fish on plain cream", "fish", "blue"),
    ("a pink heart on plain charcoal", "heart", "pink"),
    ('the word "TEA" in white on plain green', "TEA", "white"),
    ("an orange cup on a sky background", "cup", "orange"),
    ("a purple tree on plain beige", "tree", "purple"),
)


class Trip:
    """The base, and what becomes of orders."""

    def __init__(self) -> None:
        self.base = load_base(MINI)
        self.family = load_family(self.base.family, MINI, torch.device("cpu"), torch.float32)
        self.blobs: dict[str, bytes] = {}

    def run(self, orders: list[Any]) -> list[Any]:
        engine = engine_over(self.base, self.family, torch.device("cpu"), 1 << 26, tools=ToolsAtHand(1 << 30))
        for number, order in enumerate(orders):
            engine.admit(str(number), order, self.blobs.__getitem__, Path())
        told = {event.key: event for event in run_to_the_end(engine) if isinstance(event, ImageDrawn | Answered)}
        engine.close()
        return [told[str(number)] for number in range(len(orders))]

    def drawn(self, texts: list[str], seed: int) -> list[Image.Image]:
        orders = [
            GenerateOrder(
                base=self.base.identity, organization_id="o", width=128, height=128, output_width=SIDE,
                output_height=SIDE, seeds=(seed,), sampling=self.base.sampling["TURBO"], adapter=None,
                caption=worded(self.base, text, SIDE, SIDE, make_up=True).caption,
            )
            for text in texts
        ]  # fmt: skip
        return [Image.open(BytesIO(event.png)).convert("RGB") for event in self.run(orders)]

    def described(self, pictures: list[Image.Image]) -> list[dict[str, Any]]:
        orders = [
            DescribeOrder(
                base=self.base.identity, organization_id="o", picture=stored(one, self.blobs), describer="embedded"
            )
            for one in pictures
        ]
        return [tell(msgspec.convert(event.answer["seen"], Seen)) for event in self.run(orders)]


@pytest.fixture(scope="module")
def trip() -> Iterator[Trip]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Trip()
    torch.set_num_threads(before)


def far(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of small versions, of 255."""
    a, b = (np.asarray(p.resize((24, 24), Image.Resampling.BOX)).astype(float) for p in (one, other))
    return float(np.abs(a - b).mean())


@pytest.mark.long
def test_what_mini_draws_is_told_and_drawn_again(trip: Trip, capsys: pytest.CaptureFixture[str]) -> None:
    first = trip.drawn([text for text, _, _ in ASKED], seed=5)
    told = trip.described(first)
    said = [str(caption["compositional_deconstruction"]) for caption in told]
    named = sum(name in text for (_, name, _), text in zip(ASKED, said, strict=True))
    coloured = sum(colour in text for (_, _, colour), text in zip(ASKED, said, strict=True))
    wrongly = sum(name in said[i - 1] for i, (_, name, _) in enumerate(ASKED))
    for caption in told:
        caption.pop("tags")
    again = trip.drawn([msgspec.json.encode(caption).decode() for caption in told], seed=6)
    own = [far(a, b) for a, b in zip(first, again, strict=True)]
    others = [far(a, again[i - 1]) for i, a in enumerate(first)]
    empty = trip.drawn(["a picture"], seed=6) * len(first)
    nothing = [far(a, b) for a, b in zip(first, empty, strict=True)]
    with capsys.disabled():
        print(f"\nnamed {named} of {len(ASKED)} (shuffled {wrongly}), coloured {coloured}")
        print(f"distance: own {np.mean(own):.1f}, shuffled {np.mean(others):.1f}, of nothing {np.mean(nothing):.1f}")
        print("\n".join(caption["high_level_description"] for caption in told))
    assert named >= 7
    assert coloured >= 7
    assert wrongly <= 2
    assert np.mean(own) < 15
    assert all(mine < 0.6 * min(other, none) for mine, other, none in zip(own, others, nothing, strict=True))
