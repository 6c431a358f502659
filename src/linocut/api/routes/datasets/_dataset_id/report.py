"""/datasets/{dataset_id}/report: what to know of a dataset before it is trained on."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from linocut.api.call import Call
from linocut.api.operation import Answer, Operation, Serves
from linocut.api.translate.reports import dataset_report
from linocut.datasets import looking
from linocut.pictures.types import CropRule
from linocut.wire import DatasetReport

_threads = ThreadPoolExecutor(2, thread_name_prefix="report")
"""Apart from the threads of uploads: a report never keeps one from its turn."""


async def report(call: Call) -> Answer:
    """The report, worked out off the loop."""
    runtime, dataset_id = call.runtime, call.path["dataset_id"]
    work = partial(
        looking.report,
        call.db,
        runtime.store,
        call.shared.decoder(),
        call.caller.user_id,
        dataset_id,
        CropRule(runtime.base.training_pixels, runtime.base.size_multiple),
        runtime.settings.min_training_images,
        runtime.settings.max_dataset_images,
        runtime.restate,
    )
    found = await asyncio.get_running_loop().run_in_executor(_threads, work)
    return dataset_report(dataset_id, runtime.base.identity, found)


GET = Operation(
    "report_dataset", "Look a dataset over before training: duplicates, blur, sizes, crops, captions", "datasets",
    Serves(report), answer=DatasetReport, refusals=(404,), ours=True,
)  # fmt: skip
