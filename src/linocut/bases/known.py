"""The catalogue: bases that are known by name, and which of them a folder holds, by its class and its configs.

The numbers and their sources stand in ``known.toml``.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from linocut.bases.types import MOST_REFERENCES, UNKNOWN_LICENCE, KindRecipe, Licence, Sampling, TrainingDefaults

ReadJson = Callable[[str], dict[str, Any]]
"""A JSON file of a base's folder, by its name; empty where it is not there."""


class Known(msgspec.Struct, frozen=True):
    """One entry. ``when``: what the folder's configs say, as ``file:key.key`` to value; ``like``: the entry whose
    fields stand in for those that are left out. ``billions``: its parameters; ``kinds``: what its
    training does otherwise for kinds of datasets."""

    name: str
    title: str
    pipeline: str
    family: str
    repository: str
    native_pixels: int
    size_multiple: int
    max_text_tokens: int
    sampling: dict[str, Sampling]
    training: TrainingDefaults
    billions: float
    when: dict[str, bool | int | float | str] = {}
    licence: Licence = UNKNOWN_LICENCE
    revision: str = ""
    max_references: int = MOST_REFERENCES
    kinds: dict[str, KindRecipe] = {}

    def holds(self, read: ReadJson) -> bool:
        """Whether a folder of this class is this one."""
        return all(_at(read, place) == wanted for place, wanted in self.when.items())

    @property
    def facts(self) -> dict[str, Any]:
        """What a ``linocut.json`` would say."""
        said = ("family", "native_pixels", "size_multiple", "max_text_tokens", "sampling", "training", "licence")
        found: dict[str, Any] = msgspec.to_builtins({name: getattr(self, name) for name in said})
        found["training"]["kinds"] = msgspec.to_builtins(self.kinds)
        if self.max_references != MOST_REFERENCES:
            found["max_references"] = self.max_references
        return {"name": self.name, **found, "known_as": self.name}


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Known]:
    """Every known base by name, in the order in which folders are compared with them."""
    written = tomllib.loads((Path(__file__).parent / "known.toml").read_text(encoding="utf-8"))
    return {name: msgspec.convert({"name": name, **_whole(written, name)}, Known) for name in written}


def known_by(name: str) -> Known | None:
    """The entry of that name, or of that repository, whatever the case."""
    asked = name.lower()
    return next((one for one in catalogue().values() if asked in (one.name, one.repository.lower())), None)


def known_in(pipeline: str, read: ReadJson) -> Known | None:
    """The entry that a folder with a pipeline of this class is; None for a class that none is of."""
    return next((one for one in catalogue().values() if one.pipeline == pipeline and one.holds(read)), None)


def pipelines() -> tuple[str, ...]:
    """Every class that is known, once."""
    return tuple(dict.fromkeys(one.pipeline for one in catalogue().values()))


def _whole(written: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An entry with what it leaves out filled in from the one that it is like, speed by speed."""
    entry = dict(written[name])
    if (like := entry.pop("like", "")) == "":
        return entry
    model = {key: value for key, value in _whole(written, like).items() if key not in ("when", "revision")}
    return {**model, **entry, "sampling": {**model["sampling"], **entry.get("sampling", {})}}


def _at(read: ReadJson, place: str) -> object:
    """The value at ``file:key.key``; None where there is none."""
    file, _, keys = place.partition(":")
    found: Any = read(file)
    for key in keys.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found
