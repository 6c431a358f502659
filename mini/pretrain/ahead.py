"""Drawing and encoding in a child process, in order and ahead of the trainer: same seed, same batches, no waiting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

import torch
from safetensors.torch import load, save

from linocut.parent import die_with_parent
from pretrain import tokenizer
from pretrain.config import TransformerConfig
from pretrain.data import Batch, Source

GROUPS_AHEAD = 12
NICENESS = 5


def groups(config: TransformerConfig, work: Path, fonts: Path, step: int) -> Iterator[list[Batch]]:
    """What ``Source.batches`` gives for this step and all later ones; the child ends with this process."""
    context = get_context("spawn")
    queue: Queue[bytes] = context.Queue(GROUPS_AHEAD)
    child = context.Process(
        target=_draw, args=(queue, os.getpid(), config, work, fonts, step), name="ahead", daemon=True
    )
    child.start()
    try:
        while True:
            yield unwrap(queue.get())
    finally:
        child.kill()
        child.join()


def wrap(batches: list[Batch]) -> bytes:
    """Batches as bytes: tensors themselves in a queue would lean on the child's shared memory, which ends with it."""
    tensors: dict[str, torch.Tensor] = {}
    for index, batch in enumerate(batches):
        named = {**vars(batch), "grid": torch.tensor(batch.grid)}
        tensors |= {f"{index}.{name}": tensor.contiguous() for name, tensor in named.items()}
    return save(tensors)


def unwrap(data: bytes) -> list[Batch]:
    """What ``wrap`` was given."""
    tensors = load(data)
    batches = []
    for index in range(len(tensors) // len(fields(Batch))):
        named = {field.name: tensors[f"{index}.{field.name}"] for field in fields(Batch) if field.name != "grid"}
        rows, cols = tensors[f"{index}.grid"].tolist()
        batches.append(Batch(**named, grid=(rows, cols)))
    return batches


def _draw(queue: Queue[bytes], parent: int, config: TransformerConfig, work: Path, fonts: Path, step: int) -> None:
    from pretrain.train import load_vae

    die_with_parent(parent)
    os.nice(NICENESS)
    torch.set_num_threads(1)
    source = Source(config, load_vae(work), tokenizer.build(), fonts)
    while True:
        made = source.batches(step)
        queue.put(wrap(made))
        step += len(made)
