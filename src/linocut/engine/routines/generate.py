"""The routine of a generate order."""

from functools import partial

from linocut.engine.png_text import texts_of
from linocut.engine.routines.beside import beside, styled_start
from linocut.engine.routines.cards import card_verdicts
from linocut.engine.routines.draw import draw
from linocut.engine.routines.hands import Hands
from linocut.engine.routines.picture import png
from linocut.engine.work import Background, Routine
from linocut.orders import GenerateFinished, GenerateOrder, ImageDrawn


def generate(order: GenerateOrder, hands: Hands) -> Routine:
    """Draw the order's images; loading its adapter may take long and runs in a helper thread."""
    load = partial(hands.load_adapter, order.adapter) if order.adapter else None
    adapter = (yield Background(load, "load adapter")) if load else None
    given = yield from beside(order, hands)
    start = yield from styled_start(order, hands)
    pictures = yield from draw(
        hands.family,
        caption=order.caption,
        seeds=order.seeds,
        width=order.width,
        height=order.height,
        sampling=order.sampling,
        adapter=adapter,
        known=start,
        beside=given,
    )
    verdicts = yield from card_verdicts(order, pictures, hands)
    pngs = yield [
        Background(partial(png, pixels_HWC, order.output_width, order.output_height, texts_of(order, seed)), "png")
        for seed, pixels_HWC in zip(order.seeds, pictures, strict=True)
    ]
    for index, (seed, data, verdict) in enumerate(zip(order.seeds, pngs, verdicts, strict=True)):
        hands.emit(
            ImageDrawn(
                key=hands.key, index=index, seed=seed, png=b"" if verdict else data, native_width=order.width,
                native_height=order.height, verdict=verdict,
            )
        )  # fmt: skip
    hands.emit(GenerateFinished(key=hands.key))
