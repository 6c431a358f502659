"""/datasets/{dataset_id}/assets/{asset_id}/caption: what a picture shows, in words."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.routes.datasets._dataset_id.assets._asset_id import names
from linocut.api.translate import reports
from linocut.datasets import service as datasets
from linocut.wire import CaptionResponse, SetCaptionRequest


def get(call: Call, tx: Connection) -> CaptionResponse:
    """The caption of one picture."""
    return reports.caption(datasets.get_asset(tx, *names(call)))


def put(call: Call, ask: SetCaptionRequest, tx: Connection) -> CaptionResponse:
    """Write the caption of one picture, or take it away."""
    return reports.caption(datasets.set_caption(tx, *names(call), ask.caption))


GET = Operation(
    "get_dataset_caption", "Get a picture's caption", "datasets", Reads(get), answer=CaptionResponse, refusals=(404,),
    ours=True,
)  # fmt: skip
PUT = Operation(
    "set_dataset_caption", "Write a picture's caption, or take it away", "datasets", Writes(put),
    body=SetCaptionRequest, answer=CaptionResponse, refusals=(404,), ours=True,
)  # fmt: skip
