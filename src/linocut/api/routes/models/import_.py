"""/models/import: a LoRA that was trained elsewhere becomes a custom model."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.multipart import Part
from linocut.api.operation import Operation, Writes
from linocut.api.served import named
from linocut.api.translate.models import model_answer
from linocut.custom_models import importing
from linocut.custom_models.slugs import check_name
from linocut.custom_models.types import Imported
from linocut.errors import NoWorker, TooLarge
from linocut.orders import AdapterRef
from linocut.runtime import Runtime
from linocut.settings import MIB, Settings
from linocut.wire import GetModelResponse, ImportModelRequest
from linocut.wire.types import Nothing

FLOAT32_TIMES = 2
"""So many times the largest file may a LoRA take in float32: files are mostly of half that precision."""

_one_at_a_time = ThreadPoolExecutor(1, thread_name_prefix="import")
"""A large LoRA takes some gigabytes while it is converted."""


class Stored(msgspec.Struct, frozen=True):
    """A LoRA that fits, in the store."""

    name: str
    base: str
    imported: Imported
    adapter: AdapterRef


async def take(call: Call, ask: ImportModelRequest) -> Stored:
    """The file, matched to a base that is served here; durable in the store as a file of ours."""
    check_name(ask.name, "name")
    folders, word = _folders(call.shared.runtime), ask.base
    if not isinstance(word, Nothing):
        base = await call.db.run_read(lambda tx: named(tx, call.shared.runtime, word, "base"))
        if base.identity not in folders:
            raise NoWorker(
                f"base: The files of {word} are not on this server but where its workers run, so nothing can be "
                "matched to them. Ask the server that has them."
            )
        folders = {base.identity: folders[base.identity]}
    work = partial(_converted, call, ask, folders)
    return await asyncio.get_running_loop().run_in_executor(_one_at_a_time, work)


def register(call: Call, ask: Stored, tx: Connection) -> GetModelResponse:
    """The model, COMPLETED and with its uri."""
    view = importing.register(tx, call.caller, ask.name, ask.base, ask.imported, ask.adapter)
    return model_answer(view, call.runtime.licences.get(view.base))


def _folders(runtime: Runtime) -> dict[str, Path]:
    """The files of the bases that are here, by identity, the first one first."""
    return {one.identity: runtime.folders[one.identity] for one in runtime.served if one.identity in runtime.folders}


def _converted(call: Call, ask: ImportModelRequest, folders: dict[str, Path]) -> Stored:
    runtime, file = call.runtime, ask.file
    assert isinstance(file, Part)  # by fields.py
    most = runtime.settings.max_lora_mib
    if file.size > most * MIB:
        raise TooLarge(f"file: a LoRA file may have {most} MiB (LINOCUT_MAX_LORA_MIB), and this one has more.")
    taken = importing.take(
        file.path or bytes(file.data),
        folders,
        alpha=None if isinstance(ask.alpha, Nothing) else ask.alpha,
        most_bytes=FLOAT32_TIMES * most * MIB,
    )
    adapter = AdapterRef(sha256=runtime.store.put(taken.stored), size_bytes=len(taken.stored))
    return Stored(ask.name, taken.base, taken.imported, adapter)


def _most_mib(settings: Settings) -> int:
    """The file, and room for the rest of the form."""
    return settings.max_lora_mib + 1


POST = Operation(
    "import_custom_model", "Import a LoRA that was trained elsewhere", "models", Writes(register, take),
    body=ImportModelRequest, encodings=(MULTIPART,), most_mib=_most_mib, answer=GetModelResponse, ours=True,
)  # fmt: skip
