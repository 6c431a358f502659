"""The routine of a cutout order: the object of a picture, its edge soft and free of the old ground."""

from collections.abc import Generator
from functools import partial
from typing import Any

from PIL import Image

from linocut.engine.cutting import Given, given, seen, settled
from linocut.engine.refusals import no_object
from linocut.engine.routines.hands import Hands
from linocut.engine.routines.picture import png_of
from linocut.engine.tools.cut import Cut, Levels
from linocut.engine.tools.foreground import freed
from linocut.engine.tools.units import use_tool
from linocut.engine.work import Background, Routine, Yielded
from linocut.orders import CutoutOrder, GenerateFinished, ImageDrawn, PictureRef

Steps = Generator[Yielded, Any, Any]


def cutout(order: CutoutOrder, hands: Hands) -> Routine:
    """Cut the object out. An embedded tool runs beside the device; the base is not asked."""
    picture, cut, tools = yield from _cut(order.picture, order.matting, hands)
    png, notes = yield Background(partial(finished, picture, cut), "png")
    hands.emit(
        ImageDrawn(
            key=hands.key, index=0, seed=0, png=png, native_width=order.picture.width,
            native_height=order.picture.height, notes=notes, tools=tools,
        )
    )  # fmt: skip
    hands.emit(GenerateFinished(key=hands.key))


def object_of(ref: PictureRef, matting: str, hands: Hands) -> Steps:
    """(RGBA levels of a picture's object, what is to be said of the cut, the tools that made it). ``InvalidRequest``
    for a picture in which no object is found."""
    picture, cut, tools = yield from _cut(ref, matting, hands)
    if cut is not None and cut.is_empty:
        raise no_object()
    alpha_HW, notes = settled(picture, cut)
    object_HWC: Levels = yield Background(partial(freed, picture.pixels_HWC, alpha_HW), "colours of the edge")
    return object_HWC, notes, tools


def _cut(ref: PictureRef, matting: str, hands: Hands) -> Steps:
    """(the picture, the tool's cut of it, the tools that made it); no cut of a picture that came cut out."""
    picture: Given = yield Background(partial(given, ref, hands.fetch), "open")
    if picture.is_cut_out:
        return picture, None, ()
    cut: Cut = yield from use_tool(hands.tools, matting, seen(picture))
    return picture, cut, (cut.by,)


def finished(picture: Given, cut: Cut | None, texts: dict[str, str] | None = None) -> tuple[bytes, tuple[str, ...]]:
    """(the object as PNG bytes, what is to be said of the cut). ``texts`` as in ``png_text``."""
    alpha_HW, notes = settled(picture, cut)
    return png_of(Image.fromarray(freed(picture.pixels_HWC, alpha_HW), "RGBA"), texts), notes
