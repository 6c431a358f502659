"""/v1/generations/{generation_id}: how an asynchronous generation stands."""

from sqlalchemy import Connection

from linocut import ids
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.translate.generations import generation_response
from linocut.generation import asynchronous
from linocut.wire import GenerationResponse


def get(call: Call, tx: Connection) -> GenerationResponse:
    """Pending, completed with its images, or failed; with fresh links each time."""
    found = asynchronous.get(tx, call.path["generation_id"], call.caller.user_id)
    return generation_response(found, call.runtime, ids.now(), call.origin)


GET = Operation(
    "get_generation", "Get an asynchronous generation", "generate", Reads(get), answer=GenerationResponse,
    refusals=(400, 402, 404, 429),
)  # fmt: skip
