"""/models/{model_id}/weights: the adapter, as the library loads it."""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from linocut.api.call import Call
from linocut.api.etags import has_it
from linocut.api.operation import Operation, Serves
from linocut.custom_models import service as registry
from linocut.wire.queries import WeightsQuery

MEDIA_TYPE = "application/octet-stream"
PIECE_BYTES = 1 << 20


async def weights(call: Call) -> Response:
    """The safetensors file; its ETag is the content's sha256, so a copy that is still good is not sent again."""
    call.query(WeightsQuery)
    model_id = call.path["model_id"]
    adapter = await call.db.run_read(lambda tx: registry.weights_of(tx, call.caller, model_id))
    etag = f'"{adapter.sha256}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if has_it(call.request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    data = await call.blob(adapter.sha256)
    headers["Content-Disposition"] = f'attachment; filename="{model_id}.safetensors"'
    headers["Content-Length"] = str(len(data))
    return StreamingResponse(_pieces(data), headers=headers, media_type=MEDIA_TYPE)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    """Pieces, so that a slow client does not make the server hold a second copy."""
    view = memoryview(data)
    for start in range(0, len(view), PIECE_BYTES):
        yield bytes(view[start : start + PIECE_BYTES])


GET = Operation(
    "download_weights", "Download a model's LoRA weights", "models", Serves(weights), query=WeightsQuery,
    has_etag=True, answer=MEDIA_TYPE, refusals=(403, 404, 409), ours=True,
)  # fmt: skip
