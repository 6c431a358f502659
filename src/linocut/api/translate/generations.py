"""Generations that nobody waited for into the published answer: what a poll gets, and what a webhook tells."""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from linocut import ids
from linocut.api.drawing import Begun, Drawn
from linocut.api.translate.images import objects_v4
from linocut.generation.asynchronous import Generation, images_kept_for
from linocut.runtime import Runtime
from linocut.wire import GenerationExtras, GenerationResponse
from linocut.wire.types import UNSET


def remembered(begun: Begun) -> dict[str, object]:
    """What is kept of a generation beside its job, as plain data."""
    return dict(msgspec.to_builtins(begun))


def generation_response(found: Generation, runtime: Runtime, now: datetime, origin: str = "") -> GenerationResponse:
    """How a generation stands, with links that are fresh each time. ``origin``: what they start with; empty: what the
    request's own answer would have started them with."""
    drawn = _drawn(found, runtime, now, origin)
    error = UNSET if found.job.error is None else found.job.error.message
    notes = _notes(found) or UNSET
    return GenerationResponse(
        generation_id=found.generation_id,
        status="failed" if found.job.error is not None else "pending" if drawn is None else "completed",
        created=ids.wire_time(found.created_at),
        response_type=UNSET if drawn is None else "url",
        data=UNSET if drawn is None else objects_v4(drawn),
        x_linocut=UNSET if error is UNSET and notes is UNSET else GenerationExtras(error=error, notes=notes),
    )


def _drawn(found: Generation, runtime: Runtime, now: datetime, origin: str) -> Drawn | None:
    """What was drawn. Its links are good from now on, and not for longer than the images are kept."""
    if found.job.result is None or found.job.finished_at is None:
        return None
    begun = msgspec.convert(found.begun, Begun)
    hours = runtime.settings.link_hours
    kept = images_kept_for(hours, runtime.settings.image_days)
    begin = now if kept is None else min(now, found.job.finished_at + kept - timedelta(hours=hours))
    return Drawn(replace(begun, origin=origin or begun.origin), list(found.job.result["images"]), begin, runtime)


def _notes(found: Generation) -> list[str]:
    if found.webhook_error is None:
        return []
    tries = f"{found.webhook_tries} tr{'y' if found.webhook_tries == 1 else 'ies'}"
    if found.webhook_ended_at is not None:
        return [f"The webhook was given up after {tries}: {found.webhook_error}."]
    again = ids.wire_time(found.webhook_next_at)
    return [f"The webhook is not delivered after {tries}: {found.webhook_error}. The next is at {again}."]
