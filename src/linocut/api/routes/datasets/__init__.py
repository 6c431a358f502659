"""/datasets: make one, list them."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.translate.datasets import dataset
from linocut.datasets import service as datasets
from linocut.wire import CreateDatasetRequest, Dataset, ListDatasetsResponse
from linocut.wire.queries import ListDatasetsQuery
from linocut.wire.types import Nothing


def create(call: Call, ask: CreateDatasetRequest, tx: Connection) -> Dataset:
    """Make an empty dataset."""
    return dataset(datasets.create(tx, call.caller.user_id, ask.name))


def list_all(call: Call, tx: Connection) -> ListDatasetsResponse:
    """The caller's datasets, most recently updated first."""
    search = call.query(ListDatasetsQuery).search
    found = datasets.list_for(tx, call.caller.user_id, None if isinstance(search, Nothing) else search)
    return ListDatasetsResponse(datasets=[dataset(one) for one in found])


POST = Operation(
    "create_dataset", "Create a dataset", "datasets", Writes(create), body=CreateDatasetRequest, answer=Dataset
)
GET = Operation(
    "list_datasets", "List your datasets, most recently updated first", "datasets", Reads(list_all, is_long=True),
    query=ListDatasetsQuery, answer=ListDatasetsResponse,
)  # fmt: skip
