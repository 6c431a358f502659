"""/images: what was drawn."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.translate.gallery import cursor, drawn_image, wanted
from linocut.generation import drawings
from linocut.wire import ListImagesResponse
from linocut.wire.gallery import ListImagesQuery
from linocut.wire.types import UNSET


def list_all(call: Call, tx: Connection) -> ListImagesResponse:
    """A page of the images that the caller sees, newest first."""
    query = call.query(ListImagesQuery)
    which = wanted(query)
    found = drawings.listed(tx, call.caller, which, query.limit + 1)
    page = found[: query.limit]
    return ListImagesResponse(
        images=[drawn_image(call, image) for image in page],
        next_cursor=cursor(page[-1]) if len(found) > len(page) else None,
        total=drawings.counted(tx, call.caller, which) if which.after is None else UNSET,
    )


GET = Operation(
    "list_images", "List what was drawn: your own images; for admins those of the organisation", "images",
    Reads(list_all, is_long=True), query=ListImagesQuery, answer=ListImagesResponse, ours=True,
)  # fmt: skip
