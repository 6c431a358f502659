"""/docs: the reference for people, made from the same operations; needs no network and no script."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation


async def docs(call: Call) -> Response:
    """One page of HTML."""
    from linocut.api.reference import render  # at the first question: most servers are never asked

    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(render(call.house.description), headers=headers, media_type="text/html; charset=utf-8")


OPERATIONS = (
    Operation(
        "GET", "/docs", "docs", "This reference", docs, "server", answer="text/html", key_needed=False, ours=True,
    ),
)  # fmt: skip
