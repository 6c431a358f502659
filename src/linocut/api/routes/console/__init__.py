"""/console/: the console, pages for people. Its data comes from the API as everybody's does."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.console_files import INDEX, built_file
from linocut.api.operation import Operation, Serves


async def index(call: Call) -> Response:
    """The page. Its links are relative to ``/console/``: without the slash it leads there."""
    if not call.request.scope["path"].endswith("/"):
        return Response(status_code=303, headers={"Location": "console/"})
    return built_file(call.request, INDEX)


GET = Operation(
    "console", "The console: pages for people", "server", Serves(index), answer="text/html", key_needed=False,
    refusals=(404,), redirects=True, ours=True,
)  # fmt: skip
