"""/v1/ideogram-v4/async/generate: one image, drawn after the answer, and told to a webhook."""

from dataclasses import replace

from sqlalchemy import Connection

from linocut.api.body import JSON, MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import Begun
from linocut.api.operation import Operation, Places
from linocut.api.translate.asks import ask_v4
from linocut.api.translate.generations import remembered
from linocut.api.webhooks import AsyncAsk, look_ahead
from linocut.generation import asynchronous, drawings
from linocut.generation import service as generation
from linocut.webhooks import keys
from linocut.wire import AsyncImageGenerationResponseV4, GenerateImageRequestV4
from linocut.wire.queries import AsyncGenerateQuery


def place(call: Call, ask: AsyncAsk, tx: Connection) -> AsyncImageGenerationResponseV4:
    """The job, its generation and, before the first of them, the key that will sign: together or not at all."""
    if ask.refusal is not None:
        raise ask.refusal
    keys.ensure(tx)
    caller, runtime = call.caller, call.runtime
    placed = generation.place(tx, caller, ask.generate, runtime)
    if call.drawing is not None:  # by the address at which somebody may wait for it
        request = replace(call.drawing, path=call.drawing.path.replace("/async/", "/"))
        drawings.remember(tx, placed.job_id, request, placed.notes)
    begun = remembered(Begun(placed, runtime.base.identity, call.origin))
    generation_id = asynchronous.add(tx, placed.job_id, caller.user_id, caller.organization_id, begun, ask.webhook_url)
    return AsyncImageGenerationResponseV4(generation_id=generation_id)


POST = Operation(
    "post_generate_image_v4_async", "Generate an image and be told by a webhook", "generate",
    Places(place, look_ahead), ask=ask_v4, body=GenerateImageRequestV4, encodings=(MULTIPART, JSON),
    query=AsyncGenerateQuery, answer=AsyncImageGenerationResponseV4,
)  # fmt: skip
