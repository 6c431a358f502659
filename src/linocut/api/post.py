"""Sends the mails that are due, in the process that delivers webhooks too (``deliver.py``)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from linocut import ids
from linocut.accounts import mails
from linocut.accounts.mails import Mail
from linocut.api.links import link_to_sign_in
from linocut.errors import LinocutError
from linocut.mailing.message import Letter, composed
from linocut.mailing.sending import NotSent, send
from linocut.observe import log
from linocut.runtime import Runtime
from linocut.settings import Settings

AT_ONCE = 4
LOOK_SECONDS = 0.5
STEPS = 8
"""Answers that one mail waits for; each may take ``smtp_seconds``. After so long a try counts as lost."""

Send = Callable[[EmailMessage, Settings], None]


class Postman:
    """One a process and event loop."""

    def __init__(self, runtime: Runtime, send: Send = send) -> None:
        self._runtime, self._send = runtime, send

    async def run(self, stopping: asyncio.Event) -> None:
        """Send what is due until ``stopping`` is set; what is under way then ends first."""
        while not stopping.is_set():
            if await self.send_due() == 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)

    async def send_due(self) -> int:
        """Send what is due, a few at a time; how many tries. A busy database puts it off."""
        db, at = self._runtime.db, ids.now()
        try:
            due = await db.run_read(lambda tx: mails.due(tx, at, AT_ONCE))
            await asyncio.gather(*(self._deliver(mail_id) for mail_id in due))
        except (LinocutError, SQLAlchemyError) as trouble:
            log("mail").warning("mails are put off", error=type(trouble).__name__)
            return 0
        return len(due)

    async def _deliver(self, mail_id: str) -> None:
        settings, at = self._runtime.settings, ids.now()
        until = at + timedelta(seconds=STEPS * settings.smtp_seconds)
        claimed = await self._runtime.db.run_write(lambda tx: mails.claim(tx, mail_id, at, until))
        if claimed is None:
            return
        mail, text = claimed
        error, most = None, settings.smtp_tries
        try:
            await asyncio.to_thread(self._hand_over, mail, text)
        except NotSent as refused:
            error, most = str(refused), 0 if refused.is_final else most
        await self._runtime.db.run_write(lambda tx: _record(tx, mail, error, most))

    def _hand_over(self, mail: Mail, text: str) -> None:
        """``NotSent``."""
        settings = self._runtime.settings
        if not settings.smtp_host:
            raise NotSent("no mail server is set any more (LINOCUT_SMTP_HOST)", is_final=True)
        link = link_to_sign_in(mail.origin, text)
        letter = Letter(mail.purpose, mail.address, link, mail.origin, mail.mail_id, mail.organization)
        try:
            written = composed(letter, settings.smtp_from)
        except (ValueError, IndexError) as wrong:  # what the library says of an address that is none
            raise NotSent("the address or the organisation's name cannot stand in a mail", is_final=True) from wrong
        self._send(written, settings)


def _record(tx: Connection, mail: Mail, error: str | None, most: int) -> None:
    told = {"mail_id": mail.mail_id, "purpose": mail.purpose, "tries": mail.tries + 1}
    if error is None:
        mails.sent(tx, mail)
        log("mail").info("mail sent", **told)
        return
    again = mails.failed(tx, mail, error, most)
    how = "mail given up" if again is None else "mail not sent"
    log("mail").warning(how, **told, reason=error, again_at=again and ids.wire_time(again))
