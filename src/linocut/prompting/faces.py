"""Words for typefaces, into the four phrases that the embedded base was trained on; what a text's desc says of it."""

from linocut.prompting.colours import TINTS, colour_of, tinted
from linocut.prompting.lettering import TOKEN
from linocut.prompting.lexicon import FACES

BOLD, LIGHT, SERIF, ROUNDED = FACES
TEXT_NOUNS = frozenset(
    ("text", "lettering", "letters", "letter", "word", "words", "title", "caption", "type", "typography")
)
FACE_WORDS: dict[str, str] = {
    **dict.fromkeys(("sans", "grotesque", "grotesk", "helvetica", "geometric"), BOLD),
    **dict.fromkeys(("thin", "hairline"), LIGHT),
    **dict.fromkeys(("serif", "roman", "slab"), SERIF),
    **dict.fromkeys(("rounded", "bubble", "bubbly"), ROUNDED),
}
_FACE_NOUNS = TEXT_NOUNS | {"sans", "serif", "typeface", "font", "face", "weight"}
_PAST_THE_TEXT = frozenset(("on", "against", "over", "with", "above", "below", "behind", "under"))


def is_face(word: str, following: str) -> bool:
    """Whether a word speaks of a typeface. 'light' does only before such a noun: else it is a tint, or daylight."""
    return word in FACE_WORDS or (word == "light" and following in _FACE_NOUNS)


def face_of(known: str, word: str) -> str:
    """The phrase of a typeface ("" while none is known) after one more word of it: 'thin' then 'sans' is light."""
    if known == LIGHT and FACE_WORDS.get(word) == BOLD:
        return LIGHT
    return FACE_WORDS.get(word, LIGHT)


def without_tails(words: list[str]) -> list[str]:
    """The words without the 'serif' of 'sans serif'."""
    pairs = zip(["", *words], words, strict=False)
    return [word for before, word in pairs if not (word.lower() == "serif" and before.lower() == "sans")]


def lettering_style(desc: str) -> tuple[list[str], str]:
    """What the ``desc`` of a text element says of its letters: colours ('#RRGGBB') and typeface, both may be empty.

    Colours after 'on', 'with' and the like are those of something else, unless there are no others.
    """
    words = without_tails([word.lower() for word in TOKEN.findall(desc)])
    colours: dict[bool, list[str]] = {False: [], True: []}
    face = tint = before = ""
    past = False
    for word, following in zip(words, [*words[1:], ""], strict=False):
        past = past or word in _PAST_THE_TEXT
        colour = "" if word == "blue" and before in ("navy", "sky") else colour_of(word)
        if word in TINTS and colour_of(following):
            tint = word
        elif colour:
            colours[past].append(tinted(word, colour, tint) if tint else colour)
            tint = ""
        elif is_face(word, following) and not past:
            face = face_of(face, word)
        before = word
    return colours[False] or colours[True], face
