"""Things and grounds in the phrases that the embedded base was trained on; what is not known of them is left out."""

from linocut.prompting.colours import nearest
from linocut.prompting.lexicon import SHAPES
from linocut.prompting.reader import UNNAMED, Ground, Thing

LETTERING = "lettering"
"""What is said of lettering whose colour and typeface are not known."""


def describe(thing: Thing) -> str:
    """'a red circle', 'a tilted outlined star', 'white rounded'; 'lettering' where nothing is known of a text."""
    names = [nearest(value) for value in thing.colours[:2]]
    if thing.text:
        return " ".join([*names[:1], thing.face]).strip() or LETTERING
    if len(names) == 2 and (names[0] == names[1] or thing.name in SHAPES):
        names = names[:1]
    words = ["tilted"] if thing.tilted else []
    words += [" and ".join(names)] if names else []
    words += ["outlined"] if thing.outlined else []
    return _article(" ".join([*words, thing.name or thing.words]))


def describe_ground(ground: Ground) -> str:
    """'plain navy', 'white dots on red', 'stripes', 'plain white, black border'; empty where nothing is known."""
    names = [nearest(value) for value in ground.colours[:2]]
    border = "border" if ground.border == UNNAMED else f"{ground.border} border" if ground.border else ""
    return ", ".join(part for part in (_pattern(ground, names), border) if part)


def _pattern(ground: Ground, names: list[str]) -> str:
    kind = _kind(ground)
    if ground.pattern == "plain":
        return f"plain {names[0]}" if names else ""
    if ground.pattern == "paper" or len(names) < 2:
        return " ".join([*names[:1], kind])
    if ground.pattern == "gradient":
        return f"{names[0]} to {names[1]} {kind}"
    if ground.pattern == "dots":
        return f"{names[0]} dots on {names[1]}"
    return f"{names[0]} and {names[1]} {kind}"


def _kind(ground: Ground) -> str:
    """The pattern with the turns that were trained for it."""
    turns = {"gradient": ("horizontal", "radial"), "stripes": ("vertical", "diagonal")}.get(ground.pattern, ())
    return f"{ground.turn} {ground.pattern}" if ground.turn in turns else ground.pattern


def _article(phrase: str) -> str:
    return ("an " if phrase[:1] in "aeiou" else "a ") + phrase
