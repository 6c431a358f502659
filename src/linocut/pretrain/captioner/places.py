"""Where in the picture each token of an answer comes from: what the captioner's states are asked for while it learns.

Without that question a network of this size had read no letter after 15,000 lessons (docs/log.md).
"""

from __future__ import annotations

import numpy as np
from transformers import PreTrainedTokenizerFast

from linocut.pretrain.scene import Box, Scene
from linocut.pretrain.spelling import BOXED, END

ELEMENT = '"type":"'


def places(words: PreTrainedTokenizerFast, ids: list[int], scene: Scene) -> np.ndarray:
    """Tokens x 3: the middle of the letter or element that a token of an answer tells of (y, x as shares), and 1.

    Zeros for what tells of none. An element begins with the scaffolding that opens it; letters follow one another.
    """
    out = np.zeros((len(ids), 3), np.float32)
    index, inside, letter = -1, False, 0
    for at, token in enumerate(words.convert_ids_to_tokens(ids)):
        if ELEMENT in token:
            index, letter = index + 1, 0
        if token == END:
            inside = False
        if 0 <= index < len(scene.items):
            item = scene.items[index]
            box = item.cells[letter] if inside and letter < len(item.cells) else item.box
            out[at] = (*_middle(box, scene), 1.0)
            letter += inside
        if token == BOXED:
            inside = True
    return out


def _middle(box: Box, scene: Scene) -> tuple[float, float]:
    x0, y0, x1, y1 = box
    return (y0 + y1) / 2 / scene.height, (x0 + x1) / 2 / scene.width
