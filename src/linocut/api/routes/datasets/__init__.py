"""/datasets: make, list, read, fill, train on, delete."""

from functools import partial

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.api.call import Call, answer, nothing
from linocut.api.once import once
from linocut.api.operation import MULTIPART, InSnapshot, Operation
from linocut.api.training import train_dataset
from linocut.api.translate.datasets import dataset, dataset_detail
from linocut.api.uploads import ingest_upload
from linocut.datasets import service as datasets
from linocut.datasets.types import DatasetDetail
from linocut.wire import (
    CreateDatasetRequest,
    Dataset,
    GetDatasetResponse,
    ListDatasetsResponse,
    TrainDatasetModelRequest,
    TrainDatasetModelResponse,
    UploadDatasetAssetsRequest,
    UploadDatasetAssetsResponse,
)
from linocut.wire.queries import ListDatasetsQuery
from linocut.wire.types import Nothing


async def create(call: Call) -> Response:
    """Make an empty dataset."""
    request = await call.body(CreateDatasetRequest)
    user_id = call.caller.user_id
    return answer(await once(call, lambda tx: dataset(datasets.create(tx, user_id, request.name)), Dataset))


def list_all(call: Call, tx: Connection) -> Response:
    """The caller's datasets, most recently updated first."""
    search = call.query(ListDatasetsQuery).search
    wanted = None if isinstance(search, Nothing) else search
    found = datasets.list_for(tx, call.caller.user_id, wanted)
    return answer(ListDatasetsResponse(datasets=[dataset(one) for one in found]))


def get(call: Call, tx: Connection) -> Response:
    """One dataset with its pictures."""
    return answer(dataset_detail(_get(call, tx)))


async def upload(call: Call) -> Response:
    """Put pictures, captions and ZIPs into a dataset; whether it exists is settled before the files are read."""
    await call.runtime.db.run_read(partial(_get, call))
    return answer(await ingest_upload(call, call.path["dataset_id"]))


async def delete(call: Call) -> Response:
    """Hide a dataset at once; runs that were started on it go on."""
    await call.runtime.db.run_write(lambda tx: datasets.delete(tx, call.caller.user_id, call.path["dataset_id"]))
    return nothing()


def _get(call: Call, tx: Connection) -> DatasetDetail:
    return datasets.get(tx, call.caller.user_id, call.path["dataset_id"])


OPERATIONS = (
    Operation(
        "POST", "/datasets", "create_dataset", "Create a dataset", create, "datasets",
        body=CreateDatasetRequest, answer=Dataset, refusals=(400,),
    ),
    Operation(
        "GET", "/datasets", "list_datasets", "List your datasets, most recently updated first",
        InSnapshot(list_all, is_long=True), "datasets",
        query=ListDatasetsQuery, answer=ListDatasetsResponse, refusals=(400,),
    ),
    Operation(
        "GET", "/datasets/{dataset_id}", "get_dataset", "Get a dataset with its pictures",
        InSnapshot(get, is_long=True), "datasets",
        answer=GetDatasetResponse, refusals=(404,),
    ),
    Operation(
        "POST", "/datasets/{dataset_id}/upload_assets", "upload_dataset_assets",
        "Upload pictures, captions, and ZIPs of both", upload, "datasets",
        body=UploadDatasetAssetsRequest, encodings=(MULTIPART,), answer=UploadDatasetAssetsResponse,
        refusals=(400, 404, 413),
    ),
    Operation(
        "POST", "/datasets/{dataset_id}/train_model", "train_dataset_model",
        "Train a custom model on a dataset (older form)", train_dataset, "datasets",
        body=TrainDatasetModelRequest, answer=TrainDatasetModelResponse, refusals=(400, 404),
    ),
    Operation(
        "DELETE", "/datasets/{dataset_id}", "delete_dataset", "Delete a dataset; runs that use it go on", delete,
        "datasets", refusals=(404,), ours=True,
    ),
)  # fmt: skip
