"""Counter-based randomness: a number is a function of what it is for, never of what was drawn before it.

A stream is named by its parts (a seed, a purpose, a step, a sample's key ...); their SHA-256 keys a Philox counter
generator and the position within the stream is the counter. So there is no generator state to store: a killed run
draws the same numbers again, and a picture gets the same noise alone or in any batch.

Only the raw words of numpy's Philox are used, which numpy keeps stable across versions (NEP 19); its ``normal`` and
``permutation`` are not.
"""

import hashlib
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def _words(parts: tuple[int | str, ...], count: int) -> NDArray[np.uint64]:
    """The first ``count`` 64-bit words of the stream named ``parts``."""
    name = "\0".join(f"{type(part).__name__}:{part}" for part in parts)
    key = np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], dtype="<u8")
    words: NDArray[Any] = np.random.Philox(key=key).random_raw(count)
    return words


def uniforms(count: int, *stream: int | str) -> NDArray[np.float64]:
    """``count`` numbers of the stream, evenly spread over the open interval (0, 1)."""
    return ((_words(stream, count) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normals(shape: tuple[int, ...], *stream: int | str) -> Tensor:
    """Standard normal float32 numbers of the stream, by Box and Muller; a longer draw begins like a shorter one."""
    count = prod(shape)
    pairs = uniforms(count + count % 2, *stream).reshape(-1, 2)
    radius = np.sqrt(-2.0 * np.log(pairs[:, 0]))
    angle = 2.0 * np.pi * pairs[:, 1]
    values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)[:count]
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


def permutation(count: int, *stream: int | str) -> list[int]:
    """The numbers 0 .. count - 1 in the stream's order, each order equally likely."""
    order: list[int] = np.argsort(_words(stream, count), kind="stable").tolist()
    return order


def start_noise(seed: int, shape: tuple[int, ...]) -> Tensor:
    """What an image starts from: standard normal, float32 on the CPU, a function of seed and position.

    ``shape`` is as ``Family.latent_shape`` gives it. The same seed and size give the same bits on the same
    machine, whatever else is in the batch.
    """
    return normals(shape, "start noise", seed)
