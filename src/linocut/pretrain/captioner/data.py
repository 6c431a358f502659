"""Batches for the captioner, made in a child process ahead of the trainer: drawn, looked at, asked about, answered.

Legend as in looking.py and net.py; _bl = batch, token of question and answer.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load, save
from transformers import PreTrainedTokenizerFast

from linocut.parent import die_with_parent
from linocut.pretrain import tokenizer
from linocut.pretrain.captioner import lessons
from linocut.pretrain.captioner.lessons import Lesson
from linocut.pretrain.captioner.looking import look
from linocut.pretrain.captioner.places import places
from linocut.pretrain.config import SIZES, CaptionerConfig, TransformerConfig
from linocut.pretrain.data import TOKEN, encode
from linocut.pretrain.draw import Painter
from linocut.pretrain.scene import Scene, sample

AHEAD = 24
"""Batches that wait for the trainer."""
GROUP = 3
LOOKED = 8
"""Pictures that are looked at together, under one noise."""


@dataclass
class Batch:
    ids_bl: torch.Tensor  # question, then answer; padded on the right
    answers_bl: torch.Tensor  # whether the token after this one belongs to the answer
    places_bl3: torch.Tensor  # of the token after this one, see places.py; zeros where there is no picture
    seen_bnc: torch.Tensor  # float16; of no channels where there is no picture
    grid: tuple[int, int]


def question(words: PreTrainedTokenizerFast, text: str) -> list[int]:
    """The tokens before an answer; `text` is empty where a picture is to be described."""
    return list(words(f"{tokenizer.SPECIAL[1]}{text}{tokenizer.SPECIAL[2]}")["input_ids"])


def collate(
    words: PreTrainedTokenizerFast, told: list[Lesson], seen: list[torch.Tensor], grid: tuple[int, int]
) -> Batch:
    """Lessons as tokens; `seen` is empty or one picture for each."""
    asked = [question(words, lesson.asked) for lesson in told]
    answers = [list(words(lesson.answer)["input_ids"]) for lesson in told]
    longest = -(-max(len(a) + len(b) + 1 for a, b in zip(asked, answers, strict=True)) // 8) * 8
    ids = torch.zeros(len(told), longest, dtype=torch.long)
    wanted, where = torch.zeros(len(told), longest, dtype=torch.bool), torch.zeros(len(told), longest, 3)
    for row, (a, b) in enumerate(zip(asked, answers, strict=True)):
        whole = [*a, *b, words.convert_tokens_to_ids(tokenizer.SPECIAL[0])]
        ids[row, : len(whole)] = torch.tensor(whole)
        answered = slice(len(a) - 1, len(whole) - 1)
        wanted[row, answered] = True
        if seen:
            where[row, answered][:-1] = torch.from_numpy(places(words, b, told[row].scene))
    return Batch(ids, wanted, where, torch.stack(seen) if seen else torch.zeros(len(told), 0, 0), grid)


class Source:
    """Lessons in an order that follows from the seed and the step alone."""

    def __init__(self, config: CaptionerConfig, work: Path, fonts: Path) -> None:
        from linocut.pretrain.train import averaged, load_vae

        self.config, self.painter, self.words = config, Painter(fonts), tokenizer.build()
        self.model, self.vae = averaged(work, TransformerConfig()), load_vae(work)
        self.shelves: dict[tuple[int, int], deque[tuple[Scene, torch.Tensor]]] = {
            size: deque(maxlen=config.buffer if size == SIZES[0] else config.buffer // 8) for size in SIZES
        }

    def draw(self, rng: np.random.Generator, size: tuple[int, int], count: int, level: float) -> None:
        scenes = [self.sample(rng, size, level) for _ in range(count)]
        made = [lessons.painted(self.painter, scene) for scene in scenes]
        latents = encode(self.vae, torch.from_numpy(np.stack([pixels for pixels, _ in made])))
        grid = size[1] // TOKEN, size[0] // TOKEN
        seen = [look(self.model, part, grid, int(rng.integers(2**31)), float(rng.uniform(*self.config.sigma))).half()
                for part in torch.split(latents, LOOKED)]  # fmt: skip
        self.shelves[size].extend((scene, cells) for (_, scene), cells in zip(made, torch.cat(seen), strict=True))

    def sample(self, rng: np.random.Generator, size: tuple[int, int], level: float) -> Scene:
        return sample(rng, *size, level * float(rng.uniform(0.3, 1.0)), self.config.crowds)

    def batches(self, step: int) -> list[Batch]:
        """``GROUP`` batches of one kind and size, sorted by length so that little is padding."""
        config = self.config
        rng = np.random.default_rng((config.seed, step))
        level = min(1.0, 0.25 + 0.75 * step / config.grown)
        count, grid = GROUP * config.batch, (0, 0)
        seen: list[torch.Tensor] = []
        kind = rng.random()
        if kind < config.sentences:
            frames = [lessons.frame(rng) for _ in range(count)]
            made = [lessons.expanded(rng, self.painter, self.sample(rng, size, level)) for size in frames]
        elif kind < config.sentences + config.wishes:
            scenes = [lessons.painted(self.painter, self.sample(rng, SIZES[0], level))[1] for _ in range(count)]
            made = [lessons.edited(rng, self.painter, scene) for scene in scenes]
        else:
            size = SIZES[0] if rng.random() < config.native_share else SIZES[int(rng.integers(1, len(SIZES)))]
            grid = size[1] // TOKEN, size[0] // TOKEN
            shelf = self.shelves[size]
            new = count if len(shelf) < 4 * count else count // config.reuse
            self.draw(rng, size, new, level)
            old = rng.integers(0, len(shelf), count - new).tolist()
            chosen = [shelf[index] for index in (*range(len(shelf) - new, len(shelf)), *old)]
            made, seen = [lessons.described(scene) for scene, _ in chosen], [cells for _, cells in chosen]
        order = sorted(range(count), key=lambda i: len(made[i].asked) + len(made[i].answer))
        groups = [order[i : i + config.batch] for i in range(0, count, config.batch)]
        rng.shuffle(groups)
        return [collate(self.words, [made[i] for i in g], [seen[i] for i in g] if seen else [], grid) for g in groups]


def ahead(config: CaptionerConfig, work: Path, fonts: Path, step: int) -> Iterator[Batch]:
    """What ``Source.batches`` gives for this step and all later ones; the child ends with this process."""
    context = get_context("spawn")
    queue: Queue[bytes] = context.Queue(AHEAD)
    child = context.Process(target=_make, args=(queue, os.getpid(), config, work, fonts, step), daemon=True)
    child.start()
    try:
        while True:
            tensors = load(queue.get())
            rows, cols = tensors.pop("grid").tolist()
            yield Batch(**tensors, grid=(rows, cols))
    finally:
        child.kill()
        child.join()


def _make(queue: Queue[bytes], parent: int, config: CaptionerConfig, work: Path, fonts: Path, step: int) -> None:
    die_with_parent(parent)
    torch.set_num_threads(1)
    source = Source(config, work, fonts)
    while True:
        for batch in source.batches(step):
            queue.put(save({**vars(batch), "grid": torch.tensor(batch.grid)}))
        step += GROUP
