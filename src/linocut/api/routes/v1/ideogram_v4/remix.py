"""/v1/ideogram-v4/remix: one image from a picture and an instruction."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import generate
from linocut.api.intake import take_picture
from linocut.api.looks import check_asked
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import over_picture, remix_v4
from linocut.api.translate.images import answer_v4
from linocut.generation.types import GenerateAsk, Over
from linocut.wire import ImageGenerationResponseV4, RemixImageRequestV4
from linocut.wire.types import Nothing


async def take(call: Call, request: RemixImageRequestV4) -> GenerateAsk:
    """The picture, stored."""
    ask = remix_v4(request)
    check_asked(call, ask)
    image = await take_picture(call, "image", request.image)
    weight = None if isinstance(request.image_weight, Nothing) else request.image_weight
    return over_picture(ask, Over("remix", image, weight))


POST = Operation(
    "post_remix_image_v4", "Remix a picture by an instruction", "generate", Draws(generate, answer_v4, take),
    body=RemixImageRequestV4, encodings=(MULTIPART,), answer=ImageGenerationResponseV4,
)  # fmt: skip
