"""Identifiers, times and seeds: the three small things that every room must write the same way."""

import base64
import secrets
import uuid
from datetime import UTC, datetime

MAX_SEED = 2**31 - 1


def new_id() -> str:
    """A fresh id: 22 characters of URL-safe base64, a random UUID without its padding.

    Never one that begins with a hyphen: typed after a verb, a shell's user would have given an option.
    """
    while (made := base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()).startswith("-"):
        pass
    return made


def new_seed() -> int:
    """A random seed in 0..2**31-1, for a request that names none; the caller records it."""
    return secrets.randbelow(MAX_SEED + 1)


def now() -> datetime:
    """The present moment, in UTC, with microseconds."""
    return datetime.now(UTC)


def wire_time(moment: datetime) -> str:
    """A time as clients read it: ``2000-01-23T04:56:07+00:00``. A naive time is taken as UTC."""
    if moment.tzinfo is not UTC and moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    # A third of what isoformat costs, which writes the zone slowly; a model that is read has four times in it.
    parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return "%04d-%02d-%02dT%02d:%02d:%02d+00:00" % parts  # noqa: UP031  # half of what an f-string costs
