"""What a describe order comes to, and how its picture is opened. Imports no torch."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from linocut.engine.door import Fetch
from linocut.engine.refusals import lost_picture
from linocut.errors import Lost
from linocut.orders import PictureRef
from linocut.orders.seen import Seen, SeenGround
from linocut.picture_files import open_stored

EMBEDDED = "embedded"
"""Who describes where no model does: the tools that ship with linocut, and the words that are made of what they saw."""


class Described(msgspec.Struct, kw_only=True):
    """The answer of a describe order. ``caption``: the model's own, None where the words are to be made of ``seen``.
    ``described_by``: which component it was. ``notes``: what is not sure, a sentence each."""

    seen: Seen = Seen(ground=SeenGround(pattern=""))
    caption: dict[str, Any] | None = None
    described_by: str = EMBEDDED
    notes: tuple[str, ...] = ()


def opened(picture: PictureRef, fetch: Fetch) -> NDArray[np.uint8]:
    """uint8 ``pixels_HWC`` of a stored picture, RGB. ``RunFailed`` when its file is gone."""
    try:
        data = fetch(picture.sha256)
    except Lost as gone:
        raise lost_picture() from gone
    return np.asarray(open_stored(data).convert("RGB"))
