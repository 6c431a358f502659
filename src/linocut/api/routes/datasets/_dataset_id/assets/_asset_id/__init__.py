"""/datasets/{dataset_id}/assets/{asset_id}: one picture, as it is stored."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Answer, Operation, Serves, Writes
from linocut.api.stored_pictures import MEDIA_TYPES, picture_answer
from linocut.datasets import service as datasets
from linocut.wire.queries import PictureQuery


async def picture(call: Call) -> Answer:
    """The picture as training sees it before its crop: upright, in sRGB, a PNG or a JPEG without metadata; or a
    WebP of the size that is asked for."""
    file = await call.db.run_read(lambda tx: datasets.get_asset(tx, *names(call)))
    return await picture_answer(call, file.image_sha256, "private, no-cache")


def delete(call: Call, _ask: None, tx: Connection) -> None:
    """Take one picture out of the dataset; runs that were started with it go on."""
    datasets.delete_asset(tx, *names(call))


def names(call: Call) -> tuple[str, str, str]:
    """Whose picture, in which dataset, which one."""
    return call.caller.user_id, call.path["dataset_id"], call.path["asset_id"]


GET = Operation(
    "get_dataset_asset", "Get a picture of a dataset, as it is stored", "datasets", Serves(picture), has_etag=True,
    query=PictureQuery, answer=", ".join(MEDIA_TYPES.values()), refusals=(400, 404), ours=True,
)  # fmt: skip
DELETE = Operation(
    "delete_dataset_asset", "Delete a picture of a dataset; runs that use it go on", "datasets", Writes(delete),
    refusals=(404,), ours=True,
)  # fmt: skip
