"""What a client is told of a plain prompt that was not taken as it was said: one sentence each, none where all was."""

from linocut.captions import cut_of
from linocut.prompting.lettering import MOST_ITEMS
from linocut.prompting.reader import read
from linocut.prompting.strangers import MOST_NAMED, strangers_in

_LONGEST_QUOTE = 60


def notes_of(text: str, caption: str, *, knows: str, has_own_model: bool) -> tuple[str, ...]:
    """The notes on a plain ``text`` whose caption (JSON) is ``caption``.

    ``knows``: what the base says that it knows, in short; empty where it was shown pictures of everything.
    ``has_own_model``: a custom model draws, which may know more.
    """
    reader = read(text)
    notes = []
    if cut := cut_of(text, caption):
        notes.append(f"The text was cut {cut}: the base has room for no more. Put what matters first.")
    notes += [lettered(*change) for change in reader.lettering.changed[: MOST_ITEMS + 1]]
    if reader.asked > MOST_ITEMS:
        notes.append(f"The text asks for {reader.asked} things; a picture has room for the first {MOST_ITEMS}.")
    if knows:
        notes += unknown(strangers_in(reader.lettering.rest), knows, has_own_model=has_own_model)
    return tuple(notes)


def lettered(asked: str, written: str) -> str:
    """What is written instead of what was asked for."""
    if not written:
        return f'"{short(asked)}" is not written: only A to Z, a to z, digits and ! ? & . - are, six words at most.'
    return f'"{short(asked)}" is written "{written}".'


def unknown(words: list[str], knows: str, *, has_own_model: bool) -> list[str]:
    """The note on nouns that the base does not know, if there are any."""
    if not words:
        return []
    if len(words) > MOST_NAMED:
        words = [*words[: MOST_NAMED - 1], f"{len(words) - MOST_NAMED + 1} more words"]
    named = listed([word if " " in word else f'"{short(word)}"' for word in words])
    if has_own_model:
        return [f"The base does not know {named}; the picture has it only where the custom model has learned it."]
    return [f"The base does not know {named}. It knows {knows}."]


def listed(items: list[str]) -> str:
    """'a, b and c'."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def short(text: str) -> str:
    """A text for a sentence: its beginning where it is long."""
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1].rstrip() + "\u2026"
