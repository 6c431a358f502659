"""Place a describe order: a picture is looked at, nothing is drawn."""

from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import Connection

from linocut.accounts.types import Caller
from linocut.generation.admission import Request, admitted
from linocut.generation.charging import DESCRIPTION
from linocut.generation.types import Means, Placed
from linocut.jobs.types import JobInput
from linocut.ledger.types import Charge
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
    first_of: Charge | None = None
    """What the request is sold as that this is the first job of; None: the description is the request."""


def place(tx: Connection, caller: Caller, ask: DescribeAsk, means: Means) -> Placed:
    """Queue it. Errors: those of ``admitted``."""
    picture = ask.picture
    order = DescribeOrder(
        base=means.base.identity,
        organization_id=caller.organization_id,
        picture=PictureRef(sha256=picture.sha256, width=picture.width, height=picture.height),
        places=ask.places,
        describer=cast(Literal["embedded", "endpoint"], means.settings.describer),
    )
    charge, is_stage = ask.first_of or DESCRIPTION, ask.first_of is not None
    request = Request(caller, charge, inputs=ask.inputs, is_stage=is_stage)
    job_id = admitted(tx, order, request, means.settings)
    size = picture.width, picture.height
    return Placed(job_id, "", *size, (), size, size, picture.notes + ask.notes)
