"""What the processes without torch must know of a base: its family, its identity, its sizes and its recipes.

A base is a folder in the library's pipeline layout with one more file, ``linocut.json``, that holds these facts.
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from linocut.errors import InvalidRequest
from linocut.files import sha256_file

FAMILIES = ("ideogram4", "flux2", "qwen_image", "sdxl")
"""The architectures that ``engine/families/`` has a file for (a house test holds the two together)."""

MINI = Path(__file__).parent / "mini"
"""The embedded base, shipped in the package."""


class Sampling(msgspec.Struct, frozen=True):
    """How one rendering speed draws: Euler steps, guidance weight, and what shifts the schedule.

    Only a base's family knows what its schedule makes of ``mu`` and ``std``: of Ideogram 4's they are the logit-normal
    mean and deviation, FLUX.2 and Qwen-Image add ``mu`` to the mean of their own shift, SDXL takes neither.
    """

    steps: int
    guidance: float
    mu: float = 0.0
    std: float = 1.0


class TrainingDefaults(msgspec.Struct, frozen=True):
    """The base's own training recipe; ``training/recipes.py`` turns it and a dataset's size into numbers."""

    lora_rank: int
    learning_rate: float
    training_steps: int
    batch_size: int
    ema: float
    caption_dropout: float
    warmup_steps: int
    weight_decay: float
    sigma_mean: float
    sigma_std: float


class Base(msgspec.Struct, frozen=True):
    """A base as the API sees it. ``identity`` is ``family@hash(weights, config)``; sizes are pixels."""

    identity: str
    name: str
    family: str
    native_pixels: int
    size_multiple: int
    max_text_tokens: int
    sampling: dict[str, Sampling]
    training: TrainingDefaults


def load_base(folder: Path) -> Base:
    """Read a base's facts and compute its identity. ``InvalidRequest`` when the folder is not a base."""
    facts = _facts(folder)
    if facts.get("family") not in FAMILIES:
        raise InvalidRequest(
            f"The base in {folder.name} is of the family {facts.get('family')!r}; known are {', '.join(FAMILIES)}."
        )
    identity = f"{facts['family']}@{_content_hash(folder)}"
    return msgspec.convert({**facts, "identity": identity}, Base)


def _facts(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / "linocut.json").read_text()))
    except FileNotFoundError as missing:
        raise InvalidRequest(
            f"{folder.name} is no base: it has no linocut.json. Give --base a folder in the library's pipeline layout "
            "with that file beside model_index.json."
        ) from missing


@lru_cache(maxsize=8)
def _content_hash(folder: Path) -> str:
    """16 hex digits over every weight and config file (name and content), in name order; linocut.json left out,
    so that a changed recipe does not orphan the adapters trained on the same weights."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if (
            path.is_file()
            and path.suffix in {".safetensors", ".json", ".txt", ".jinja"}
            and path.name != "linocut.json"
        ):
            digest.update(f"{path.relative_to(folder)}\0{sha256_file(path)}\n".encode())
    return digest.hexdigest()[:16]
