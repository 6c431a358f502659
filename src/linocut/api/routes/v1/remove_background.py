"""/v1/remove-background: the object of a picture, cut out."""

from sqlalchemy import Connection

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.intake import take_picture
from linocut.api.operation import Draws, Operation
from linocut.api.translate.cutouts import answer_cutout, cutout_of
from linocut.generation.cutouts import CutoutAsk, place_cutout
from linocut.generation.types import Placed
from linocut.wire import RemoveBackgroundRequest, RemoveBackgroundResponse


async def take(call: Call, request: RemoveBackgroundRequest) -> CutoutAsk:
    """The picture, stored, with the transparency that it has."""
    return cutout_of(request, await take_picture(call, "image", request.image, keep_alpha=True))


def place(call: Call, ask: CutoutAsk, tx: Connection) -> Placed:
    """Queue the cut."""
    return place_cutout(tx, call.caller, ask, call.runtime)


POST = Operation(
    "post_remove_background", "Cut the object out of a picture", "generate", Draws(place, answer_cutout, take),
    body=RemoveBackgroundRequest, encodings=(MULTIPART,), answer=RemoveBackgroundResponse,
)  # fmt: skip
