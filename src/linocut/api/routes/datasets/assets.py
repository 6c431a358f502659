"""/datasets/{dataset_id}/assets: its pictures one by one, and their captions."""

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.api.call import Call, answer, nothing
from linocut.api.etags import has_it
from linocut.api.operation import Operation
from linocut.api.translate import reports
from linocut.datasets import service as datasets
from linocut.datasets.types import DatasetFile
from linocut.errors import InvalidRequest
from linocut.wire import CaptionResponse, ListAssetsResponse, SetCaptionRequest

PNG = "image/png"


async def list_all(call: Call) -> Response:
    """The pictures in upload order, with their captions."""
    dataset_id = call.path["dataset_id"]
    found = await call.runtime.db.run_read(lambda tx: datasets.get(tx, call.caller.user_id, dataset_id))
    return answer(ListAssetsResponse(dataset_id=dataset_id, assets=[reports.asset(file) for file in found.files]))


async def picture(call: Call) -> Response:
    """The picture as training sees it before its crop: upright, sRGB, PNG. Its ETag is its content's sha256."""
    file = await call.runtime.db.run_read(lambda tx: _get(tx, call))
    headers = {"ETag": f'"{file.image_sha256}"', "Cache-Control": "private, no-cache"}
    if has_it(call.request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    png = await call.blob(file.image_sha256)
    return Response(png, media_type=PNG, headers=headers)


async def delete(call: Call) -> Response:
    """Take one picture out of the dataset; runs that were started with it go on."""
    await call.runtime.db.run_write(lambda tx: datasets.delete_asset(tx, *_names(call)))
    return nothing()


async def get_caption(call: Call) -> Response:
    """The caption of one picture."""
    return answer(reports.caption(await call.runtime.db.run_read(lambda tx: _get(tx, call))))


async def put_caption(call: Call) -> Response:
    """Write the caption of one picture, or take it away."""
    values = (await call.fields()).values
    if "caption" not in values:
        raise InvalidRequest(
            "caption is required: it must be text, a structured caption (a JSON object), or null for none.",
            field="caption",
        )
    file = await call.runtime.db.run_write(lambda tx: datasets.set_caption(tx, *_names(call), values["caption"]))
    return answer(reports.caption(file))


def _names(call: Call) -> tuple[str, str, str]:
    return call.caller.user_id, call.path["dataset_id"], call.path["asset_id"]


def _get(tx: Connection, call: Call) -> DatasetFile:
    return datasets.get_asset(tx, *_names(call))


_ASSET = "/datasets/{dataset_id}/assets/{asset_id}"

OPERATIONS = (
    Operation(
        "GET", "/datasets/{dataset_id}/assets", "list_dataset_assets", "List a dataset's pictures with their captions",
        list_all, "datasets", answer=ListAssetsResponse, refusals=(404,), ours=True,
    ),
    Operation(
        "GET", _ASSET, "get_dataset_asset", "Get a picture of a dataset, as it is stored", picture, "datasets",
        headers={"If-None-Match": "The ETag of a copy: 304 while it is good."}, answer=PNG, refusals=(404,), ours=True,
    ),
    Operation(
        "DELETE", _ASSET, "delete_dataset_asset", "Delete a picture of a dataset; runs that use it go on", delete,
        "datasets", refusals=(404,), ours=True,
    ),
    Operation(
        "GET", f"{_ASSET}/caption", "get_dataset_caption", "Get a picture's caption", get_caption, "datasets",
        answer=CaptionResponse, refusals=(404,), ours=True,
    ),
    Operation(
        "PUT", f"{_ASSET}/caption", "set_dataset_caption", "Write a picture's caption, or take it away", put_caption,
        "datasets", body=SetCaptionRequest, answer=CaptionResponse, refusals=(400, 404, 413), ours=True,
    ),
)  # fmt: skip
