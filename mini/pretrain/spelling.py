"""Which tokens of a caption are letters of its lettering, and where in the picture each letter stands.

Where one stands follows from its word's box and length and from its own number (lettering.py). The network learns that
far sooner when each letter's token is asked for its cell than through the picture alone, and the picture's own tokens
find their letter by it.
"""

from __future__ import annotations

import numpy as np
from transformers import PreTrainedTokenizerFast

from pretrain.scene import Scene

BOXED, UNBOXED, END = '],"text":"', 'text":"', '","desc":"'
MARKS = 2
"""Numbers a letter is asked for: its cell's middle across the picture and its width, as shares of the whole width."""


class Spelling:
    """Knows the tokens between which a caption's lettering stands."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.names = {index: token for token, index in tokenizer.get_vocab().items()}

    def marks(self, ids: list[int], scene: Scene) -> np.ndarray:
        """For each token its ``MARKS`` and 1; zeros for what is not a letter of an element that was given its box."""
        out = np.zeros((len(ids), MARKS + 1), np.float32)
        letters = [(letter, box) for item in scene.items if item.text
                   for letter, box in zip(item.text, item.cells, strict=True)]  # fmt: skip
        inside = boxed = False
        for place, index in enumerate(ids):
            token = self.names[index]
            if token in (BOXED, UNBOXED):
                inside, boxed = True, token == BOXED
            elif token == END:
                inside = False
            elif inside and letters:
                letter, (x0, _, x1, _) = letters.pop(0)
                if letter != token:  # never, as long as lettering falls into letters
                    break
                if boxed:
                    out[place] = (x0 + x1) / 2 / scene.width, (x1 - x0) / scene.width, 1.0
        return out
