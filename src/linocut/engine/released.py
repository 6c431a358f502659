"""A part of a base that is loaded when it is asked for, and given back when nobody needs it for a while."""

import gc
from collections.abc import Callable
from typing import Any

import torch


class Released:
    """Stands for the module that ``load`` gives: whatever is asked of it, the module is loaded first if it is not
    there."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
        self._module: Any = None

    def __call__(self, *given: Any, **named: Any) -> Any:
        """The module's own answer."""
        return self._here()(*given, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._here(), name)

    @property
    def is_here(self) -> bool:
        """Whether it is loaded now."""
        return self._module is not None

    def give_back(self) -> None:
        """Let go of the module."""
        self._module = None

    def _here(self) -> Any:
        if self._module is None:
            self._module = self._load()
        return self._module


def give_back(family: Any) -> None:
    """Give back every such part of a loaded family, and its memory."""
    parts = [*vars(family).values(), *getattr(family, "towers", [])]
    found = [one for one in parts if isinstance(one, Released) and one.is_here]
    for one in found:
        one.give_back()
    if found:
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
