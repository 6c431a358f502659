"""A LoRA that was trained elsewhere becomes a custom model: read, matched to the base, registered like any other."""

import mmap
from collections.abc import Mapping
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from linocut.accounts.types import Caller
from linocut.custom_models import repository
from linocut.custom_models.lifecycle import complete, create
from linocut.custom_models.service import get_visible
from linocut.custom_models.slugs import check_name
from linocut.custom_models.types import Imported, ModelView
from linocut.errors import InvalidRequest
from linocut.orders import AdapterRef

FIRST_VERSION = 1


class Taken(msgspec.Struct, frozen=True):
    """A LoRA that fits the base ``base`` (``family@hash``): its bytes as a file of ours, and where it came from."""

    base: str
    stored: bytes
    imported: Imported


def take(content: Path | bytes, folders: Mapping[str, Path], *, alpha: float | None, most_bytes: int) -> Taken:
    """A safetensors file from anybody, matched to the first of these bases that it fits. Nothing of it is trusted.

    ``folders``: the files of each base that is served, by identity. ``alpha``: for a file that does not say its own.
    ``most_bytes``: how large it may be in float32. ``InvalidRequest`` names the keys that do not fit; of several bases,
    those of the first one's.
    """
    data, refusals = _bytes_of(content), []
    for base, folder in folders.items():
        try:
            taken = _matched(data, base, folder, alpha, most_bytes)
            return _and_others(taken, folders)
        except InvalidRequest as refused:
            refusals.append(refused)
    if not refusals:
        raise InvalidRequest("This server has no files of a base, so nothing can be matched to one.", field="file")
    first, others = refusals[0], len(refusals) - 1
    if not others:
        raise first
    told = "The other base of this server does not fit either." if others == 1 else (
        f"Nor do the other {others} bases of this server fit."
    )  # fmt: skip
    raise InvalidRequest(f"{first.message} {told}", field="file")


def _matched(data: bytes | memoryview, base: str, folder: Path, alpha: float | None, most_bytes: int) -> Taken:
    from linocut.lora_files.foreign import read_foreign  # numpy, which a start has no time for
    from linocut.lora_files.targets import targets_in

    targets = targets_in(folder, base.partition("@")[0])
    found = read_foreign(data, base, targets, alpha=alpha, most_bytes=most_bytes)
    told = found.factors.metadata
    return Taken(base, found.stored_bytes(), Imported(found.layout, told.rank, told.alpha, found.notes, found.trigger))


def _and_others(taken: Taken, folders: Mapping[str, Path]) -> Taken:
    """The same, with a note when other bases have the same linears: the file may have been meant for one of them."""
    from linocut.lora_files.targets import targets_in

    family = taken.base.partition("@")[0]
    alike = [base for base in folders if base != taken.base and base.partition("@")[0] == family]
    targets = targets_in(folders[taken.base], family) if alike else None
    others = [base for base in alike if targets_in(folders[base], family) == targets]
    if not others:
        return taken
    note = f"The file fits {taken.base}, for which it was taken, and also {', '.join(others)}; base chooses."
    imported = msgspec.structs.replace(taken.imported, notes=(*taken.imported.notes, note))
    return msgspec.structs.replace(taken, imported=imported)


def register(
    tx: Connection, caller: Caller, name: str, base: str, imported: Imported, adapter: AdapterRef
) -> ModelView:
    """A COMPLETED model of the caller's with the next version of its name; the store holds its adapter already."""
    model_id = create(
        tx,
        user_id=caller.user_id,
        dataset_id=None,
        name=check_name(name, "name"),
        base=base,
        first_version=FIRST_VERSION,
    )
    repository.update_model(tx, model_id, {"imported": msgspec.to_builtins(imported)})
    complete(tx, model_id, adapter)
    return get_visible(tx, caller, model_id)


def _bytes_of(content: Path | bytes) -> bytes | memoryview:
    """The file's bytes; a large one is mapped, not copied."""
    if isinstance(content, bytes):
        return content
    with content.open("rb") as stream:
        if not content.stat().st_size:
            return b""
        return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
