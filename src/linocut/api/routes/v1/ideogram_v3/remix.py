"""/v1/ideogram-v3/remix: one to eight images from a picture and a prompt."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import generate
from linocut.api.intake import take_picture
from linocut.api.looks import check_asked, with_look
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import over_picture, remix_v3
from linocut.api.translate.images import answer_v3
from linocut.generation.types import GenerateAsk, Over
from linocut.wire import ImageGenerationResponseV3, RemixImageRequestV3


async def take(call: Call, request: RemixImageRequestV3) -> GenerateAsk:
    """The picture and those of its look, stored."""
    ask = remix_v3(request)
    check_asked(call, ask, request)
    image = await take_picture(call, "image", request.image)
    return over_picture(await with_look(call, ask, request), Over("remix", image, request.image_weight))


POST = Operation(
    "post_remix_image_v3", "Remix a picture with a prompt", "generate", Draws(generate, answer_v3, take),
    body=RemixImageRequestV3, encodings=(MULTIPART,), answer=ImageGenerationResponseV3, refusals=(403,),
)  # fmt: skip
