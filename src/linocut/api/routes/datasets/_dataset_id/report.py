"""/datasets/{dataset_id}/report: what to know of a dataset before it is trained on."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from linocut.api.call import Call
from linocut.api.operation import Answer, Operation, Serves
from linocut.api.served import named
from linocut.api.translate.reports import dataset_report
from linocut.datasets import looking
from linocut.pictures.types import CropRule
from linocut.wire import DatasetReport
from linocut.wire.queries import ReportQuery
from linocut.wire.types import Nothing

_threads = ThreadPoolExecutor(2, thread_name_prefix="report")
"""Apart from the threads of uploads: a report never keeps one from its turn."""


async def report(call: Call) -> Answer:
    """The report, worked out off the loop."""
    asked, dataset_id = call.query(ReportQuery).base, call.path["dataset_id"]
    runtime = call.runtime
    if not isinstance(asked, Nothing):
        runtime = runtime.on(await call.db.run_read(lambda tx: named(tx, call.shared.runtime, asked, "base")))
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
    Serves(report), query=ReportQuery, answer=DatasetReport, refusals=(400, 404, 503), ours=True,
)  # fmt: skip
