"""/images/{image_id}: one that was drawn; delete it."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.translate.gallery import drawn_image
from linocut.generation import drawings
from linocut.wire import DrawnImage


def get(call: Call, tx: Connection) -> DrawnImage:
    """One image, with what asked for it."""
    return drawn_image(call, drawings.one(tx, call.caller, call.path["image_id"]))


def delete(call: Call, _ask: None, tx: Connection) -> None:
    """Delete an image: no list has it and no link leads to it from now on."""
    drawings.remove(tx, call.caller, call.path["image_id"])


GET = Operation(
    "get_drawn_image", "Get an image and what asked for it", "images", Reads(get), answer=DrawnImage, refusals=(404,),
    ours=True,
)  # fmt: skip
DELETE = Operation(
    "delete_image", "Delete an image", "images", Writes(delete), refusals=(404,), ours=True,
)  # fmt: skip
