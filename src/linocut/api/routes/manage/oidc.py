"""/manage/oidc: the way to the issuer with which one signs in elsewhere."""

import secrets

from starlette.responses import RedirectResponse, Response

from linocut.accounts import identities
from linocut.accounts.identities import NotLetIn
from linocut.api.call import Call
from linocut.api.openid import COOKIE, bound
from linocut.api.operation import Operation, Serves
from linocut.api.signing_in import back_to_page, redirect_uri
from linocut.errors import NotFound, TooManyTries


async def go(call: Call) -> Response:
    """Send the browser there, with a cookie that binds the way back to this browser. Good once, for ten minutes."""
    provider, secret = call.shared.openid, call.runtime.digest_secret
    if not provider.is_set:
        raise NotFound("Nobody signs in elsewhere on this server (LINOCUT_OIDC_ISSUER is not set).")
    state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    nonce, verifier = bound("nonce", state, browser, secret), bound("verifier", state, browser, secret)
    try:
        there = await provider.way_there(state, nonce, verifier, redirect_uri(call))
    except NotLetIn as away:
        return back_to_page(call, away)
    digest, address = bound("attempt", state, browser, secret).encode()[:32], call.actor.address or ""
    try:
        await call.db.run_write(lambda tx: identities.begin(tx, digest, address))
    except TooManyTries:
        return back_to_page(call, NotLetIn("often"))
    answer = RedirectResponse(there, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    answer.set_cookie(
        COOKIE, browser, max_age=int(identities.GOOD_FOR.total_seconds()), path="/", httponly=True, samesite="lax",
        secure=call.origin.startswith("https:"),
    )  # fmt: skip
    return answer


GET = Operation(
    "sign_in_elsewhere", "Sign in with the issuer of this server's settings", "server", Serves(go), answer="text/html",
    key_needed=False, answers_head=False, redirects=True, refusals=(404,), ours=True,
)  # fmt: skip
