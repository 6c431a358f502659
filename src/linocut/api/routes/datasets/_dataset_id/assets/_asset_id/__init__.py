"""/datasets/{dataset_id}/assets/{asset_id}: one picture, as it is stored."""

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.etags import has_it
from linocut.api.operation import Answer, Operation, Serves, Writes
from linocut.datasets import service as datasets

PNG = "image/png"


async def picture(call: Call) -> Answer:
    """The picture as training sees it before its crop: upright, sRGB, PNG. Its ETag is its content's sha256."""
    file = await call.db.run_read(lambda tx: datasets.get_asset(tx, *names(call)))
    headers = {"ETag": f'"{file.image_sha256}"', "Cache-Control": "private, no-cache"}
    if has_it(call.request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    png = await call.blob(file.image_sha256)
    return Response(png, media_type=PNG, headers=headers)


def delete(call: Call, _ask: None, tx: Connection) -> None:
    """Take one picture out of the dataset; runs that were started with it go on."""
    datasets.delete_asset(tx, *names(call))


def names(call: Call) -> tuple[str, str, str]:
    """Whose picture, in which dataset, which one."""
    return call.caller.user_id, call.path["dataset_id"], call.path["asset_id"]


GET = Operation(
    "get_dataset_asset", "Get a picture of a dataset, as it is stored", "datasets", Serves(picture), has_etag=True,
    answer=PNG, refusals=(404,), ours=True,
)  # fmt: skip
DELETE = Operation(
    "delete_dataset_asset", "Delete a picture of a dataset; runs that use it go on", "datasets", Writes(delete),
    refusals=(404,), ours=True,
)  # fmt: skip
