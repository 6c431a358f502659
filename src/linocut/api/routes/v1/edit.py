"""/v1/edit: a picture changed by an instruction."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.intake import inputs_of, take_link, take_pictures
from linocut.api.operation import Draws, Operation
from linocut.api.revisions import EditAsk, place, revised
from linocut.api.translate.revisions import answer_edit, edit_ask, with_references
from linocut.generation.checking import check
from linocut.wire import V1EditImagesRequest, V1EditImagesResponse
from linocut.wire.types import Nothing


async def take(call: Call, request: V1EditImagesRequest) -> EditAsk:
    """The pictures, stored; and what is on the first of them, where the base cannot look at it itself."""
    ask = edit_ask(request, call.runtime)
    check(ask, call.runtime)
    files = [] if isinstance(request.images, Nothing) else request.images
    links = [] if isinstance(request.image_urls, Nothing) else request.image_urls
    pictures = await take_pictures(call, "images", files, most=len(files))
    pictures += [await take_link(call, "image_urls", link) for link in links]
    if call.runtime.base.takes_references:
        return EditAsk(with_references(ask, pictures, inputs_of(images=pictures)), request.prompt)
    return await revised(call, ask, pictures[0])


POST = Operation(
    "post_v1_edit_image", "Change a picture by an instruction", "generate", Draws(place, answer_edit, take),
    body=V1EditImagesRequest, encodings=(MULTIPART,), answer=V1EditImagesResponse,
)  # fmt: skip
