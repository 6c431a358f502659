"""/remix: one to eight images from a picture and a prompt, as the older models drew them."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import generate
from linocut.api.intake import take_picture
from linocut.api.looks import check_asked
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import over_picture
from linocut.api.translate.legacy import answer_legacy, remix_legacy
from linocut.generation.types import GenerateAsk, Over
from linocut.wire import GenerateImageResponse, RemixImageRequest


async def take(call: Call, request: RemixImageRequest) -> GenerateAsk:
    """The picture, stored."""
    ask = remix_legacy(request)
    check_asked(call, ask)
    image = await take_picture(call, "image_file", request.image_file)
    return over_picture(ask, Over("remix", image, request.image_request.image_weight))


POST = Operation(
    "post_remix_image", "Remix a picture (older; see /v1/ideogram-v3/remix)", "generate",
    Draws(generate, answer_legacy, take), body=RemixImageRequest, encodings=(MULTIPART,),
    answer=GenerateImageResponse, refusals=(403,),
)  # fmt: skip
