"""/manage/sign_in: the form of whoever has no session yet."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.static import STRICT, static


async def page(call: Call) -> Response:
    """A form, until the console has a page of its own."""
    del call
    return static("sign_in.html", "text/html", STRICT)


GET = Operation(
    "sign_in_page", "The page to sign in on", "server", Serves(page), answer="text/html", key_needed=False, ours=True
)
