"""How a caption is to look beside what it shows: words for any base, colours by weight, and what the embedded base can
draw of it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Palette = tuple[tuple[str, float], ...]
"""Colours as ``#RRGGBB`` with their weights in (0, 1], the heaviest first."""


@dataclass(frozen=True)
class Dress:
    """A look.

    ``aesthetics``, ``lighting``, ``medium`` and ``manner`` are what ``style_description`` calls so (``manner`` is its
    ``photo`` where ``is_photo``, else its ``art_style``). ``palette``: first the ground's colours, then the figures'.
    ``insists``: the client named these colours itself, so the ground takes them whatever the prompt says of it.

    For the embedded base: ``ground`` is a pattern in its words ("diagonal stripes", "" for any), ``border``,
    ``outlined`` shapes, and a typeface, ``face``. ``names``: what asked for this, for sentences.
    """

    aesthetics: str = ""
    lighting: str = ""
    medium: str = ""
    manner: str = ""
    is_photo: bool = False
    palette: Palette = ()
    insists: bool = False
    ground: str = ""
    border: bool = False
    outlined: bool = False
    face: str = ""
    names: tuple[str, ...] = ()

    @property
    def has_words(self) -> bool:
        """Whether it asks for more than colours."""
        return bool(self.aesthetics or self.lighting or self.medium or self.manner)


def worn_together(dresses: Sequence[Dress]) -> Dress:
    """Several looks as one: words one after another, colours in turn, and of the rest the first that says anything.

    Colours that the client named itself take the place of all others.
    """
    chosen = [dress for dress in dresses if dress.insists] or list(dresses)
    return Dress(
        aesthetics=_joined(dress.aesthetics for dress in dresses),
        lighting=_joined(dress.lighting for dress in dresses),
        medium=_joined(dress.medium for dress in dresses),
        manner=_joined(dress.manner for dress in dresses),
        is_photo={dress.is_photo for dress in dresses if dress.manner} == {True},
        palette=_in_turn([dress.palette for dress in chosen]),
        insists=any(dress.insists for dress in dresses),
        ground=next((dress.ground for dress in dresses if dress.ground), ""),
        border=any(dress.border for dress in dresses),
        outlined=any(dress.outlined for dress in dresses),
        face=next((dress.face for dress in dresses if dress.face), ""),
        names=tuple(dict.fromkeys(name for dress in dresses for name in dress.names)),
    )


def _joined(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(word for word in words if word))


def _in_turn(palettes: list[Palette]) -> Palette:
    """The first colour of each, then the second of each, with the weights shared."""
    longest = max(map(len, palettes), default=0)
    taken: dict[str, float] = {}
    for place in range(longest):
        for palette in palettes:
            if place < len(palette):
                colour, weight = palette[place]
                taken[colour] = taken.get(colour, 0.0) + weight / len(palettes)
    return tuple(taken.items())
