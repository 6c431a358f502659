"""/manage/sign_in.css."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.static import static


async def page(call: Call) -> Response:
    """Of the page to sign in on."""
    del call
    return static("sign_in.css", "text/css")


GET = Operation(
    "sign_in_css", "Of the page to sign in on", "server", Serves(page), answer="text/css", key_needed=False,
    ours=True,
)  # fmt: skip
