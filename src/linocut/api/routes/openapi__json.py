"""/openapi.json: the API's description of itself."""

from starlette.responses import Response

from linocut.api.body import JSON
from linocut.api.call import Call
from linocut.api.operation import Operation, Serves


async def openapi(call: Call) -> Response:
    """OpenAPI 3.1."""
    return await call.shared.page("openapi").answer(call.request)


GET = Operation(
    "openapi", "This API's description in OpenAPI 3.1", "server", Serves(openapi), answer=JSON, key_needed=False,
    ours=True,
)  # fmt: skip
