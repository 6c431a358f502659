"""Whether a base drew a refusal instead of what was asked for: such an image is withheld."""

from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from linocut.engine.refusal_cards import is_flat_grey, says_blocked
from linocut.engine.routines.hands import Hands
from linocut.engine.tools.units import use_tool
from linocut.engine.work import Background, Yielded
from linocut.errors import NotReady
from linocut.observe import log
from linocut.orders import GenerateOrder
from linocut.verdicts import REFUSAL_CARD, Verdict

FAMILY = "ideogram4"
"""The family whose bases draw refusals."""
COMPONENT = "refusal-card"


def card_verdicts(
    order: GenerateOrder, pictures: Sequence[Tensor], hands: Hands
) -> Generator[Yielded, Any, list[Verdict | None]]:
    """For each of uint8 ``pixels_HWC`` a verdict if it is a refusal, else None: somebody else judges it."""
    if order.base.partition("@")[0] != FAMILY:
        return [None] * len(pictures)
    looked = yield [Background(partial(_looked, one), "flatness") for one in pictures]
    verdicts = []
    for pixels_HWC in looked:
        verdicts.append((yield from _verdict(pixels_HWC, hands)))
    return verdicts


def _looked(picture: Tensor) -> Any:
    """The pixels of a picture that may be a card, None for any other."""
    pixels_HWC = picture.cpu().numpy()
    return pixels_HWC if is_flat_grey(pixels_HWC) else None


def _verdict(pixels_HWC: Any, hands: Hands) -> Generator[Yielded, Any, Verdict | None]:
    if pixels_HWC is None or min(np.shape(pixels_HWC)[:2]) < 16:
        return None
    try:
        lettering = yield from use_tool(hands.tools, "lettering", pixels_HWC)
    except NotReady as away:
        log("engine").warning("a flat grey image was not looked at for a refusal", why=away.message)
        return None
    if not says_blocked(lettering, pixels_HWC.shape[0]):
        return None
    return Verdict(component=COMPONENT, is_safe=False, reason=REFUSAL_CARD)
