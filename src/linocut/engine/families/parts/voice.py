"""The language model inside a text tower."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Voice:
    """``body``: the module that turns the ids of words into features, with a cache; ``tokenizer``: the library's;
    ``head``: the module that turns features into words, where the tower was loaded with it (whether its weights were
    in the base's files is for ``bases/speech.py`` to say)."""

    body: Any
    tokenizer: Any
    head: Any = None
