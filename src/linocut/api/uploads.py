"""Files on their way into a dataset: ingested in a thread, so that nobody else waits."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from linocut.api.call import Call
from linocut.api.multipart import Part
from linocut.api.translate.datasets import upload_report
from linocut.datasets import service as datasets
from linocut.datasets.types import IncomingFile, Limits
from linocut.settings import MIB
from linocut.wire import UploadDatasetAssetsRequest, UploadDatasetAssetsResponse

INGESTS_AT_ONCE = 4
"""Threads that wait for decoding processes and the database; more uploads than this wait for their turn."""
_threads = ThreadPoolExecutor(INGESTS_AT_ONCE, thread_name_prefix="ingest")


async def ingest_upload(call: Call, ask: UploadDatasetAssetsRequest) -> UploadDatasetAssetsResponse:
    """Put the files of a request into the dataset of its address.

    To begin again after a crash does no harm: a picture that the dataset has is not taken a second time.
    """
    settings = call.runtime.settings
    ingest = partial(
        datasets.ingest,
        call.db,
        call.runtime.store,
        call.shared.decoder(),
        call.caller.user_id,
        call.path["dataset_id"],
        [_incoming(part) for part in ask.files],
        Limits(max_images=settings.max_dataset_images, max_file_bytes=settings.max_file_mib * MIB),
    )
    report = await asyncio.get_running_loop().run_in_executor(_threads, ingest)
    return upload_report(report, settings.safety_pictures)


def _incoming(part: Part) -> IncomingFile:
    name = f"{part.folder}/{part.file_name}" if part.folder else part.file_name or ""
    return IncomingFile(name, part.path if part.path is not None else bytes(part.data))
