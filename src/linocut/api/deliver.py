"""``python -m linocut.api.deliver``: tells the webhooks what came of generations, and sends mails (``post.py``), in a
process of its own.

The supervisor starts it when the first delivery is due (``workers/supervise.py``). Deliveries run beside each other;
a host that never answers holds nobody else up, and an organisation has a few of them at a time.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from linocut import __version__, ids
from linocut.api.post import Postman
from linocut.api.translate.generations import generation_response
from linocut.environment import settings_with
from linocut.errors import InvalidRequest, LinocutError
from linocut.generation import asynchronous
from linocut.generation.asynchronous import Generation
from linocut.observe import log, set_up_logs
from linocut.parent import EXIT_UNFIT, die_with_parent
from linocut.runtime import Runtime
from linocut.webhooks import keys
from linocut.webhooks.sending import Sender, Undelivered
from linocut.webhooks.targets import target_of

AT_ONCE = 64
AT_ONCE_FOR_ONE = 8
"""Deliveries under way, of all organisations and of one."""
LOOK_SECONDS = 0.25
CLAIM_SPARE_SECONDS = 2.0
"""A try is held to be lost so long after it should have ended."""


class Deliverer:
    """One a process and event loop. ``clock`` tells the time (tests have their own)."""

    def __init__(self, runtime: Runtime, sender: Sender, clock: Callable[[], datetime] = ids.now) -> None:
        self._runtime, self._sender, self._clock = runtime, sender, clock
        self._under_way: dict[asyncio.Task[None], str] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver what is due until ``stopping`` is set; what is under way then ends within the time of a try."""
        while not stopping.is_set():
            await self.begin_due()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)
        await self.finish()

    async def begin_due(self) -> int:
        """Begin what is due and has room; how many deliveries. A busy database puts it off."""
        try:
            claimed = await self._claim()
        except (LinocutError, SQLAlchemyError) as trouble:
            log("webhooks").warning("deliveries are put off", error=type(trouble).__name__)
            return 0
        for one in claimed:
            task = asyncio.create_task(self._deliver(one))
            self._under_way[task] = one.organization_id
            task.add_done_callback(lambda done: self._under_way.pop(done, None))
        return len(claimed)

    async def finish(self) -> None:
        """Wait for the deliveries under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _claim(self) -> list[Generation]:
        """Take what is due, one organisation's in turn with others', as far as there is room."""
        now, busy = self._clock(), list(self._under_way.values())
        room = AT_ONCE - len(busy)
        full = {one for one in busy if busy.count(one) >= AT_ONCE_FOR_ONE}
        due = await self._runtime.db.run_read(lambda tx: asynchronous.due(tx, now, room, full)) if room > 0 else []
        if not due:
            return []
        until = now + timedelta(seconds=self._runtime.settings.webhook_seconds + CLAIM_SPARE_SECONDS)

        def take(tx: Connection) -> list[Generation]:
            taken: list[Generation] = []
            for generation_id in due:
                found = asynchronous.get(tx, generation_id)
                mine = sum(one.organization_id == found.organization_id for one in taken)
                if busy.count(found.organization_id) + mine < AT_ONCE_FOR_ONE:
                    claimed = asynchronous.claim(tx, generation_id, now, until)
                    taken += [] if claimed is None else [claimed]
            return taken

        return await self._runtime.db.run_write(take)

    async def _deliver(self, claimed: Generation) -> None:
        """One try, and what came of it. Where that cannot be written, the try counts as lost, and is made again."""
        try:
            error = await self._counted(claimed)
            await self._runtime.db.run_write(lambda tx: self._record(tx, claimed, error))
        except (LinocutError, SQLAlchemyError) as trouble:
            log("webhooks").warning(
                "what became of a delivery is not written; it is made again",
                generation_id=claimed.generation_id, error=type(trouble).__name__,
            )  # fmt: skip

    async def _counted(self, claimed: Generation) -> str | None:
        """As ``_tried``; a fault of ours is a failed try, so that it is not made again for ever."""
        try:
            return await self._tried(claimed)
        except (LinocutError, SQLAlchemyError):
            raise
        except Exception as fault:  # the edge of the process: one delivery must not stop the others
            log("webhooks").error("a delivery met a fault", generation_id=claimed.generation_id, exc_info=fault)
            return "this server met a fault of its own"

    async def _tried(self, claimed: Generation) -> str | None:
        """None once it is delivered, else why not."""
        signing = await self._runtime.db.run_read(lambda tx: keys.published(tx, self._clock())[0])
        body = msgspec.json.encode(generation_response(claimed, self._runtime, self._clock()))
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"linocut/{__version__}",
            "X-Ideogram-Webhook-Generation-Id": claimed.generation_id,
            "X-Ideogram-Webhook-User-Id": claimed.user_id,
            "X-Ideogram-Webhook-Timestamp": timestamp,
            "X-Ideogram-Webhook-Key-Id": signing.key_id,
            "X-Ideogram-Webhook-Signature": signing.signature(claimed.generation_id, claimed.user_id, timestamp, body),
        }
        try:
            await self._sender.send(target_of(claimed.webhook_url), headers, body)
        except Undelivered as failed:
            return str(failed)
        except InvalidRequest as never:  # accepted by an earlier version
            return never.message
        return None

    def _record(self, tx: Connection, claimed: Generation, error: str | None) -> None:
        now, settings = self._clock(), self._runtime.settings
        told = {"generation_id": claimed.generation_id, "host": target_of(claimed.webhook_url).host}
        tries = claimed.webhook_tries + 1
        if error is None:
            asynchronous.delivered(tx, claimed, now)
            log("webhooks").info("webhook delivered", **told, tries=tries)
            return
        again = asynchronous.failed(tx, claimed, error, now, settings.webhook_tries)
        how = "webhook given up" if again is None else "webhook not delivered"
        log("webhooks").warning(how, **told, tries=tries, reason=error, again_at=again and ids.wire_time(again))


async def deliver(runtime: Runtime) -> None:
    """Deliver until SIGTERM or SIGINT."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    settings = runtime.settings
    note = settings.deliverer_note
    note.touch()
    try:
        webhooks = Deliverer(runtime, Sender(settings.allowed_webhook_hosts, settings.webhook_seconds))
        await asyncio.gather(webhooks.run(stopping), Postman(runtime).run(stopping))
    finally:
        note.unlink(missing_ok=True)


def main() -> int:
    """The process's exit status."""
    arguments = argparse.ArgumentParser(prog="linocut.api.deliver", description="Delivers webhooks.")
    arguments.add_argument("--parent", type=int, default=0, help="process id to end with; 0: nobody's")
    parent = arguments.parse_args().parent
    if parent:
        die_with_parent(parent)
    try:
        settings = settings_with()
        set_up_logs(settings.log_level, as_json=settings.log_json)
        with closing(Runtime.open(settings)) as runtime:
            asyncio.run(deliver(runtime))
    except LinocutError as error:
        log("webhooks").error(f"webhooks cannot be delivered: {error.message}")
        return EXIT_UNFIT if isinstance(error, InvalidRequest) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
