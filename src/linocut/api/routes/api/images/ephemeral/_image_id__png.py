"""/api/images/ephemeral/{image_id}.png: the pictures behind signed links.

No key is asked for: the link is the right to see it.
"""

from starlette.responses import Response

from linocut import ids
from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.stored_pictures import picture_answer
from linocut.errors import Forbidden
from linocut.generation.service import image_of
from linocut.storage.links import verify
from linocut.wire.queries import ImageQuery


async def get(call: Call) -> Response:
    """The PNG, or a WebP of the size that is asked for. The signature is checked before anything is looked up, so an
    unsigned guess learns nothing."""
    image_id = call.path["image_id"]
    expires, signature = (call.request.query_params.get(name, "") for name in ("exp", "sig"))
    if not verify(image_id, expires, signature, call.runtime.link_secret, ids.now()):
        raise Forbidden("This link has expired or was changed; ask for the image again to get a fresh one.")
    sha256 = await call.db.run_read(lambda tx: image_of(tx, image_id))
    left = max(0, int(expires) - int(ids.now().timestamp()))
    return await picture_answer(call, sha256, f"private, max-age={left}")


GET = Operation(
    "get_image", "Fetch an image by its signed link", "images", Serves(get), query=ImageQuery, has_etag=True,
    answer="image/png, image/webp", refusals=(400, 403, 404), key_needed=False, ours=True,
)  # fmt: skip
