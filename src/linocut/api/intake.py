"""The pictures of a request, taken in: what a route calls before its job is placed (``Draws.take``).

In a thread, because a file is decoded; durable as blobs afterwards, so that the request's own files may go.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from linocut.api.call import Call
from linocut.api.multipart import Part
from linocut.errors import InvalidRequest
from linocut.jobs.types import JobInput
from linocut.pictures.intake import Intake, StoredPicture
from linocut.settings import MIB

INTAKES_AT_ONCE = 4
"""Threads that wait for decoding processes and the store; apart from those of datasets, which may be slow."""
_threads = ThreadPoolExecutor(INTAKES_AT_ONCE, thread_name_prefix="intake")


async def take_picture(call: Call, field: str, file: Part, *, keep_alpha: bool = False) -> StoredPicture:
    """The picture of a field. Errors as ``pictures.intake.Intake.picture``."""
    return await _in_thread(partial(_intake(call).picture, field, _content(file), keep_alpha=keep_alpha))


async def take_pictures(call: Call, field: str, files: Sequence[Part], *, most: int) -> list[StoredPicture]:
    """The pictures of a field, in their order. ``InvalidRequest`` for more than ``most``, before one is decoded."""
    if len(files) > most:
        raise InvalidRequest(f"{field}: at most {most} files are taken, and {len(files)} were sent.", field=field)
    return [await take_picture(call, field, file) for file in files]


async def take_mask(call: Call, field: str, file: Part, of: StoredPicture) -> StoredPicture:
    """The mask of a picture. Errors as ``pictures.intake.Intake.mask``."""
    return await _in_thread(partial(_intake(call).mask, field, _content(file), of))


def inputs_of(**pictures: StoredPicture | Sequence[StoredPicture]) -> tuple[JobInput, ...]:
    """Pictures by their fields, as what a job works on."""
    return tuple(
        JobInput(role, one.sha256, one.bytes, one.width, one.height, position)
        for role, some in pictures.items()
        for position, one in enumerate([some] if isinstance(some, StoredPicture) else some)
    )


def _intake(call: Call) -> Intake:
    return Intake(call.runtime.store, call.shared.decoder(), call.runtime.settings.max_file_mib * MIB)


def _content(file: Part) -> bytes | Path:
    return bytes(file.data) if file.path is None else file.path


async def _in_thread(take: Callable[[], StoredPicture]) -> StoredPicture:
    return await asyncio.get_running_loop().run_in_executor(_threads, take)
