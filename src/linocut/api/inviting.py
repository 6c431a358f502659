"""How an invite reaches whoever is invited: by mail where a mail server is set, else by a link to pass on."""

from sqlalchemy import Connection

from linocut.accounts import links, mails
from linocut.api.call import Call
from linocut.api.links import link_to_sign_in
from linocut.wire import InviteExtras


def reaches(call: Call, tx: Connection, invite_id: str) -> InviteExtras:
    """Queue its mail, or make its link. A link that is mailed is told to nobody else: whoever uses it has shown that
    the address is theirs."""
    settings = call.runtime.settings
    if settings.smtp_host:
        mails.invite(tx, invite_id, settings.public_url.rstrip("/") or call.origin)
        return InviteExtras(invite_id=invite_id, mail_status="QUEUED")
    link = link_to_sign_in(call.origin, links.make(tx, "invite", call.actor, invite_id=invite_id))
    return InviteExtras(invite_id=invite_id, link=link)
