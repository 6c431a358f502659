"""Training examples: pictures drawn as they are needed, encoded once, used a few times with fresh captions.

Most steps train on windows cut out of pictures, at the places that their tokens have in the whole: a step then costs a
quarter, and the caption's boxes stay true. Legend: _bnc = batch, image token, channel; _bl = batch, text token;
_rcc = rows, columns of tokens, channel.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLFlux2
from transformers import PreTrainedTokenizerFast

from pretrain import captions, tokenizer
from pretrain.config import SIZES, TransformerConfig, VaeConfig
from pretrain.draw import Painter
from pretrain.scene import Scene, sample
from pretrain.spelling import Spelling
from pretrain.vae import pack, to_tensor

TOKEN = VaeConfig().token
STROKES = (TOKEN // 2) ** 2
"""Ink marks of a cell: the class map has half the picture's size."""
FRAME = 4
"""Numbers that say where a cell lies in its letter or figure, see ``frames``."""


@dataclass
class Example:
    scene: Scene
    latent_rcc: np.ndarray  # float16, normalised tokens
    labels_rc: np.ndarray  # uint8, the class that fills most of each cell's ink
    strokes_rcc: np.ndarray  # bool, ink mask of each cell
    colours_rcc: np.ndarray  # float16, mean colour of each cell in -1..1
    frames_rcc: np.ndarray  # float16, see ``frames``


@dataclass
class Batch:
    latent_bnc: torch.Tensor
    labels_bn: torch.Tensor
    strokes_bnc: torch.Tensor
    colours_bn3: torch.Tensor
    frames_bn5: torch.Tensor
    ids_bl: torch.Tensor
    marks_bl3: torch.Tensor  # see ``Spelling.marks``
    lengths_b: torch.Tensor
    corners_b2: torch.Tensor  # row and column of each window's first token in its picture
    grid: tuple[int, int]  # rows and columns of tokens, the same for the whole batch


def cells(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half-size class map -> (class of each cell, rows x columns; ink masks, rows x columns x marks)."""
    side = TOKEN // 2
    h, w = labels.shape[0] // side, labels.shape[1] // side
    tiles = labels.reshape(h, side, w, side).transpose(0, 2, 1, 3).reshape(h * w, STROKES)
    classes = np.array([np.bincount(t[t > 0], minlength=1).argmax() if t.any() else 0 for t in tiles], np.uint8)
    return classes.reshape(h, w), (tiles > 0).reshape(h, w, STROKES)


def cell_colours(pixels: np.ndarray) -> np.ndarray:
    """uint8 height x width x 3 -> mean colour of each cell, rows x columns x 3, -1..1."""
    h, w = pixels.shape[:2]
    means = pixels.reshape(h // TOKEN, TOKEN, w // TOKEN, TOKEN, 3).mean((1, 3))
    return np.asarray(means / 127.5 - 1.0, np.float16)


def frames(scene: Scene) -> np.ndarray:
    """Where each token lies in the letter's cell or the figure that covers most of it, rows x columns x 5.

    Its middle's place across and down (-1 and 1 at the sides, at most 1.5), log2 of that one's width and height in
    cells, halved, and 1; all zeros where none is.
    """
    rows, cols = scene.height // TOKEN, scene.width // TOKEN
    out, most = np.zeros((rows, cols, FRAME + 1)), np.zeros((rows, cols))
    x, y = np.arange(cols), np.arange(rows)
    for box in (box for item in scene.items for box in (item.cells or (item.box,))):
        x0, y0, x1, y1 = (v / TOKEN for v in box)
        across = np.clip(np.minimum(x + 1, x1) - np.maximum(x, x0), 0, None)
        down = np.clip(np.minimum(y + 1, y1) - np.maximum(y, y0), 0, None)
        here = (down[:, None] * across) > most
        most = np.maximum(most, down[:, None] * across)
        wide, high = max(x1 - x0, 0.1), max(y1 - y0, 0.1)
        u, v = np.clip((2 * x + 1 - x0 - x1) / wide, -1.5, 1.5), np.clip((2 * y + 1 - y0 - y1) / high, -1.5, 1.5)
        told = np.broadcast_arrays(u, v[:, None], np.log2(wide) / 2, np.log2(high) / 2, 1.0)
        out[here] = np.stack(told, -1)[here]
    return np.asarray(out, np.float16)


def corner(scene: Scene, window: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
    """Where to cut a window (row, column, in tokens): three times in four over an item, more often a longer text."""
    y, x = rng.uniform(0, scene.height), rng.uniform(0, scene.width)
    if scene.items and rng.random() < 0.75:
        pull = np.array([1.0 + len(item.text) for item in scene.items])
        x0, y0, x1, y1 = scene.items[int(rng.choice(len(pull), p=pull / pull.sum()))].box
        y, x = rng.uniform(y0, y1), rng.uniform(x0, x1)
    row, col = round(y / TOKEN - window[0] / 2), round(x / TOKEN - window[1] / 2)
    return (
        min(max(row, 0), scene.height // TOKEN - window[0]),
        min(max(col, 0), scene.width // TOKEN - window[1]),
    )


def cut(example: Example, at: tuple[int, int], window: tuple[int, int]) -> Example:
    """The window of so many tokens down and across whose first token is `at`; the scene stays the whole picture's."""
    rows, cols = slice(at[0], at[0] + window[0]), slice(at[1], at[1] + window[1])
    return replace(
        example,
        latent_rcc=example.latent_rcc[rows, cols],
        labels_rc=example.labels_rc[rows, cols],
        strokes_rcc=example.strokes_rcc[rows, cols],
        colours_rcc=example.colours_rcc[rows, cols],
        frames_rcc=example.frames_rcc[rows, cols],
    )


@torch.no_grad()
def encode(vae: AutoencoderKLFlux2, pixels_bhwc: torch.Tensor) -> torch.Tensor:
    """uint8 pictures, batch x height x width x 3, on the autoencoder's device -> normalised tokens _bnc, float32."""
    mean = vae.encode(to_tensor(pixels_bhwc).contiguous(memory_format=torch.channels_last)).latent_dist.mean
    deviation = torch.sqrt(vae.bn.running_var + vae.config.batch_norm_eps)
    tokens: torch.Tensor = (pack(mean.contiguous()) - vae.bn.running_mean) / deviation
    return tokens


class Source:
    """Draws, encodes and remembers. Everything follows from the seed and the count of drawn groups."""

    def __init__(
        self, config: TransformerConfig, vae: AutoencoderKLFlux2, words: PreTrainedTokenizerFast, fonts: Path
    ) -> None:
        self.config, self.vae, self.words = config, vae.train(False), words
        self.painter, self.spelling = Painter(fonts), Spelling(words)
        self.shelves: dict[tuple[int, int], deque[Example]] = {
            size: deque(maxlen=config.buffer if size == SIZES[0] else config.buffer // 8) for size in SIZES
        }

    def draw(self, step: int, size: tuple[int, int], count: int) -> None:
        rng = np.random.default_rng((self.config.seed, step, size[0]))
        level = float(np.interp(step / self.config.steps, (0.0, 1.0), self.config.level))
        # Easy pictures keep coming: the level of each is anywhere up to today's.
        scenes = [sample(rng, *size, level * float(rng.uniform(0.3, 1.0)), self.config.crowds) for _ in range(count)]
        painted = [self.painter.paint(scene) for scene in scenes]
        latents = encode(self.vae, torch.from_numpy(np.stack([p[0] for p in painted]))).to(torch.float16).numpy()
        for (pixels, labels, scene), latent_nc in zip(painted, latents, strict=True):
            latent_rcc = latent_nc.reshape(size[1] // TOKEN, size[0] // TOKEN, -1)
            self.shelves[size].append(Example(scene, latent_rcc, *cells(labels), cell_colours(pixels), frames(scene)))

    def batches(self, step: int) -> list[Batch]:
        """Four batches of one size, of windows or of whole pictures, sorted by caption length: little is padding."""
        config = self.config
        rng = np.random.default_rng((config.seed, step, 7))
        native, done = rng.random() < config.native_share, step / config.steps
        size = SIZES[0] if native else SIZES[int(rng.integers(1, len(SIZES)))]
        whole = not native or done >= config.whole_from or rng.random() < config.whole_share
        batch = config.whole_batch if whole else config.batch
        shelf, wanted = self.shelves[size], 4 * batch
        new = wanted if len(shelf) < 4 * wanted else -(-wanted // config.reuse)
        self.draw(step, size, new)
        fresh = list(range(len(shelf) - new, len(shelf)))
        old = rng.integers(0, len(shelf), wanted - new).tolist()
        chosen = [shelf[i] for i in [*fresh, *old]]
        window = config.windows[int(rng.integers(len(config.windows)))]
        corners = [(0, 0) if whole else corner(example.scene, window, rng) for example in chosen]
        if not whole:
            chosen = [cut(example, at, window) for example, at in zip(chosen, corners, strict=True)]
        spelled = 0.4 - 0.2 * done  # letters are given one by one more often early on
        dropped = [rng.random() < config.caption_dropout for _ in chosen]
        tokens = [[] if drop else written(self.words, example.scene, rng, spelled)
                  for drop, example in zip(dropped, chosen, strict=True)]  # fmt: skip
        order = sorted(range(wanted), key=lambda i: len(tokens[i]))
        groups = [order[i : i + batch] for i in range(0, wanted, batch)]
        rng.shuffle(groups)
        marks = [self.spelling.marks(ids, example.scene) for ids, example in zip(tokens, chosen, strict=True)]
        return [
            _collate([chosen[i] for i in g], [tokens[i] for i in g], [marks[i] for i in g], [corners[i] for i in g])
            for g in groups
        ]


def written(words: PreTrainedTokenizerFast, scene: Scene, rng: np.random.Generator, spelled: float) -> list[int]:
    """The tokens of one caption of a scene."""
    return list(words(tokenizer.wrap(captions.caption(scene, rng, spelled)))["input_ids"])


def _collate(
    examples: list[Example], tokens: list[list[int]], marks: list[np.ndarray], corners: list[tuple[int, int]]
) -> Batch:
    longest = -(-max(8, *(len(t) for t in tokens)) // 8) * 8
    rows, cols = examples[0].labels_rc.shape

    def flat(name: str) -> torch.Tensor:
        stacked = np.stack([getattr(example, name) for example in examples])
        return torch.from_numpy(stacked).flatten(1, 2)

    return Batch(
        flat("latent_rcc").float(),
        flat("labels_rc").long(),
        flat("strokes_rcc").float(),
        flat("colours_rcc").float(),
        flat("frames_rcc").float(),
        torch.tensor([[0] * (longest - len(t)) + t for t in tokens]),
        torch.from_numpy(np.stack([np.pad(m, ((longest - len(m), 0), (0, 0))) for m in marks])),
        torch.tensor([len(t) for t in tokens]),
        torch.tensor(corners),
        (rows, cols),
    )
