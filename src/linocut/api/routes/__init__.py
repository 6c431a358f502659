"""/: what this is. And the URL tree as folders: a file's place is its address (``linocut.api.discovery``)."""

import re

import msgspec
from starlette.responses import Response

from linocut import __version__
from linocut.api.body import JSON
from linocut.api.call import Call
from linocut.api.console_files import is_built
from linocut.api.operation import Answer, Operation, Serves
from linocut.wire.about import About

_WANTS_HTML = re.compile(r"text/html(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)
_HEADERS = {"Vary": "Accept"}


async def about(call: Call) -> Answer:
    """The console for a browser (where it is not built: the reference), a few words in JSON for others."""
    if _WANTS_HTML.search(call.request.headers.get("accept", "")):
        # Relative, so that it leads to the right place behind a proxy's path prefix as well.
        return Response(status_code=303, headers={"Location": "console/" if is_built() else "docs", **_HEADERS})
    said = About(name="linocut", version=__version__, docs=f"{call.origin}/docs", openapi=f"{call.origin}/openapi.json")
    return Response(msgspec.json.encode(said), headers=_HEADERS, media_type=JSON)


GET = Operation(
    "about", "What this server is", "server", Serves(about), answer=About, key_needed=False, redirects=True, ours=True
)
