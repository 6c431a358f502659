"""Place a cutout order: a picture's object is cut out of it. No seed, no prompt, no model; one place in flight."""

from dataclasses import dataclass

from sqlalchemy import Connection

from linocut.accounts.types import Caller
from linocut.generation.service import check_in_flight
from linocut.generation.types import Means, Placed
from linocut.jobs import queue
from linocut.jobs.types import JobInput
from linocut.orders import CutoutOrder, PictureRef
from linocut.pictures.intake import StoredPicture


@dataclass(frozen=True)
class CutoutAsk:
    """A picture whose object is asked for, and it again as what the job works on."""

    picture: StoredPicture
    inputs: tuple[JobInput, ...]


def place_cutout(tx: Connection, caller: Caller, ask: CutoutAsk, means: Means) -> Placed:
    """Queue it. ``TooManyInFlight``."""
    check_in_flight(tx, caller, 1, means.settings)
    one = ask.picture
    size = one.width, one.height
    order = CutoutOrder(
        base=means.base.identity,
        organization_id=caller.organization_id,
        picture=PictureRef(sha256=one.sha256, width=one.width, height=one.height),
        matting=means.settings.matter,
    )
    job_id = queue.place(tx, order, user_id=caller.user_id, api_key_id=caller.api_key_id, inputs=ask.inputs)
    return Placed(job_id, "", *size, (), size, size, one.notes)
