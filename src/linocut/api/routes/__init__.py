"""/: what this is. And the URL tree as folders: a file's place is its address (``linocut.api.discovery``)."""

from starlette.responses import Response

from linocut import __version__
from linocut.api.call import Call
from linocut.api.operation import Answer, Operation, Serves
from linocut.wire.about import About


async def about(call: Call) -> Answer:
    """The reference for a browser, a few words in JSON for others."""
    if "text/html" in call.request.headers.get("accept", "").lower():
        # Relative, so that it leads to the right place behind a proxy's path prefix as well.
        return Response(status_code=303, headers={"Location": "docs", "Vary": "Accept"})
    return About(name="linocut", version=__version__, docs=f"{call.origin}/docs", openapi=f"{call.origin}/openapi.json")


GET = Operation(
    "about", "What this server is", "server", Serves(about), answer=About, key_needed=False, redirects=True, ours=True
)
