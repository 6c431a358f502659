"""Text features by caption, the least recently used dropped first: the same prompt is often drawn again."""

from collections import OrderedDict

from linocut.engine.families.items import Text


class TextCache:
    """At most ``max_bytes`` of features."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Text] = OrderedDict()

    def get(self, caption: str) -> Text | None:
        """The caption's features, if they are here."""
        if caption in self._kept:
            self._kept.move_to_end(caption)
        return self._kept.get(caption)

    def put(self, caption: str, features: Text) -> None:
        """Keep the features, unless they alone are over the limit."""
        self._drop(caption)
        if features.nbytes > self._max_bytes:
            return
        self._kept[caption] = features
        self._bytes += features.nbytes
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, caption: str) -> None:
        if gone := self._kept.pop(caption, None):
            self._bytes -= gone.nbytes
