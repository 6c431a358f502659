"""/manage/api/ways_to_sign_in: what a page to sign in on offers."""

from linocut.api.call import Call
from linocut.api.openid import SENTENCES
from linocut.api.operation import Operation, Serves
from linocut.wire import OpenIdButton, WaysToSignIn


async def ways(call: Call) -> WaysToSignIn:
    """A password always; an issuer where one is set, whether it answers or not."""
    button = None
    if call.shared.openid.is_set:
        button = OpenIdButton(name=call.runtime.settings.oidc_button, url=f"{call.origin}/manage/oidc")
    settings = call.runtime.settings
    mails = bool(settings.smtp_host and settings.public_url)
    return WaysToSignIn(
        openid_connect=button, mails_links=mails, said={str(why): sentence for why, sentence in SENTENCES.items()}
    )


GET = Operation(
    "get_ways_to_sign_in", "How one may sign in", "manage", Serves(ways), answer=WaysToSignIn, key_needed=False,
    ours=True,
)  # fmt: skip
