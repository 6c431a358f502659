"""What the processes without torch must know of a base: its family, its identity, its sizes and its recipes.

A base is a folder in the library's pipeline layout with one more file, ``linocut.json``, that holds these facts.
"""

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from linocut.errors import InvalidRequest
from linocut.files import sha256_file

FAMILIES = ("ideogram4", "flux2", "qwen_image", "z_image", "sdxl")
"""The architectures that ``engine/families/`` has a file for (a house test holds the two together)."""

TAKE_NEGATIVE_TEXT = frozenset(FAMILIES)
"""The families whose guidance can lead away from a text of the caller's (``Family.takes_negative_text``; a test holds
the two together)."""

TAKE_REFERENCES = frozenset({"flux2"})
"""The families whose network can look at other pictures while it draws (``Family.takes_references``)."""

FAMILY_NAMES = {
    "ideogram4": "Ideogram 4",
    "flux2": "FLUX.2",
    "qwen_image": "Qwen-Image",
    "z_image": "Z-Image",
    "sdxl": "Stable Diffusion XL",
}
"""What sentences call them."""

PARTS = {
    "ideogram4": ("transformer", "unconditional_transformer", "text_encoder", "vae"),
    "flux2": ("transformer", "text_encoder", "vae"),
    "qwen_image": ("transformer", "text_encoder", "vae"),
    "z_image": ("transformer", "text_encoder", "vae"),
    "sdxl": ("unet", "text_encoder", "text_encoder_2", "vae"),
}
"""The sub-folders with weights that each family loads."""

PIPELINES = (
    "Ideogram4Pipeline",
    "Flux2KleinPipeline",
    "QwenImagePipeline",
    "ZImagePipeline",
    "StableDiffusionXLPipeline",
)
"""The library's pipelines whose layout the families read."""

_RUNS = (
    f"Today linocut runs mini, and folders in the layout of one of {', '.join(PIPELINES)} with a linocut.json beside "
    "model_index.json; docs/bases.md shows one."
)
_COPY_AGAIN = "Copy the base again, with all its parts."
_MOST_HEADER_BYTES = 100_000_000
"""As the library has it."""

MINI = Path(__file__).parent / "mini"
"""The embedded base, shipped in the package."""


class Sampling(msgspec.Struct, frozen=True):
    """How one rendering speed draws: Euler steps, guidance weight, and what shifts the schedule.

    Only a base's family knows what its schedule makes of ``mu`` and ``std``: of Ideogram 4's they are the logit-normal
    mean and deviation, FLUX.2, Qwen-Image and Z-Image add ``mu`` to the mean of their own shift, SDXL takes neither.
    """

    steps: int
    guidance: float
    mu: float = 0.0
    std: float = 1.0


class TrainingDefaults(msgspec.Struct, frozen=True):
    """The base's own training recipe; ``runs/recipes.py`` turns it and a dataset's size into numbers."""

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
    """A base as the API sees it. ``identity`` is ``family@hash(weights, config)``; sizes are pixels.

    ``knows``: what a base that was taught a small world knows, in short, for a sentence. Such a base speaks the
    language of ``linocut.prompting``. Empty for one that was shown pictures of everything. ``is_distilled``: its
    ``model_index.json`` says that it was taught to draw without guidance.
    """

    identity: str
    name: str
    family: str
    native_pixels: int
    size_multiple: int
    max_text_tokens: int
    sampling: dict[str, Sampling]
    training: TrainingDefaults
    knows: str = ""
    is_distilled: bool = False

    @property
    def takes_negative_text(self) -> bool:
        """Whether its guidance can lead away from a text of the caller's."""
        return self.family in TAKE_NEGATIVE_TEXT and not self.is_distilled

    @property
    def takes_references(self) -> bool:
        """Whether it can look at other pictures while it draws."""
        return self.family in TAKE_REFERENCES


def load_base(folder: Path) -> Base:
    """Read a base's facts and compute its identity. ``InvalidRequest`` when the folder is not a base."""
    facts = _facts(folder)
    if facts.get("family") not in FAMILIES:
        raise InvalidRequest(
            f"The base in {folder.name} is of the family {facts.get('family')!r}; known are {', '.join(FAMILIES)} "
            "(docs/bases.md)."
        )
    identity = f"{facts['family']}@{_content_hash(folder)}"
    has_index = (folder / "model_index.json").exists()
    is_distilled = bool(_json_in(folder, "model_index.json").get("is_distilled")) if has_index else False
    try:
        return msgspec.convert({**facts, "identity": identity, "is_distilled": is_distilled}, Base)
    except msgspec.ValidationError as wrong:
        raise InvalidRequest(
            f"The linocut.json of the base {folder.name} is wrong: {wrong} (docs/bases.md)."
        ) from wrong


def check_parts(folder: Path) -> None:
    """``InvalidRequest`` when a part that the base's family loads is missing or damaged, as far as headers tell.

    No weight is read: this takes milliseconds also for a base of many gigabytes.
    """
    family = str(_facts(folder).get("family"))
    for name in ("tokenizer/tokenizer_config.json", "scheduler/scheduler_config.json"):
        _json_in(folder, name)
    for part in PARTS.get(family, ()):
        _json_in(folder, f"{part}/config.json")
        shards = set((folder / part).glob("*.safetensors"))
        for index in (folder / part).glob("*.safetensors.index.json"):
            named = _json_in(folder, f"{part}/{index.name}").get("weight_map")
            shards |= {folder / part / str(name) for name in dict(named or {}).values()}
        if not shards:
            raise InvalidRequest(f"{folder} has no weights in {part}: a .safetensors file is missing. {_COPY_AGAIN}")
        for shard in sorted(shards):
            _check_header(folder, shard)


def _check_header(folder: Path, shard: Path) -> None:
    """The header of a safetensors file is sound, and the file is as long as it says. (Eight bytes with the length of
    the header, the header in JSON, the tensors. The library would import NumPy for it, which a server's start has no
    time for.)"""
    try:
        with shard.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = dict(json.loads(stream.read(length) if length < _MOST_HEADER_BYTES else b""))
            told = 8 + length + max((t["data_offsets"][1] for n, t in header.items() if n != "__metadata__"), default=0)
            if told == os.fstat(stream.fileno()).st_size:
                return
    except FileNotFoundError:
        state = "missing"
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        state = "damaged"
    else:
        state = "not whole"
    raise InvalidRequest(f"{folder} cannot be loaded: its file {shard.relative_to(folder)} is {state}. {_COPY_AGAIN}")


def _facts(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise InvalidRequest(f"There is no folder {folder}: give --base the word mini, or the folder of a base.")
    if not (folder / "linocut.json").exists():
        raise InvalidRequest(f"{folder} is not a base that linocut can run yet: {_holds(folder)} {_RUNS}")
    return _json_in(folder, "linocut.json")


def _holds(folder: Path) -> str:
    """What a folder without linocut.json seems to be."""
    if not (folder / "model_index.json").exists():
        return "it has neither a linocut.json nor a model_index.json."
    pipeline = str(_json_in(folder, "model_index.json").get("_class_name"))
    if pipeline in PIPELINES:
        return f"it holds a {pipeline}, and its linocut.json is missing."
    return f"it holds a {pipeline} and has no linocut.json."


def _json_in(folder: Path, name: str) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as damaged:
        state = "damaged" if (folder / name).exists() else "missing"
        raise InvalidRequest(f"{folder} cannot be loaded: its file {name} is {state}. {_COPY_AGAIN}") from damaged


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
