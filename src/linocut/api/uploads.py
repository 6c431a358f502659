"""Files on their way in: spooled to disk while they arrive, ingested in a thread, gone from the spool in any case."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from linocut.api.body import read_form
from linocut.api.call import Call
from linocut.api.multipart import Part
from linocut.api.once import once_held
from linocut.api.translate.datasets import upload_report
from linocut.datasets import service as datasets
from linocut.datasets.types import IncomingFile, Limits
from linocut.errors import InvalidRequest
from linocut.files import sha256_hex
from linocut.settings import MIB
from linocut.wire import UploadDatasetAssetsResponse

FIELD = "files"
INGESTS_AT_ONCE = 4
"""Threads that wait for decoding processes and the database; more uploads than this wait for their turn."""
_threads = ThreadPoolExecutor(INGESTS_AT_ONCE, thread_name_prefix="ingest")


async def ingest_upload(call: Call, dataset_id: str) -> UploadDatasetAssetsResponse:
    """Read the files of a multipart body and put them into a dataset. ``InvalidRequest`` without any file.

    To begin again after a crash does no harm: a picture that the dataset has is not taken a second time.
    """
    settings, db, store = call.runtime.settings, call.runtime.db, call.runtime.store
    with _spool_folder(call.house.spool) as folder:
        parts = await read_form(call.request, settings, spool=folder, file_fields=frozenset({FIELD}))
        files = [_incoming(part) for part in parts if part.name.partition("[")[0] == FIELD]  # files, files[], files[0]
        if not files:
            raise InvalidRequest("files is required: send each picture, caption or ZIP as a file part of that name.")
        limits = Limits(max_images=settings.max_dataset_images, max_file_bytes=settings.max_file_mib * MIB)
        decoder = call.house.decoder()
        ingest = partial(datasets.ingest, db, store, decoder, call.caller.user_id, dataset_id, files, limits)
        in_thread = partial(asyncio.get_running_loop().run_in_executor, _threads)

        async def work() -> UploadDatasetAssetsResponse:
            return upload_report(await in_thread(ingest))

        if call.keyed is not None:
            said = (f"{part.name} {part.sha256} {part.folder}/{part.file_name}" for part in parts)
            call.body_sha256 = sha256_hex("\n".join(said).encode())
        return await once_held(call, work, UploadDatasetAssetsResponse)


def _incoming(part: Part) -> IncomingFile:
    name = f"{part.folder}/{part.file_name}" if part.folder else part.file_name or ""
    return IncomingFile(name, part.path if part.path is not None else bytes(part.data))


@contextmanager
def _spool_folder(spool: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=spool))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
