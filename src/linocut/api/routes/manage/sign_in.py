"""/manage/sign_in: the form of whoever has no session yet."""

from html import escape

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.console_files import is_built
from linocut.api.openid import SENTENCES
from linocut.api.operation import Operation, Serves
from linocut.api.static import STRICT, content
from linocut.wire.signing_in import SignInPageQuery

BUTTON, SAID = b"<!-- elsewhere -->", b"<!-- said -->"


async def page(call: Call) -> Response:
    """The console signs people in (a browser keeps the link behind the #). Where it is not built: a form, a button
    where one may sign in elsewhere, and why that did not work. Only sentences of our own are shown."""
    said = call.query(SignInPageQuery).said
    if is_built():
        why = f"?said={said}" if said in SENTENCES else ""
        return Response(status_code=303, headers={"Location": f"../console/{why}"})
    told = next((sentence for why, sentence in SENTENCES.items() if why == said), "")
    button = ""
    if call.shared.openid.is_set:
        button = f'<a class="button" href="oidc">Sign in with {escape(call.runtime.settings.oidc_button)}</a>'
    if call.runtime.settings.smtp_host and call.runtime.settings.public_url:
        button += '<button type="button" id="forgot">Forgot your password?</button>'
    filled = content("sign_in.html").replace(BUTTON, button.encode()).replace(SAID, escape(told).encode())
    return Response(filled, media_type="text/html", headers={**STRICT, "Cache-Control": "no-store"})


GET = Operation(
    "sign_in_page", "The page to sign in on", "server", Serves(page), query=SignInPageQuery, answer="text/html",
    key_needed=False, redirects=True, ours=True,
)  # fmt: skip
