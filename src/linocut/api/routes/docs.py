"""/docs: the reference for people, made from the same operations; needs no network and no script."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves

HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


async def docs(call: Call) -> Response:
    """One page of HTML. Its links are relative, so that it works behind a proxy's path prefix: hence one address."""
    if call.request.scope["path"].endswith("/"):
        return Response(status_code=303, headers={"Location": "../docs"})
    return await call.shared.page("docs").answer(call.request, HEADERS)


GET = Operation(
    "docs", "This reference", "server", Serves(docs), answer="text/html", key_needed=False, redirects=True, ours=True
)
