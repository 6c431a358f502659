"""What a family says of pictures that it does not look at."""

from collections.abc import Sequence

from torch import Tensor

from linocut.engine.families.items import Look, Text
from linocut.errors import InvalidRequest


class SeesNoPictures:
    """A family whose text tower reads texts alone."""

    def encode_text_with(self, caption: str, pictures_HWC: Sequence[Tensor]) -> Text:
        """Nobody asks: ``look`` names no size for it."""
        raise NotImplementedError


class LooksAtNothing(SeesNoPictures):
    """A family whose network draws without looking at other pictures."""

    takes_references = False

    def look(self, width: int, height: int) -> Look:
        """``InvalidRequest``."""
        raise InvalidRequest("This base cannot look at other pictures: send none, or use a base that can.")
