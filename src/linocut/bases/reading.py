"""Small looks into a base's folder: its JSON files, which files hold a part's weights, and their headers."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linocut.errors import InvalidRequest

COPY_AGAIN = "Copy the base again, with all its parts."
MOST_HEADER_BYTES = 100_000_000
"""As the library has it."""

_SINGLE = re.compile(r"(?:diffusion_pytorch_model|model)(?:\.(?!index)([a-z0-9]+))?(-\d+-of-\d+)?\.safetensors")
_INDEX = re.compile(r"(?:diffusion_pytorch_model|model)\.safetensors\.index(?:\.([a-z0-9]+))?\.json")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")


@dataclass(frozen=True)
class PartFiles:
    """The files that hold a part's weights. ``variant``: "fp16", say, where that is the only one that is there."""

    variant: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class TensorFacts:
    """A tensor as a header tells it: its name, its type as safetensors writes it ("BF16"), its shape, its bytes."""

    name: str
    kind: str
    shape: tuple[int, ...]
    size: int


def json_in(folder: Path, name: str) -> dict[str, Any]:
    """The JSON object in a file of a base. ``InvalidRequest`` where it is missing or damaged."""
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise TypeError("no JSON object")  # dict() makes one of an empty list
    except (OSError, ValueError, TypeError, RecursionError) as damaged:
        state = "damaged" if (folder / name).exists() else "missing"
        raise InvalidRequest(f"{folder} cannot be loaded: its file {name} is {state}. {COPY_AGAIN}") from damaged
    return found


def json_or_nothing(folder: Path, name: str) -> dict[str, Any]:
    """The same, empty where there is no such file."""
    return json_in(folder, name) if (folder / name).exists() else {}


def parts_of(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sub-folders that ``model_index.json`` names -> (those with weights, those of tokenizers)."""
    index = json_in(folder, "model_index.json")
    named = [name for name, what in index.items() if isinstance(what, list) and len(what) == 2 and what[1]]
    weighty = [name for name in named if re.fullmatch(r"(\w+_)?(transformer|unet|text_encoder|vae)(_\d)?", name)]
    return tuple(weighty), tuple(name for name in named if re.fullmatch(r"tokenizer(_\d)?", name))


def weights_of(folder: Path, part: str) -> PartFiles:
    """Which files hold the weights of a part: those without a variant in their name, else of the one that is there.

    ``InvalidRequest`` for a part that is not whole: half a download, pickles only, nothing.
    """
    singles: dict[str, set[Path]] = {}
    indexed: dict[str, set[Path]] = {}
    loose: dict[str, set[Path]] = {}
    for path in sorted((folder / part).iterdir()) if (folder / part).is_dir() else ():
        if index := _INDEX.fullmatch(path.name):
            named = json_in(folder, f"{part}/{path.name}").get("weight_map")
            names = set(map(str, dict(named).values())) if isinstance(named, dict) else set()
            indexed.setdefault(index[1] or "", set()).update(folder / part / name for name in names)
        elif single := _SINGLE.fullmatch(path.name):
            (loose if single[2] else singles).setdefault(single[1] or "", set()).add(path)
    if not any(indexed.values()) and not singles:
        raise InvalidRequest(_no_weights(folder, part, bool(loose)))
    found = sorted({*singles, *(name for name, files in indexed.items() if files)}, key=lambda name: (name != "", name))
    files = sorted(singles.get(found[0], set()) | indexed.get(found[0], set()))
    missing = [path for path in files if not path.exists()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InvalidRequest(
            f"{folder} cannot be loaded: its file {missing[0].relative_to(folder)}{more} is missing: {part} is half "
            f"copied, or half downloaded. {COPY_AGAIN} What `linocut bases pull` has begun, it ends when it is asked "
            "again."
        )
    return PartFiles(found[0], tuple(files))


def tensors_of(folder: Path, part: str) -> Iterator[TensorFacts]:
    """Every tensor of a part, as the headers of its files tell. No weight is read."""
    for path in weights_of(folder, part).files:
        for name, facts in check_header(folder, path).items():
            begin, end = facts["data_offsets"]
            yield TensorFacts(name, str(facts["dtype"]), tuple(facts["shape"]), end - begin)


def check_header(folder: Path, shard: Path) -> dict[str, Any]:
    """The header of a safetensors file, without its metadata. ``InvalidRequest`` when it is not sound, or the file not
    as long as it says. (Eight bytes with the length of the header, the header in JSON, the tensors. The library would
    import NumPy for it, which a server's start has no time for.)"""
    try:
        with shard.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = dict(json.loads(stream.read(length) if length < MOST_HEADER_BYTES else b""))
            header.pop("__metadata__", None)
            told = 8 + length + max((facts["data_offsets"][1] for facts in header.values()), default=0)
            if told == os.fstat(stream.fileno()).st_size:
                return header
    except FileNotFoundError:
        state = "missing"
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        state = "damaged" + (" (a Git LFS pointer, not the file itself)" if _is_pointer(shard) else "")
    else:
        state = "not whole"
    raise InvalidRequest(f"{folder} cannot be loaded: its file {shard.relative_to(folder)} is {state}. {COPY_AGAIN}")


def _no_weights(folder: Path, part: str, has_shards: bool) -> str:
    if has_shards:
        return f"{folder} cannot be loaded: the index of the shards in {part} is missing. {COPY_AGAIN}"
    inside = list((folder / part).iterdir()) if (folder / part).is_dir() else []
    pickles = sorted(path.name for path in inside if path.suffix in _PICKLES)
    if pickles:
        return (
            f"{folder} has its weights in {part} as {pickles[0]} only: pickled, which can run code and is never "
            "opened here. Take the safetensors files of the same base, or write them with the library's "
            "save_pretrained on a machine where you trust the file."
        )
    return f"{folder} has no weights in {part}: a .safetensors file is missing. {COPY_AGAIN}"


def _is_pointer(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(24) == b"version https://git-lfs."
    except OSError:
        return False
