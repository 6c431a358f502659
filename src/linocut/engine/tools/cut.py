"""What a matting tool gives, and what it can be given. Imports neither torch nor scipy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linocut.errors import InvalidRequest

Levels = NDArray[np.uint8]

NOTHING = "No object stands out from the backdrop."


@dataclass(frozen=True, eq=False)
class Cut:
    """``alpha_HW`` uint8, 255 is the object. ``doubts``: sentences that say why it may be wrong; none: it is sure.
    ``by``: what cut it out, as a client is told."""

    alpha_HW: Levels
    doubts: tuple[str, ...]
    by: str = "border-matting"

    @property
    def sure(self) -> bool:
        """Whether the cut can be used as it is."""
        return not self.doubts

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of the picture."""
        return not (self.alpha_HW > 127).any()


def checked(given: Any) -> Levels:
    """A picture that can be cut out: uint8 ``pixels_HWC``, RGB, of at least 16 x 16 pixels. ``InvalidRequest``."""
    pixels_HWC: Levels = np.asarray(given)
    is_picture = pixels_HWC.dtype == np.uint8 and pixels_HWC.ndim == 3 and pixels_HWC.shape[2] == 3
    if not is_picture or min(pixels_HWC.shape[:2]) < 16:
        raise InvalidRequest("A picture to cut out must be RGB, of at least 16 x 16 pixels.")
    return pixels_HWC
