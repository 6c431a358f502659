"""/docs: the reference for people, made from the same operations; needs no network and no script."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation


async def docs(call: Call) -> Response:
    """One page of HTML. Its links are relative, so that any path may lead to it; ``/docs/`` leads to ``/docs``."""
    if call.request.scope["path"].endswith("/"):
        return Response(status_code=308, headers={"Location": "../docs"})
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return await call.house.reference_page.answer(call.request, headers)


OPERATIONS = (
    Operation(
        "GET", "/docs", "docs", "This reference", docs, "server", answer="text/html", key_needed=False, ours=True,
    ),
)  # fmt: skip
