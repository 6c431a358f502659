"""/datasets/{dataset_id}: read one, delete it."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.translate.datasets import dataset_detail
from linocut.datasets import service as datasets
from linocut.wire import GetDatasetResponse


def get(call: Call, tx: Connection) -> GetDatasetResponse:
    """One dataset with its pictures."""
    return dataset_detail(datasets.get(tx, call.caller.user_id, call.path["dataset_id"]))


def delete(call: Call, _ask: None, tx: Connection) -> None:
    """Hide a dataset at once; runs that were started on it go on."""
    datasets.delete(tx, call.caller.user_id, call.path["dataset_id"])


GET = Operation(
    "get_dataset", "Get a dataset with its pictures", "datasets", Reads(get, is_long=True),
    answer=GetDatasetResponse,
    refusals=(404,),
)  # fmt: skip
DELETE = Operation(
    "delete_dataset", "Delete a dataset; runs that use it go on", "datasets", Writes(delete), refusals=(404,), ours=True
)
