"""Published sizes of the bases of the catalogue, for plans before anything is fetched.

``published.json`` is made by ``benchmarks/published.py``: the library's classes with the published configs, their
parameters counted, and their passes run on a device without memory.
"""

import json
from functools import lru_cache
from pathlib import Path

import msgspec

from linocut.bases.plan import Passes
from linocut.bases.sizes import BaseSizes

FILE = Path(__file__).parent / "published.json"


class Published(msgspec.Struct, frozen=True):
    """One base: its parts, its passes in bf16, and the values of an adapter of its own rank. ``is_packed``: its
    files are in four bits already, so that it is loaded in no other precision."""

    sizes: BaseSizes
    passes: Passes
    lora_values: int
    is_packed: bool = False


@lru_cache(maxsize=1)
def published() -> dict[str, Published]:
    """By name; those that this version runs."""
    return msgspec.convert(json.loads(FILE.read_text()), dict[str, Published])
