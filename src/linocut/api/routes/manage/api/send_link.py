"""/manage/api/send_link: somebody has forgotten a password, and is mailed a link."""

from linocut.accounts import mails
from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.errors import Conflict
from linocut.wire import SendLinkRequest


async def send_link(call: Call, ask: SendLinkRequest) -> None:
    """The same answer whether or not there is such an account. The link in the mail leads to ``LINOCUT_PUBLIC_URL``,
    never to where the request says that this server is: whoever asks is not known."""
    settings = call.runtime.settings
    if not settings.smtp_host or not settings.public_url:
        raise Conflict("This server sends no password links by mail; ask whoever runs it for a link to sign in.")
    address = call.actor.address or ""
    origin = settings.public_url.rstrip("/")
    await call.db.run_write(lambda tx: mails.asked_for_link(tx, ask.account, origin, address))


POST = Operation(
    "send_link", "Mail a link to choose a new password", "manage", Works(send_link), body=SendLinkRequest,
    refusals=(409, 429), key_needed=False, ours=True,
)  # fmt: skip
