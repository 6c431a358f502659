"""Pixels as the client asked for them: scaled, then PNG. Runs in helper threads, off the device loop."""

from PIL import Image
from torch import Tensor

from linocut.engine.png_text import chunks
from linocut.picture_files import png_bytes


def png(pixels_HWC: Tensor, width: int, height: int, texts: dict[str, str] | None = None) -> bytes:
    """uint8 ``pixels_HWC`` scaled to ``width`` x ``height`` (Lanczos; unchanged when it has that size) as PNG bytes.

    ``texts``: what the file says of its making, nothing for None; see ``engine/png_text.py``.
    """
    picture = Image.fromarray(pixels_HWC.cpu().numpy(), "RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    return png_of(picture, texts)


def png_of(picture: Image.Image, texts: dict[str, str] | None = None) -> bytes:
    """The picture as it is, as PNG bytes; ``texts`` as above."""
    return png_bytes(picture, chunks(texts or {}))
