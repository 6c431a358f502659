"""What somebody waits for: pictures, data, or both, told all at once when the last of it is there."""

import struct
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from linocut import ids
from linocut.custom_models import availability
from linocut.db.tables import images
from linocut.errors import Busy, LinocutError
from linocut.generation import drawings
from linocut.jobs import queue
from linocut.jobs.types import LeasedJob
from linocut.ledger import book as ledger
from linocut.orders import Event, Failed, ImageDrawn, Last
from linocut.runtime import Runtime
from linocut.workers.delivery import Desk
from linocut.workers.held import Held

_PNG = b"\x89PNG\r\n\x1a\n"
IMAGE_PATIENCE_SECONDS = 5.0
"""How long a full disk or an absent store is waited for while a client waits for the image."""


class Answers:
    """The delivery of every kind that somebody waits for.

    The job's result is ``{"images": [...]}``, what was drawn (perhaps nothing), and beside it what the last event says.
    """

    def take_up(self, runtime: Runtime, job: LeasedJob, order: Any) -> Path | None:
        """It keeps nothing on the disk."""
        del job, order
        return runtime.settings.data

    def publish(self, desk: Desk, held: Held, event: Event) -> None:
        """Images are kept as they come; rows are written with the last event."""
        if isinstance(event, ImageDrawn):
            self._keep(desk, held, event)
        elif isinstance(event, Failed):
            self._fail(desk, held, event.error, event.device_seconds)
        elif isinstance(event, Last):
            held.images.sort(key=lambda drawn: int(drawn["index"]))
            data, used = event.data(), event.device_seconds
            desk.writer.write(held, lambda tx: _finish(tx, held, data, used))
            desk.end(held, "done")

    def flush(self, desk: Desk, held: Held) -> None:
        """Nothing is put off."""

    def _keep(self, desk: Desk, held: Held, event: ImageDrawn) -> None:
        """An image that is withheld is not kept at all: no bytes of it, and no id under which to ask for it."""
        withheld = event.verdict is not None and event.verdict.withholds
        try:
            sha256 = None if withheld else desk.writer.keep(held, event.png, IMAGE_PATIENCE_SECONDS)
        except Busy as trouble:  # whoever waits hears it, and may ask again
            self._fail(desk, held, trouble)
            desk.cancel(held.key)
            return
        size = _size_of(event.png)
        drawn = {
            "index": event.index,
            "image_id": None if withheld else ids.new_id(),
            "image_sha256": sha256,
            "seed": event.seed,
            "width": size[0],
            "height": size[1],
            "native_width": event.native_width,
            "native_height": event.native_height,
            "notes": list(event.notes),
            "tools": list(event.tools),
            "verdict": None if event.verdict is None else msgspec.to_builtins(event.verdict),
        }
        held.images.append(drawn)

    def _fail(self, desk: Desk, held: Held, error: LinocutError, device_seconds: float = 0.0) -> None:
        """The job ends. One whose custom model has lost its weights takes the model out of use with it."""
        adapter = getattr(held.order, "adapter", None)
        weights = [lost for lost in held.lost if adapter is not None and lost.details["sha256"] == adapter.sha256]
        said = availability.unavailable() if weights else error

        def fail(tx: Connection) -> None:
            queue.fail(tx, held.job.job_id, held.job.lease_token, said)
            ledger.failed(tx, held.job.job_id, device_seconds)
            for lost in weights:
                availability.lost(tx, lost.details["sha256"], lost.details["how"])

        desk.writer.write(held, fail)
        desk.end(held, "failed", said)


def _finish(tx: Connection, held: Held, data: dict[str, Any], device_seconds: float) -> None:
    """The rows of the drawn images, the end of their job and what it is charged, together."""
    job = held.job
    queue.require_lease(tx, job.job_id, job.lease_token)
    moment = ids.now()
    shown = [drawn for drawn in held.images if drawn["image_id"] is not None]
    if shown:
        of_all = {
            "job_id": job.job_id,
            "created_at": moment,
            "organization_id": job.organization_id,
            "user_id": job.user_id,
            "base": held.order.base,
            **drawings.found_by(tx, job.job_id),
        }
        tx.execute(insert(images), [of_all | _row(drawn) for drawn in shown])
    result = {**data, "images": [_told(drawn) for drawn in held.images]}
    queue.finish(tx, job.job_id, job.lease_token, result)
    ledger.charge(tx, job.job_id, device_seconds)


def _size_of(png: bytes) -> tuple[int | None, int | None]:
    """Width and height, as a PNG's first chunk tells them; None of what is no PNG."""
    return struct.unpack(">II", png[16:24]) if png[:8] == _PNG and len(png) >= 24 else (None, None)


def _row(drawn: dict[str, Any]) -> dict[str, Any]:
    """What an image's own row says of it; ``details`` is what stays of the job's result when the job is gone."""
    own = {name: drawn[name] for name in ("image_id", "image_sha256", "seed", "width", "height")}
    return own | {"details": _told(drawn)}


def _told(drawn: dict[str, Any]) -> dict[str, Any]:
    """What the job's result says of an image; notes, tools and a verdict where there are any."""
    told, some = ("image_id", "seed", "native_width", "native_height"), ("notes", "tools", "verdict")
    return {name: drawn[name] for name in told} | {name: drawn[name] for name in some if drawn[name]}
