"""Which pictures are the same one saved twice: hashes of ``measure.py`` compared in bits.

The threshold was chosen on what it must tell apart (tests/datasets/test_datasets_likeness.py): re-encoded, rescaled,
brighter, darker or less contrasty copies differ in at most 20 of 255 bits, crops of up to 10% (the shape kept) mostly
in at most 40, and different posters of one house style, which share paper, palette and layout, in 56 and more. What is
cut from one side only is another picture to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MOST_BITS = 44
"""Most of the 255 bits in which two hashes of the same picture differ."""

_WORDS = 4  # of 64 bits a hash


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures by their places in the list, ``first`` < ``second``, and in how many bits they differ."""

    first: int
    second: int
    bits: int


def near_pairs(likenesses: Sequence[tuple[str, ...]], most_bits: int = MOST_BITS) -> list[Pair]:
    """For each picture that resembles an earlier one, the pair with the earlier one that it resembles most.

    A pair is as near as the whole of either is to the whole or any crop of the other. 1,000 pictures: 0.2 s.
    """
    import numpy as np  # only a report needs it: the API starts without

    if not likenesses:
        return []
    words = np.array([_words(one) for one in likenesses], dtype=np.uint64)  # picture, crop, word
    by_word = [np.ascontiguousarray(words[:, :, word]) for word in range(_WORDS)]
    pairs = []
    for second in range(1, len(words)):
        crops_of_earlier, crops_of_this = (np.zeros((second, words.shape[1]), np.uint8) for _ in range(2))
        for word in by_word:
            crops_of_earlier += np.bitwise_count(word[:second] ^ word[second, 0])
            crops_of_this += np.bitwise_count(word[second] ^ word[:second, :1])
        bits = np.minimum(crops_of_earlier.min(axis=1), crops_of_this.min(axis=1))
        first = int(bits.argmin())
        if bits[first] <= most_bits:
            pairs.append(Pair(first, second, int(bits[first])))
    return pairs


def _words(likeness: tuple[str, ...]) -> list[list[int]]:
    return [[int(one[i : i + 16], 16) for i in range(0, 16 * _WORDS, 16)] for one in likeness]
