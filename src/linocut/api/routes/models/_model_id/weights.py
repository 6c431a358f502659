"""/models/{model_id}/weights: the adapter, as it is stored or in another program's layout."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from linocut.api.call import Call
from linocut.api.etags import has_it
from linocut.api.operation import Operation, Serves
from linocut.api.served import facts_of
from linocut.bases import Base
from linocut.custom_models import service as registry
from linocut.custom_models.types import ModelView
from linocut.orders import AdapterRef
from linocut.wire.queries import WeightsQuery
from linocut.wire.types import UNSET

if TYPE_CHECKING:
    from linocut.lora_files.layouts import Layout

MEDIA_TYPE = "application/octet-stream"
PIECE_BYTES = 1 << 20


async def weights(call: Call) -> Response:
    """The safetensors file. Its ETag is the stored content's sha256, with the layout where one is asked for, so a copy
    that is still good is neither made nor sent again."""
    layout = call.query(WeightsQuery).format
    model_id = call.path["model_id"]

    def look(tx: Connection) -> tuple[AdapterRef, ModelView, Base | None]:
        adapter, model = registry.weights_of(tx, call.caller, model_id), registry.get_visible(tx, call.caller, model_id)
        return adapter, model, facts_of(tx, call.shared.runtime, model.base)

    adapter, model, base = await call.db.run_read(look)
    etag = f'"{adapter.sha256}"' if layout is UNSET else f'"{adapter.sha256}-{layout}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if has_it(call.request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    data = await call.blob(adapter.sha256)
    name = model_id
    if layout is not UNSET:
        data = await asyncio.to_thread(_in_layout, data, layout, model, base)
        name = f"{model_id}-{layout}"
    headers["Content-Disposition"] = f'attachment; filename="{name}.safetensors"'
    headers["Content-Length"] = str(len(data))
    return StreamingResponse(_pieces(data), headers=headers, media_type=MEDIA_TYPE)


def _in_layout(data: bytes, layout: "Layout", model: ModelView, base: Base | None) -> bytes:
    from linocut.lora_files.layouts import in_layout  # numpy, which a start has no time for
    from linocut.lora_files.metadata import About

    trigger = "" if model.imported is None else model.imported.trigger
    about = About(model.name, model.created_at, trigger=trigger)
    if base is not None:
        about = About(model.name, model.created_at, base.native_pixels, base.name, trigger)
    return in_layout(data, layout, about)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    """Pieces, so that a slow client does not make the server hold a second copy."""
    view = memoryview(data)
    for start in range(0, len(view), PIECE_BYTES):
        yield bytes(view[start : start + PIECE_BYTES])


GET = Operation(
    "download_weights", "Download a model's LoRA weights", "models", Serves(weights), query=WeightsQuery,
    has_etag=True, answer=MEDIA_TYPE, refusals=(403, 404, 409), ours=True,
)  # fmt: skip
