"""/models/{model_id}/promote: a checkpoint of its training becomes a version."""

import asyncio

from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.translate.models import model_answer
from linocut.custom_models import promoting
from linocut.errors import NotFound
from linocut.wire import GetModelResponse, PromoteModelRequest


async def promote(call: Call, ask: PromoteModelRequest) -> GetModelResponse:
    """The new version. The file is looked for before anything is written; once more gives the same version."""
    model_id = call.path["model_id"]
    adapter = await call.db.run_read(lambda tx: promoting.checkpoint_of(tx, call.caller, model_id, ask.step))
    if not await asyncio.to_thread(call.runtime.store.has, adapter.sha256):
        raise NotFound(f"The checkpoint of step {ask.step} is gone: its file is missing from the store.")
    view = await call.db.run_write(lambda tx: promoting.promote(tx, call.caller, model_id, ask.step))
    return model_answer(view, call.runtime.licences.get(view.base))


POST = Operation(
    "promote_checkpoint", "Make a version of a checkpoint that was kept of a training", "models",
    Works(promote), body=PromoteModelRequest, answer=GetModelResponse, refusals=(403, 404, 409), ours=True,
)  # fmt: skip
