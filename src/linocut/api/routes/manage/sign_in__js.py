"""/manage/sign_in.js."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.static import static


async def page(call: Call) -> Response:
    """Of the page to sign in on."""
    del call
    return static("sign_in.js", "text/javascript")


GET = Operation(
    "sign_in_js", "Of the page to sign in on", "server", Serves(page), answer="text/javascript", key_needed=False,
    ours=True,
)  # fmt: skip
