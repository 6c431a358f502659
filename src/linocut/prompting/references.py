"""What words of an instruction point at: "the red star on the left", "the cup and the text", "it". Pure.

Whether that is in the picture is not looked up here (``revising`` does that).
"""

import re
from dataclasses import dataclass, replace
from itertools import takewhile

from linocut.prompting.colours import TINTS, colour_of
from linocut.prompting.lettering import QUOTED, TOKEN
from linocut.prompting.nouns import noun_of
from linocut.prompting.reader import GROUND_NOUNS, read
from linocut.prompting.synonyms import COUNTS, PLACES, SIZES

TEXT_NOUNS = frozenset((
    "text", "lettering", "letters", "word", "words", "title", "caption", "headline", "writing", "inscription",
))  # fmt: skip
MARK = re.compile("\x00(\\d+)")
"""What stands for a quotation."""
_AFTER_IT = frozenset((
    "on", "in", "at", "of", "with", "next", "beside", "below", "above", "under", "near", "behind", "around", "between",
    "inside", "over", "from",
))  # fmt: skip
"""What follows says where it is, or what it has."""
_ALL = frozenset(["all", "both", "every", "each", "everything", "anything"])
_FIGURES = frozenset(["figure", "figures", "shape", "shapes", "object", "objects"])
THINGS = _FIGURES | frozenset(["thing", "things", "element", "elements", "item", "items", "stuff"])
_SMALL = frozenset(["the", "a", "an", "of", "to", "on", "in", "at", "one", "ones", ","])
_IT = frozenset(["it", "its", "them", "they", "this", "that"])
EXCEPT = re.compile(
    r"\b(?:but|except(?:ing)?|excluding|besides|(?:apart|aside) from|other than|save)(?: for| not)?\b ?"
    r"|\b(?:that|which) (?:(?:is|are) not|(?:is|are)n['\u2019]t)\b ?",
    re.IGNORECASE,
)
"""Before what is spared."""
_ELSE = re.compile(
    r"(?:everything|anything|all) else|all others|(?:all )?(?:of )?the (?:rest|others|other (?:ones|things))",
    re.IGNORECASE,
)
_OTHERS = re.compile(r",(?: and)? | and ")
_ENDS = " .,!?;:"
_BEGINS = re.compile(r"(?:the|a|an|all|both|every|each|it|them|\x00)(?![a-z])", re.IGNORECASE)
"""How words begin that point at something of their own."""


@dataclass(frozen=True)
class Reference:
    """What a clause is about. ``name``: a figure, "" for any, "?" for one that nobody knows; ``words``: its own words;
    ``colours`` as '#RRGGBB'; ``text``: lettering, in the words that were sent; ``is_text``: lettering, whatever it
    says; ``is_figure``: no lettering; ``is_it``: what was spoken of before; ``place`` as in ``Thing``; ``every``: all
    of them; ``but``: what is spared of them."""

    words: str
    name: str = ""
    colours: tuple[str, ...] = ()
    text: str = ""
    is_text: bool = False
    is_figure: bool = False
    is_ground: bool = False
    is_it: bool = False
    place: tuple[int | None, int | None] = (None, None)
    every: bool = False
    but: tuple["Reference", ...] = ()

    @property
    def names_something(self) -> bool:
        """Whether it is more than a colour or a place."""
        return bool(self.name or self.is_text or self.is_ground or self.is_it or self.every)

    @property
    def is_everything(self) -> bool:
        """All that is in the picture, but what is spared."""
        return self.every and not self.name and not self.is_text


class Quoted:
    """Quotations are kept aside while clauses are cut, so that nothing in them is taken for a word of the sentence."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.raw: list[str] = []

    def taken_out(self, text: str) -> str:
        """The text with a mark for each quotation."""

        def keep(match: re.Match[str]) -> str:
            self.texts.append(next(group for group in match.groups() if group is not None))
            self.raw.append(match.group())
            return f" \x00{len(self.texts) - 1} "

        plain = " ".join(QUOTED.sub(keep, text.replace("\x00", " ")).split())
        return re.sub(" (?=[,.;])", "", plain)

    def put_back(self, clause: str) -> str:
        """Words as they were sent."""
        return " ".join(MARK.sub(lambda match: self.raw[int(match[1])], clause).split())

    def of(self, words: str) -> str:
        """The quotation among some words, or a word in capitals; "" for none."""
        marked = MARK.search(words)
        if marked:
            return self.texts[int(marked[1])]
        capitals = re.findall(r"\b[A-Z][A-Z0-9]+\b", words)
        return " ".join(capitals)


def references_of(words: str, quoted: Quoted) -> list[Reference]:
    """All that some words point at: "the cup, the star and the text" are three. Empty where any points at nothing."""
    exception = EXCEPT.search(words)
    if exception is None:
        return _listed(words, quoted)
    spared = _listed(words[exception.end() :], quoted)
    if not spared:
        return []
    shown = quoted.put_back(words).strip(_ENDS)
    but = tuple(one for one in spared if not one.is_ground)
    return [replace(one, words=shown, but=but) for one in _listed(words[: exception.start()].strip(" ,"), quoted)]


def _listed(words: str, quoted: Quoted) -> list[Reference]:
    found, pending = [], ""
    pieces = _OTHERS.split(words)
    for place, piece in enumerate(pieces):
        pending = f"{pending} and {piece}" if pending else piece
        following = pieces[place + 1] if place + 1 < len(pieces) else None
        if following is not None and not (_BEGINS.match(following) or _is_named(pending)):
            continue
        one = reference_of(pending, quoted)
        if following is not None and (one is None or not one.names_something):
            continue
        if one is None:
            return []
        found.append(one)
        pending = ""
    return found


def reference_of(words: str, quoted: Quoted) -> Reference | None:
    """What some words point at; None where they point at nothing that could be in a picture."""
    shown = quoted.put_back(words).strip(_ENDS)
    if _ELSE.fullmatch(words.strip(_ENDS)):
        return Reference(shown, every=True, but=(Reference(shown, is_it=True),))
    lower = [word.lower() for word in TOKEN.findall(MARK.sub(" ", words))]
    if any(word in GROUND_NOUNS for word in lower):
        return Reference(shown, is_ground=True)
    place, every = place_in(words), any(word in _ALL for word in lower)
    colours = colours_in(" ".join(lower))
    text = quoted.of(words)
    if text or any(word in TEXT_NOUNS for word in lower):
        return Reference(shown, colours=colours, text=text, is_text=True, place=place, every=every)
    head = list(takewhile(lambda word: word not in _AFTER_IT, lower)) or lower
    for word in reversed(head):  # "the cup star" is a star
        name, plural = noun_of(word)
        if name:
            return Reference(shown, name, colours, place=place, every=every or plural)
    kept = [word for word in lower if not _describes(word)]
    if kept and all(word in _IT for word in kept):
        return Reference(shown, colours=colours, is_it=True, place=place)
    noun = next((word for word in reversed(head) if not _describes(word)), "")
    if any(noun_of(word)[0] for word in lower[len(head) :]):  # "everything around the star"
        return Reference(shown, name="?", colours=colours, place=place)
    if noun in _ALL | THINGS | _IT or (not kept and (colours or every or place != (None, None))):
        every = every or (noun in THINGS and noun.endswith("s"))
        return Reference(shown, colours=colours, is_figure=noun in _FIGURES, place=place, every=every)
    return Reference(shown, name="?", colours=colours, place=place) if kept else None


def _describes(word: str) -> bool:
    """Whether a word says how or where something is, and not what."""
    is_quality = colour_of(word) or word in SIZES or word in COUNTS or word in TINTS
    return bool(is_quality) or word in _SMALL or word in PLACES


def colours_in(words: str) -> tuple[str, ...]:
    """Colours with their tints, as the reader has them."""
    rest = [word for word in words.lower().split() if word not in TEXT_NOUNS and not noun_of(word.strip(".,"))[0]]
    reader = read(f"on {' '.join(rest)}")
    return tuple(reader.ground.colours or reader.colours)


def place_in(words: str) -> tuple[int | None, int | None]:
    """The place that words name; the last of each axis counts."""
    across, down = None, None
    for word in re.findall(r"[a-z]+", words.lower()):
        place = PLACES.get(word)
        if place is not None:
            across, down = (place[0] if place[0] is not None else across), (place[1] if place[1] is not None else down)
    return across, down


def _is_named(words: str) -> bool:
    """Whether the last word is a figure or lettering."""
    last = words.rpartition(" ")[2].lower().strip(".,!?;:")
    return bool(noun_of(last)[0]) or last in TEXT_NOUNS or last in GROUND_NOUNS
