"""/v1/ideogram-v3/inpaint: what a mask leaves black is drawn anew, the rest stays to the last bit."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import generate
from linocut.api.intake import take_masked
from linocut.api.looks import check_asked, with_look
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import inpaint_v3, over_picture
from linocut.api.translate.images import answer_v3
from linocut.generation.types import GenerateAsk, Over
from linocut.wire import EditImageRequestV3, ImageGenerationResponseV3


async def take(call: Call, request: EditImageRequestV3) -> GenerateAsk:
    """The picture, its mask, and the pictures of its look, stored."""
    ask = inpaint_v3(request)
    check_asked(call, ask, request)
    image, mask = await take_masked(call, "image", request.image, request.mask)
    return over_picture(await with_look(call, ask, request), Over("inpaint", image, mask=mask))


POST = Operation(
    "post_inpaint_image_v3", "Repaint a part of a picture", "generate", Draws(generate, answer_v3, take),
    body=EditImageRequestV3, encodings=(MULTIPART,), answer=ImageGenerationResponseV3,
)  # fmt: skip
