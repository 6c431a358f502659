"""/edit: what a mask leaves black is drawn anew, as the older models did it."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import generate
from linocut.api.intake import take_masked
from linocut.api.looks import check_asked
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import over_picture
from linocut.api.translate.legacy import answer_legacy, edit_legacy
from linocut.generation.types import GenerateAsk, Over
from linocut.wire import EditImageRequest, GenerateImageResponse


async def take(call: Call, request: EditImageRequest) -> GenerateAsk:
    """The picture and its mask, stored."""
    ask = edit_legacy(request)
    check_asked(call, ask)
    image, mask = await take_masked(call, "image_file", request.image_file, request.mask)
    return over_picture(ask, Over("inpaint", image, mask=mask))


POST = Operation(
    "post_edit_image", "Repaint a part of a picture (older; see /v1/ideogram-v3/inpaint)", "generate",
    Draws(generate, answer_legacy, take), body=EditImageRequest, encodings=(MULTIPART,), answer=GenerateImageResponse,
)  # fmt: skip
