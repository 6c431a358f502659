"""/images/{image_id}/inputs/{field}/{position}: a picture that an image was made from."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.stored_pictures import picture_answer
from linocut.errors import NotFound
from linocut.generation import drawings
from linocut.wire.queries import PictureQuery


async def get(call: Call) -> Response:
    """The PNG, as the server read it when the request came, or a WebP of the size that is asked for."""
    image_id, field, position = (call.path[name] for name in ("image_id", "field", "position"))
    if not (position.isascii() and position.isdecimal() and len(position) < 6):
        raise NotFound(drawings.NO_SUCH)
    found = await call.db.run_read(lambda tx: drawings.input_of(tx, call.caller, image_id, field, int(position)))
    return await picture_answer(call, found.picture_sha256, "private, no-cache")


GET = Operation(
    "get_image_input", "Fetch a picture that an image was made from", "images", Serves(get), has_etag=True,
    query=PictureQuery, answer="image/png, image/webp", refusals=(400, 404), ours=True,
)  # fmt: skip
