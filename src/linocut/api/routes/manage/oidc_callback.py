"""/manage/oidc_callback: the way back from the issuer with which one signs in elsewhere."""

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.accounts import identities, sessions
from linocut.accounts.audit import record
from linocut.accounts.identities import Joining, NotLetIn, Told
from linocut.accounts.organizations import Role
from linocut.accounts.sessions import NewSession
from linocut.api.call import Call
from linocut.api.openid import COOKIE, Return, bound
from linocut.api.operation import Operation, Serves
from linocut.api.signing_in import back_to_page, redirect_uri, to_the_console
from linocut.errors import NotFound
from linocut.wire.signing_in import ElsewhereQuery
from linocut.wire.types import Nothing


async def come_back(call: Call) -> Response:
    """Sign in whom the issuer has let in. Every failure is a sentence on the page to sign in on."""
    if not call.shared.openid.is_set:
        raise NotFound("Nobody signs in elsewhere on this server (LINOCUT_OIDC_ISSUER is not set).")
    try:
        back = await _taken(call)
    except NotLetIn as refused:  # nobody has begun it here: not worth an entry that anybody could cause
        return back_to_page(call, refused)
    try:
        told = await call.shared.openid.who(back)
        session = await call.db.run_write(lambda tx: _let_in(call, tx, told))
    except NotLetIn as refused:
        why = refused.why
        await call.db.run_write(lambda tx: record(tx, call.actor, "user.sign_in_failed", how="openid", why=why))
        return back_to_page(call, refused)
    return to_the_console(call, session)


async def _taken(call: Call) -> Return:
    """The attempt that this browser has begun; it is used now, whatever comes of it."""
    query, secret = call.query(ElsewhereQuery), call.runtime.digest_secret
    state, browser = _or_none(query.state) or "", call.request.cookies.get(COOKIE, "")
    if not state or not browser or len(state) > 100 or len(browser) > 100:
        raise NotLetIn("stale")
    digest = bound("attempt", state, browser, secret).encode()[:32]
    await call.db.run_write(lambda tx: identities.take(tx, digest))
    code = _or_none(query.code)
    if code is None:
        raise NotLetIn("refused", f"the issuer says {(_or_none(query.error) or 'nothing')[:100]!r}")
    verifier, nonce = bound("verifier", state, browser, secret), bound("nonce", state, browser, secret)
    return Return(code, _or_none(query.iss), redirect_uri(call), verifier, nonce)


def _let_in(call: Call, tx: Connection, told: Told) -> NewSession:
    settings = call.runtime.settings
    role: Role = "ADMIN" if settings.oidc_role == "ADMIN" else "MEMBER"
    roles = settings.oidc_role_map if settings.oidc_role_claim else None
    joining = Joining(settings.oidc_joining, settings.oidc_organization, role, roles)
    user_id = identities.user_of(tx, told, joining, call.actor)
    return sessions.begin(tx, user_id, call.actor, how="openid")


def _or_none(value: str | Nothing) -> str | None:
    return None if isinstance(value, Nothing) else value


GET = Operation(
    "sign_in_elsewhere_ends", "The way back from the issuer", "server", Serves(come_back), query=ElsewhereQuery,
    answer="text/html", key_needed=False, answers_head=False, redirects=True, refusals=(404,), ours=True,
)  # fmt: skip
