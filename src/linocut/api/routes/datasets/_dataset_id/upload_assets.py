"""/datasets/{dataset_id}/upload_assets: fill a dataset."""

from sqlalchemy import Connection

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.uploads import ingest_upload
from linocut.datasets import service as datasets
from linocut.wire import UploadDatasetAssetsRequest, UploadDatasetAssetsResponse


def is_there(call: Call, tx: Connection) -> None:
    """Whether the dataset exists is settled before the files are read."""
    datasets.get(tx, call.caller.user_id, call.path["dataset_id"])


POST = Operation(
    "upload_dataset_assets", "Upload pictures, captions, and ZIPs of both", "datasets", Works(ingest_upload),
    before=is_there, body=UploadDatasetAssetsRequest, encodings=(MULTIPART,), answer=UploadDatasetAssetsResponse,
    refusals=(404,),
)  # fmt: skip
