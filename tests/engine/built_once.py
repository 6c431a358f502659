"""Tiny bases are built once a process: to build one takes a fifth of a second, to write its files again a hundredth."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

Build = Callable[..., Path]


def built_once(build: Build) -> Build:
    """``build(folder, ...)``, whose second call with the same options writes what the first one wrote.

    Random numbers go on after it as after the first one: no test is told by its draws which of the two it got.
    """
    made: dict[Any, tuple[dict[Path, bytes], Tensor]] = {}

    @wraps(build)
    def written(folder: Path, *given: Any, **options: Any) -> Path:
        key = (given, tuple(sorted(options.items())))
        if key not in made:
            build(folder, *given, **options)
            files = {one.relative_to(folder): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
            made[key] = (files, torch.get_rng_state())
            return folder
        files, state = made[key]
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        torch.set_rng_state(state)
        return folder

    return written
