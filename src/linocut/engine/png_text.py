"""What a generated PNG says of its making, in text chunks (PNG 1.2, 11.3.4): tEXt for Latin-1, iTXt for the rest."""

from PIL.PngImagePlugin import PngInfo

from linocut.orders import GenerateOrder
from linocut.picture_files import Chunk

PREFIX = "linocut:"


def texts_of(order: GenerateOrder, seed: int) -> dict[str, str]:
    """The chunks of one image of an order, by name without ``PREFIX``; none where the order has no provenance."""
    if not order.provenance:
        return {}
    return {**order.provenance, "caption": order.caption, "seed": str(seed), "base": order.base}


def chunks(texts: dict[str, str]) -> list[Chunk]:
    """The chunks, in the order of their names, so that the same order gives the same bytes."""
    info = PngInfo()
    for name, text in sorted(texts.items()):
        # A text chunk ends at a NUL, and half a surrogate pair is in no encoding.
        sound = text.replace("\x00", " ").encode(errors="replace").decode()
        info.add_text(PREFIX + name, sound)
    return [(kind, data) for kind, data, *_ in info.chunks]
