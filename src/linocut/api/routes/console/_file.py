"""/console/{file}: a script, a style or a font of the console."""

import re

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.console_files import built_file, is_built
from linocut.api.operation import Operation, Serves

_PAGE = re.compile(r"[a-z]{1,32}")


async def file(call: Call) -> Response:
    """A built file by its name. A name without an ending is a page: the one behind the # of the console's address."""
    name = call.path["file"]
    if is_built() and _PAGE.fullmatch(name):
        return Response(status_code=303, headers={"Location": f"./#/{name}"})
    return built_file(call.request, name)


GET = Operation(
    "console_file", "A file of the console", "server", Serves(file), answer="application/octet-stream",
    key_needed=False, refusals=(404,), redirects=True, ours=True,
)  # fmt: skip
