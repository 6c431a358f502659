"""Fetch a base by its name: a pinned commit, safetensors and configs only, each file whole or not there.

A pull that was broken off goes on where it was. Every file's hash is compared with the one that the hub lists.
"""

import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from linocut.bases.hub import HubFile, Listing, fetch, listing
from linocut.bases.identity import Memory
from linocut.bases.known import known_by
from linocut.bases.places import PULLED_NOTE, REPOSITORY, place_of
from linocut.bases.reading import json_in
from linocut.errors import Conflict, InvalidRequest
from linocut.files import full_disk_told, write_durably
from linocut.folders import nearest

BEGUN_NOTE = ".linocut-pull-begun.json"
ROOM = 1 << 30
"""Bytes that a pull leaves free on the disk."""

CONFIGS = (".json", ".txt", ".jinja", ".model")
_WEIGHTS = re.compile(r"(diffusion_pytorch_model|model)(?:\.(?!index)([a-z0-9]+))?(?:-\d+-of-\d+)?\.safetensors")
_INDEX = re.compile(r"(diffusion_pytorch_model|model)\.safetensors\.index(?:\.([a-z0-9]+))?\.json")


@dataclass(frozen=True)
class Pulled:
    """A base that was fetched: where it lies, and from which commit it is. ``bytes_fetched`` this time."""

    folder: str
    repository: str
    revision: str
    bytes_fetched: int
    bytes_in_all: int


Told = Callable[[str, int, int], object]
"""Told of progress: the file under way, the bytes that are here, those of all."""


def pull(asked: str, pulled: Path, told: Told, *, revision: str = "", memory: Memory | None = None) -> Pulled:
    """Fetch a base of the catalogue, or of a repository, into its place under ``pulled``; at once if it is there.

    Without ``revision`` it is the catalogue's, or what the repository's main branch is at the first try; a pull that
    is taken up again stays on it. ``InvalidRequest``: no such base, not open, not in the library's layout, no room.
    ``Busy``: the hub cannot be reached. ``Conflict``: another pull of the same is under way.
    """
    repository, wanted = _named(asked, revision)
    folder = place_of(asked, pulled)
    with full_disk_told(), _alone(folder, asked):
        if (done := note_of(folder)) and revision in ("", done["revision"]):
            size = sum(int(one["size"]) for one in done["files"])
            return Pulled(str(folder), repository, str(done["revision"]), 0, size)
        found = listing(repository, _pinned(folder, repository, revision) or wanted)
        write_durably(folder / BEGUN_NOTE, json.dumps({"repository": repository, "revision": found.commit}).encode())
        files = _chosen(found, folder)
        missing = [file for file in files if not _is_here(folder, file)]
        total = sum(file.size for file in files)
        _check_room(folder, missing)
        bar = _Bar(told, total - sum(file.size for file in missing), total)
        for file in missing:
            _bring(found, file, folder, bar)
            if memory is not None and file.sha256:
                memory.learn(folder / file.path, file.sha256)
        note = {"repository": repository, "revision": found.commit, "files": [asdict(file) for file in files]}
        write_durably(folder / PULLED_NOTE, json.dumps(note, indent=2).encode())
        (folder / BEGUN_NOTE).unlink(missing_ok=True)
        return Pulled(str(folder), repository, found.commit, sum(file.size for file in missing), total)


def note_of(folder: Path) -> dict[str, Any] | None:
    """What a pulled folder says of where it came from; None for one that is not whole, or was not pulled."""
    return json_in(folder, PULLED_NOTE) if (folder / PULLED_NOTE).exists() else None


class _Bar:
    """Counts bytes for whoever watches."""

    def __init__(self, told: Told, here: int, total: int) -> None:
        self._told, self._here, self._total = told, here, total
        self.name = ""

    def moved(self, count: int) -> None:
        self._here += count
        self._told(self.name, self._here, self._total)


def _named(asked: str, revision: str) -> tuple[str, str]:
    if known := known_by(asked):
        return known.repository, revision or known.revision or "main"
    if asked == "mini":
        raise InvalidRequest("mini is shipped in the package; there is nothing to fetch.")
    if not REPOSITORY.fullmatch(asked):
        raise InvalidRequest(
            f"There is no base {asked!r}: take a name of `linocut bases list`, or a repository, owner/name."
        )
    return asked, revision or "main"


def _pinned(folder: Path, repository: str, revision: str) -> str:
    """The commit that a pull which was broken off had begun with."""
    if revision or not (folder / BEGUN_NOTE).exists():
        return revision
    begun = json_in(folder, BEGUN_NOTE)
    return str(begun["revision"]) if begun.get("repository") == repository else ""


def _chosen(found: Listing, folder: Path) -> list[HubFile]:
    """The files that a base is made of: configs and tokenizers, and each part's weights in safetensors, the half
    precision of them where there are two."""
    by_path = {file.path: file for file in found.files}
    if "model_index.json" not in by_path:
        raise InvalidRequest(
            f"{found.repository} has no model_index.json: it is not in the layout of the library's pipelines. "
            "docs/bases.md says which bases there are."
        )
    _bring(found, by_path["model_index.json"], folder, _Bar(lambda *_: None, 0, 0))
    index = json_in(folder, "model_index.json")
    named = [name for name, what in index.items() if isinstance(what, list) and len(what) == 2 and what[1]]
    chosen = [file for file in found.files if "/" not in file.path and _is_kept_beside(file.path)]
    for part in named:
        inside = [file for file in found.files if file.path.startswith(f"{part}/")]
        chosen += [file for file in inside if file.path.endswith(CONFIGS) and not _INDEX.fullmatch(_name(file))]
        chosen += _weights(found.repository, part, inside)
    return chosen


def _weights(repository: str, part: str, inside: list[HubFile]) -> list[HubFile]:
    variants: dict[str, list[HubFile]] = {}
    for file in inside:
        if match := _WEIGHTS.fullmatch(_name(file)) or _INDEX.fullmatch(_name(file)):
            variants.setdefault(match[2] or "", []).append(file)
    for variant in ("fp16", "bf16", ""):
        if any(file.path.endswith(".safetensors") for file in variants.get(variant, ())):
            return variants[variant]
    if any(file.path.endswith((".bin", ".ckpt", ".pt", ".pth")) for file in inside) and "config.json" in map(
        _name, inside
    ):
        raise InvalidRequest(
            f"{repository} has the weights of {part} as pickles only, which can run code and are never opened here. "
            "Look for a copy of it in safetensors."
        )
    return []


def _is_kept_beside(name: str) -> bool:
    return name == "model_index.json" or name.upper().startswith(("LICENSE", "LICENCE", "NOTICE", "README"))


def _name(file: HubFile) -> str:
    return file.path.rpartition("/")[2]


def _bring(found: Listing, file: HubFile, folder: Path, bar: _Bar) -> None:
    """One file, into its place when it is whole and right. What comes damaged is fetched once more."""
    if _is_here(folder, file):
        return
    bar.name = file.path
    place = folder / file.path
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f".{place.name}.{(file.sha256 or file.blob)[:12]}.part")
    bar.moved(partial.stat().st_size if partial.exists() else 0)
    for _ in range(2):
        if partial.exists() and partial.stat().st_size > file.size:
            bar.moved(-partial.stat().st_size)
            partial.unlink()
        fetch(found, file, partial, bar.moved)
        if _is_right(partial, file):
            partial.replace(place)
            return
        bar.moved(-partial.stat().st_size)
        partial.unlink()
    raise InvalidRequest(
        f"{file.path} of {found.repository} arrives damaged: its hash is not the one that the hub lists. Nothing of it "
        "was kept; ask again, or over another connection."
    )


def _is_here(folder: Path, file: HubFile) -> bool:
    """Whether the file is in its place: it went there whole, and small ones are looked at again."""
    place = folder / file.path
    if not place.is_file() or place.stat().st_size != file.size:
        return False
    return bool(file.sha256) or _is_right(place, file)


def _is_right(path: Path, file: HubFile) -> bool:
    """By the hash that the hub lists: SHA-256 of a large file, git's own of a small one."""
    if path.stat().st_size != file.size:
        return False
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest() == (file.sha256 or file.blob)


def _check_room(folder: Path, missing: list[HubFile]) -> None:
    begun = sum(path.stat().st_size for path in folder.rglob("*.part"))
    needed = max(0, sum(file.size for file in missing) - begun)
    free = shutil.disk_usage(nearest(folder)).free
    if needed and needed + ROOM > free:
        raise InvalidRequest(
            f"There is no room for it: {needed / 1e9:.1f} GB are to come, and of {folder}'s disk {free / 1e9:.1f} GB "
            "are free (1 GB is kept free). Make room, or name a folder on another disk: LINOCUT_BASES."
        )


@contextmanager
def _alone(folder: Path, asked: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".linocut-pull.lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"Another `linocut bases pull {asked}` is at it in {folder}; wait for it, or stop it."
            ) from None
        yield
