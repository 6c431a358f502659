"""The two branches of the guidance as items of one batch."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.items import Grid, Item, Text

Join = Callable[[Tensor, Tensor, float], Tensor]
"""(with the text, with the negative one, guidance) -> guided."""


class Branches:
    """``items`` with their text, then those that are ``guided`` once more with their negative text (``empty`` where
    they have none)."""

    def __init__(self, items: Sequence[Item], empty: Text, guided: Callable[[Item], bool]) -> None:
        self._asked = items
        self._guided = [index for index, item in enumerate(items) if guided(item)]
        self.items = [replace(item, text=item.text or empty) for item in items]
        self.items += [replace(items[i], text=items[i].negative or empty) for i in self._guided]

    def join(self, outputs: Sequence[Tensor], join: Join) -> list[Tensor]:
        """What came of ``self.items`` -> one output for each item that was asked for."""
        joined = list(outputs[: len(self._asked)])
        for index, without in zip(self._guided, outputs[len(self._asked) :], strict=True):
            joined[index] = join(joined[index], without, self._asked[index].guidance)
        return joined


def training_items(
    latents: Sequence[Tensor], grid: Grid, sigmas: Sequence[float], texts: Sequence[Text], adapter: Adapter | None
) -> list[Item]:
    """A micro-batch as items, without guidance."""
    return [Item(x, grid, s, text, adapter, 1.0) for x, s, text in zip(latents, sigmas, texts, strict=True)]


def linearly(with_text: Tensor, without: Tensor, guidance: float) -> Tensor:
    """without + guidance * (with - without)."""
    return without + guidance * (with_text - without)
