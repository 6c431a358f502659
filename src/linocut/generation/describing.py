"""Place a describe order: a picture is looked at, nothing is drawn."""

from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import Connection

from linocut.accounts.types import Caller
from linocut.generation.service import check_in_flight
from linocut.generation.types import Means, Placed
from linocut.jobs import queue
from linocut.jobs.types import JobInput
from linocut.orders import DescribeOrder, PictureRef
from linocut.pictures.intake import StoredPicture


@dataclass(frozen=True)
class DescribeAsk:
    """A picture, stored, and what of its description is wanted: boxes, the style, tags. ``notes``: what was not taken
    of the request, a sentence each."""

    picture: StoredPicture
    inputs: tuple[JobInput, ...]
    boxes: bool = True
    style: bool = False
    tags: bool = False
    places: int = 1
    """What the request takes in the organisation's limit: more where images are drawn after it."""
    notes: tuple[str, ...] = ()


def place(tx: Connection, caller: Caller, ask: DescribeAsk, means: Means) -> Placed:
    """Queue it. It takes its places in the organisation's limit: ``TooManyInFlight``."""
    picture = ask.picture
    order = DescribeOrder(
        base=means.base.identity,
        organization_id=caller.organization_id,
        picture=PictureRef(sha256=picture.sha256, width=picture.width, height=picture.height),
        places=ask.places,
        describer=cast(Literal["embedded", "endpoint"], means.settings.describer),
    )
    check_in_flight(tx, caller, ask.places, means.settings)
    job_id = queue.place(tx, order, user_id=caller.user_id, api_key_id=caller.api_key_id, inputs=ask.inputs)
    size = picture.width, picture.height
    return Placed(job_id, "", *size, (), size, size, picture.notes + ask.notes)
