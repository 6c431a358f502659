"""What a dataset is of: a style, a subject or a character. Said by its owner, or guessed from its captions. Pure."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from linocut.bases import Base
from linocut.bases.types import DATASET_KINDS, DatasetKind

FEWEST_CAPTIONS = 5
"""Of fewer nothing is guessed."""
SHARED_BY = 0.8
"""So large a part of the captions names what a dataset is of."""
STYLE_SAID_BY = 0.6
UNSHARED_BY = 0.4
"""Where no thing is in more of the captions than this, their look is all that they have in common."""

_WORD = re.compile(r"[^\W\d_]{3,}")
_STYLE = re.compile(r"\b(style|stil|styled|linocut|woodcut|watercolou?r|etching|aesthetic|illustrated by|artwork by)\b")
_PEOPLE = frozenset(
    _WORD.findall(
        "man woman men women boy girl person child lady gentleman guy character portrait face she his her actor "
        "warrior princess prince king queen hero heroine mann frau mädchen junge"
    )
)
_EMPTY = frozenset(
    _WORD.findall(
        "the and with for from into onto that this its his her their are was has have one two three four five six "
        "eight nine ten photo photograph picture image illustration drawing painting print art background foreground "
        "front behind above below left right center centre middle side large small big white black red green blue "
        "yellow orange purple pink brown grey gray plain flat simple style made"
    )
)


@dataclass(frozen=True)
class Known:
    """``kind`` None: not known. ``note``: what the owner is told of it, empty for nothing."""

    kind: DatasetKind | None
    note: str = ""


def kind_for(base: Base, said: DatasetKind | None, captions: Sequence[str]) -> Known:
    """The kind that a run on ``base`` is trained for. One that is said counts; else it is guessed, where the base's
    recipe has an answer to it."""
    if said is not None:
        plain = "" if said in base.training.kinds else f"The base {base.name} has one recipe for every kind of dataset."
        return Known(said, plain)
    guessed = guess(captions) if base.training.kinds else None
    if guessed is None:
        return Known(None)
    others = ", ".join(one for one in DATASET_KINDS if one != guessed)
    return Known(
        guessed,
        f"By its captions the dataset was taken for one of a {guessed}, and is trained by that recipe. If it is of "
        f"another kind ({others}), say so in x_linocut.dataset_kind.",
    )


def guess(captions: Sequence[str]) -> DatasetKind | None:
    """A character where nearly all captions speak of somebody and share a further word, a subject where they share a
    word, a style where they say so or share no thing at all. None where they tell too little."""
    texts = [text for text in (_said(caption) for caption in captions) if text]
    if len(texts) < max(FEWEST_CAPTIONS, len(captions) / 2) or len(set(texts)) == 1:
        return None
    words = [set(_WORD.findall(text)) for text in texts]
    people = sum(bool(one & _PEOPLE) for one in words) / len(texts)
    counted = Counter(word for one in words for word in one - _EMPTY - _PEOPLE)
    most = max(counted.values(), default=0) / len(texts)
    if sum(bool(_STYLE.search(text)) for text in texts) / len(texts) >= STYLE_SAID_BY:
        return "style"
    if most >= SHARED_BY:
        return "character" if people >= SHARED_BY else "subject"
    return "style" if most <= UNSHARED_BY and people <= UNSHARED_BY else None


def _said(caption: str) -> str:
    """The words of a caption, plain or structured: what it shows, and not how."""
    text = caption.strip()
    if text.startswith("{"):
        try:
            whole = json.loads(text)
        except ValueError:
            return text.lower()
        text = str(whole.get("high_level_description", "")) if isinstance(whole, dict) else ""
    return text.lower()
