"""Reads a prompt's words from left to right: colours, sizes and counts wait for the noun that they describe."""

from dataclasses import dataclass, field, replace

from linocut.prompting.colours import TINTS, colour_of, nearest, tinted
from linocut.prompting.faces import TEXT_NOUNS, face_of, is_face, without_tails
from linocut.prompting.lettering import LONGEST_TEXT, MOST_ITEMS, TOKEN, Lettering, lettering_of
from linocut.prompting.lexicon import SHAPES
from linocut.prompting.nouns import noun_of
from linocut.prompting.synonyms import COUNTS, PATTERNS, PLACES, SIZES

GROUND_NOUNS = frozenset(("background", "backdrop", "ground", "wall", "sky-background"))
GROUND_STARTS = frozenset(("on", "against", "over", "upon"))
SKIPPED = frozenset((
    "a", "an", "the", "of", "and", "with", "in", "at", "to", "poster", "card", "picture", "image", "drawing", "logo",
    "sign", "illustration", "colored", "coloured", "color", "colour", "simple", "flat", "corner", "side", "is", "that",
    "from",
))  # fmt: skip
MOST_WORDS = 8
"""Of something unknown."""
MOST_KEPT = 4 * MOST_ITEMS
"""Things that are remembered; a caption takes the first ``MOST_ITEMS``."""
MOST_COUNTED = 99
"""A larger number is a year or a size."""
UNNAMED = "unnamed"
"""The colour of a border that the prompt asks for without one."""


@dataclass
class Thing:
    """An element on its way: a figure (`name`), lettering (`text`) or something unknown (`words`)."""

    name: str = ""
    text: str = ""
    words: str = ""
    colours: list[str] = field(default_factory=list)  # '#RRGGBB'
    face: str = ""  # one of FACES; empty where the prompt names none
    outlined: bool = False
    tilted: bool = False
    scale: float = 1.0
    place: tuple[int | None, int | None] = (None, None)


@dataclass
class Ground:
    colours: list[str] = field(default_factory=list)
    pattern: str = "plain"
    turn: str = ""  # horizontal, vertical, diagonal, radial
    border: str = ""  # a trained colour name, or UNNAMED


def read(prompt: str) -> "Reader":
    """The reader that has been through all of the prompt: its ``things``, its ``ground``, its ``unknown`` words."""
    lettering = lettering_of(prompt)
    reader = Reader(lettering)
    reader.read(TOKEN.findall(lettering.rest))
    return reader


def few(words: list[str]) -> str:
    """Words for a thing that nobody knows; the description has all of them."""
    return " ".join(word[:LONGEST_TEXT] for word in words[:MOST_WORDS])


class Reader:
    """Walks over the words; what is pending belongs to the next noun. ``asked``: how many things the words ask for."""

    def __init__(self, lettering: Lettering) -> None:
        self.lettering = lettering
        self.asked = 0
        self.things: list[Thing] = []
        self.ground = Ground()
        self.after_on = False
        self.text_colours: list[str] = []
        self.text_face = ""
        self.last: Thing | None = None
        self.before = ""
        self.clear()

    def clear(self) -> None:
        self.colours: list[str] = []
        self.count, self.scale, self.tint = 1, 1.0, ""
        self.outlined = self.tilted = False
        self.unknown: list[str] = []
        self.pattern = self.turn = self.face = ""
        self.place: tuple[int | None, int | None] = (None, None)

    def read(self, words: list[str]) -> None:
        words = without_tails(words)
        for index, word in enumerate(words):
            following = words[index + 1] if index + 1 < len(words) else ""
            self.word(word.lower(), following.lower())
            self.before = word.lower()
        self.flush()

    def flush(self) -> None:
        """The end of a clause: colours left over after 'on' paint the ground, after 'in' the last lettering."""
        if (self.after_on and (self.colours or self.pattern)) or self.ground_waits():
            self.paint_ground()
        elif self.colours and self.last is not None and self.last.text and not self.last.colours:
            self.dress_lettering()
        elif self.pattern and not self.things:
            self.paint_ground()
        elif self.unknown and len(self.unknown) <= MOST_WORDS and not self.after_on and self.colours:
            self.add(Thing(words=few(self.unknown)))
        leftover = self.unknown
        self.clear()
        self.unknown = leftover
        self.after_on = False

    def ground_waits(self) -> bool:
        """Whether the pending colours are those of a pattern that was named before them: 'stripes in red and white'."""
        return bool(self.colours) and self.ground.pattern != "plain" and not self.ground.colours

    def dress_lettering(self) -> None:
        """The pending colour for the lettering just read, all its lines."""
        for thing in reversed(self.things):
            if not thing.text or thing.colours:
                break
            thing.colours, thing.face = list(self.colours), self.face or thing.face

    def paint_ground(self) -> None:
        """What is pending is the ground's; in 'yellow dots on red' the dots have painted it already."""
        marks = self.ground.colours if self.ground.pattern != "plain" and not self.pattern else []
        under = self.ground.colours if self.pattern and self.ground.pattern == "plain" else []  # "blue with white dots"
        self.ground.colours = [*marks, *self.colours, *under] if self.colours else self.ground.colours
        self.ground.pattern = self.pattern or self.ground.pattern
        self.ground.turn = self.turn or self.ground.turn
        self.clear()
        self.after_on = False

    def add(self, thing: Thing, *, plural: bool = False) -> None:
        count = self.count if plural or self.count <= MOST_ITEMS else 1
        thing.colours = list(self.colours)
        thing.outlined, thing.tilted = self.outlined and thing.name in SHAPES, self.tilted
        thing.scale = self.scale
        if any(axis is not None for axis in self.place):
            thing.place = self.place
        self.asked += count
        self.last = thing
        for _ in range(min(count, MOST_ITEMS, MOST_KEPT - len(self.things))):
            self.last = replace(thing, colours=list(thing.colours))
            self.things.append(self.last)
        self.clear()
        self.after_on = False

    def word(self, word: str, following: str) -> None:
        colour = colour_of(word)
        figure, plural = noun_of(word)
        if word.startswith("\x00"):
            self.face = self.face or self.text_face
            self.colours = self.colours or self.text_colours
            self.add(Thing(text=self.lettering.texts[int(word[1:])], face=self.face))
        elif word == ",":
            self.flush()
        elif word in GROUND_STARTS:
            self.flush()
            self.after_on = True
        elif word in ("in", "with", "and") and not (word == "and" and self.colours):
            gradient = word == "with" and (bool(self.pattern and self.colours) or self.ground_waits())
            if gradient or (word != "and" and self.after_on and (self.colours or self.pattern)):
                self.paint_ground()
        elif word in TINTS and (colour_of(following)):
            self.tint = word
        elif colour and not (word == "blue" and self.before in ("sky", "navy")):
            self.colours.append(tinted(word, colour, self.tint) if self.tint else colour)
            self.tint = ""
        elif colour:
            pass  # the 'blue' of 'navy blue'
        elif word in GROUND_NOUNS:
            self.paint_ground()
        elif word in ("border", "frame", "bordered", "framed"):
            self.ground.border = nearest(self.colours[-1]) if self.colours else UNNAMED
            self.colours = []
        elif word in PATTERNS and (self.after_on or not figure):
            self.pattern = PATTERNS[word]
        elif word in TEXT_NOUNS:
            self.text_colours, self.text_face = self.colours, self.face
            if self.last is not None and self.last.text and self.colours and not self.last.colours:
                self.dress_lettering()
            self.colours, self.unknown = [], []
        elif figure:
            if plural and self.count == 1:
                self.count = 3 if following != "and" else 2
            self.add(Thing(name=figure), plural=plural)
        else:
            self.modifier(word, following)

    def modifier(self, word: str, following: str) -> None:
        if word in COUNTS or (word.isdigit() and 0 < int(word[:3]) <= MOST_COUNTED):
            self.count = COUNTS.get(word) or int(word)
        elif word in ("horizontal", "vertical", "diagonal", "radial"):
            self.turn = word
        elif word in ("outlined", "outline", "hollow", "empty"):
            self.outlined = True
        elif word in ("tilted", "rotated", "slanted"):
            self.tilted = True
        elif is_face(word, following):
            self.face = face_of(self.face, word)
        elif word in SIZES:
            self.scale = SIZES[word]
        elif word in PLACES:
            self.put(PLACES[word])
        elif word not in SKIPPED:
            self.unknown.append(word)

    def put(self, place: tuple[int | None, int | None]) -> None:
        """A place word belongs to the element before it, or to the next one when colours already wait."""
        waits = self.last is None or bool(self.colours)
        now = self.place if waits or self.last is None else self.last.place
        merged = (place[0] if place[0] is not None else now[0], place[1] if place[1] is not None else now[1])
        if waits or self.last is None:
            self.place = merged
        else:
            self.last.place = merged
