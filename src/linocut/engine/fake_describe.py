"""The fake engine's descriptions: two flat halves, as in the pictures that it draws; of others as far as their corners
go. Only the fake knows this: a picture whose corner is pure magenta fails."""

from collections.abc import Callable, Generator
from pathlib import Path

import msgspec

from linocut.engine.describing import Described, opened
from linocut.engine.door import Fetch
from linocut.errors import RunFailed
from linocut.orders import Answered, DescribeOrder, Event
from linocut.orders.seen import Seen, SeenColour, SeenFigure, SeenGround

LOWER_HALF = ((500, 0), (500, 1000), (1000, 1000), (1000, 0))


def describe(
    order: DescribeOrder, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]
) -> Generator[None, bool, None]:
    """One description; yields before its step."""
    del workspace
    yield
    pixels_HWC = opened(order.picture, fetch)
    upper, lower = ("#{:02X}{:02X}{:02X}".format(*pixels_HWC[row, 0]) for row in (0, -1))
    if upper == "#FF00FF":
        raise RunFailed("The picture could not be looked at; send it again.")
    figure = SeenFigure(
        name="rectangle", box=(500, 0, 1000, 1000), colours=(lower,), likeness=1.0, share=0.5, outline=LOWER_HALF
    )
    seen = Seen(
        ground=SeenGround(pattern="plain", colours=(upper,)),
        figures=(figure,),
        palette=(SeenColour(value=upper, share=0.5), SeenColour(value=lower, share=0.5)),
    )
    emit(Answered(key=key, answer=msgspec.to_builtins(Described(seen=seen, described_by="fake"))))
