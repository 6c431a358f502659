"""/openapi.json: the API's description of itself."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation


async def openapi(call: Call) -> Response:
    """OpenAPI 3.1."""
    return await call.house.description_page.answer(call.request)


OPERATIONS = (
    Operation(
        "GET", "/openapi.json", "openapi", "This API's description in OpenAPI 3.1", openapi, "server",
        answer="application/json", key_needed=False, ours=True,
    ),
)  # fmt: skip
