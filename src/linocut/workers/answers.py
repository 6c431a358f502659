"""What somebody waits for: pictures, data, or both, told all at once when the last of it is there."""

from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from linocut import ids
from linocut.custom_models import availability
from linocut.db.tables import images
from linocut.errors import Busy, LinocutError
from linocut.jobs import queue
from linocut.jobs.types import LeasedJob
from linocut.orders import Event, Failed, ImageDrawn, Last
from linocut.runtime import Runtime
from linocut.workers.delivery import Desk
from linocut.workers.held import Held

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
            self._fail(desk, held, event.error)
        elif isinstance(event, Last):
            held.images.sort(key=lambda drawn: int(drawn["index"]))
            data = event.data()
            desk.writer.write(held, lambda tx: _finish(tx, held, data))
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
        drawn = {
            "index": event.index,
            "image_id": None if withheld else ids.new_id(),
            "image_sha256": sha256,
            "seed": event.seed,
            "native_width": event.native_width,
            "native_height": event.native_height,
            "notes": list(event.notes),
            "tools": list(event.tools),
            "verdict": None if event.verdict is None else msgspec.to_builtins(event.verdict),
        }
        held.images.append(drawn)

    def _fail(self, desk: Desk, held: Held, error: LinocutError) -> None:
        """The job ends. One whose custom model has lost its weights takes the model out of use with it."""
        adapter = getattr(held.order, "adapter", None)
        weights = [lost for lost in held.lost if adapter is not None and lost.details["sha256"] == adapter.sha256]
        said = availability.unavailable() if weights else error

        def fail(tx: Connection) -> None:
            queue.fail(tx, held.job.job_id, held.job.lease_token, said)
            for lost in weights:
                availability.lost(tx, lost.details["sha256"], lost.details["how"])

        desk.writer.write(held, fail)
        desk.end(held, "failed", said)


def _finish(tx: Connection, held: Held, data: dict[str, Any]) -> None:
    """The rows of the drawn images and the end of their job, together."""
    job = held.job
    queue.require_lease(tx, job.job_id, job.lease_token)
    moment = ids.now()
    rows = [
        {"image_id": d["image_id"], "job_id": job.job_id, "image_sha256": d["image_sha256"], "created_at": moment}
        for d in held.images
        if d["image_id"] is not None
    ]
    if rows:
        tx.execute(insert(images), rows)
    result = {**data, "images": [_told(drawn) for drawn in held.images]}
    queue.finish(tx, job.job_id, job.lease_token, result)


def _told(drawn: dict[str, Any]) -> dict[str, Any]:
    """What the job's result says of an image; notes, tools and a verdict where there are any."""
    told, some = ("image_id", "seed", "native_width", "native_height"), ("notes", "tools", "verdict")
    return {name: drawn[name] for name in told} | {name: drawn[name] for name in some if drawn[name]}
