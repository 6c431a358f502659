"""/datasets/{dataset_id}/assets: its pictures with their captions."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.translate import reports
from linocut.datasets import service as datasets
from linocut.wire import ListAssetsResponse


def list_all(call: Call, tx: Connection) -> ListAssetsResponse:
    """The pictures in upload order, with their captions."""
    dataset_id = call.path["dataset_id"]
    found = datasets.get(tx, call.caller.user_id, dataset_id)
    return ListAssetsResponse(dataset_id=dataset_id, assets=[reports.asset(file) for file in found.files])


GET = Operation(
    "list_dataset_assets", "List a dataset's pictures with their captions", "datasets", Reads(list_all),
    answer=ListAssetsResponse, refusals=(404,), ours=True,
)  # fmt: skip
