"""One line in the log when a job starts, and one when it ends: ids, numbers and the outcome; no word of an order."""

import time
from typing import Any

from linocut.errors import Cancelled, LinocutError
from linocut.jobs.types import LeasedJob
from linocut.observe import log
from linocut.orders import Order, kind_of


def started(job: LeasedJob, order: Order) -> None:
    """A worker has taken the job up."""
    log("jobs").info(
        "job started", **_facts(job, order), waited_seconds=round(job.waited_seconds, 3), attempt=job.attempts + 1
    )


def ended(
    job: LeasedJob, order: Order | None, outcome: str, taken_at: float, error: LinocutError | None = None, **more: Any
) -> None:
    """The job is out of the worker's hands. ``outcome``: done, failed, cancelled, or why another will have it.

    ``taken_at``: when it was taken up, by the monotonic clock.
    """
    if error is not None:
        outcome = "cancelled" if isinstance(error, Cancelled) else outcome
        more["code"] = error.code
    seconds = round(time.monotonic() - taken_at, 3)
    log("jobs").info("job ended", **_facts(job, order), run_seconds=seconds, outcome=outcome, **more)


def _facts(job: LeasedJob, order: Order | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "job_id": job.job_id,
        "kind": job.kind,
        "organization_id": job.organization_id,
        "user_id": job.user_id,
        "api_key_id": job.api_key_id,
        "model_id": job.model_id,
    }
    facts = {name: value for name, value in facts.items() if value is not None}
    return facts | (kind_of(order).log_facts(order) if order else {"images": job.images})
