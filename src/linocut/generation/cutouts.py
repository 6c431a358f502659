"""Place a cutout order: a picture's object is cut out of it. No seed, no prompt, no model; one place in flight."""

from dataclasses import dataclass

from sqlalchemy import Connection

from linocut.accounts.types import Caller
from linocut.generation.admission import Request, admitted
from linocut.generation.charging import CUTOUT
from linocut.generation.detection import as_organized
from linocut.generation.types import Means, Placed
from linocut.jobs.types import JobInput
from linocut.orders import CutoutOrder, PictureRef
from linocut.pictures.intake import StoredPicture


@dataclass(frozen=True)
class CutoutAsk:
    """A picture whose object is asked for, and it again as what the job works on."""

    picture: StoredPicture
    inputs: tuple[JobInput, ...]


def place_cutout(tx: Connection, caller: Caller, ask: CutoutAsk, means: Means) -> Placed:
    """Queue it. Errors: those of ``admitted``."""
    one = ask.picture
    size = one.width, one.height
    order = CutoutOrder(
        base=means.base.identity,
        organization_id=caller.organization_id,
        picture=PictureRef(sha256=one.sha256, width=one.width, height=one.height),
        matting=means.settings.matter,
    )
    job_id = admitted(tx, order, Request(caller, CUTOUT, inputs=ask.inputs), means.settings)
    return Placed(job_id, "", *size, (), size, size, as_organized(tx, caller, one.notes))
