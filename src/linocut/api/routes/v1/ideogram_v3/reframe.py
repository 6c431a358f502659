"""/v1/ideogram-v3/reframe: a picture, drawn on around its sides."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import generate
from linocut.api.intake import take_picture
from linocut.api.looks import StylesAlone, check_asked, with_look
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import over_picture
from linocut.api.translate.images import answer_v3
from linocut.api.translate.reframes import reframe_v3
from linocut.generation.types import GenerateAsk, Over
from linocut.wire import ImageGenerationResponseV3, ReframeImageRequestV3


async def take(call: Call, request: ReframeImageRequestV3) -> GenerateAsk:
    """The picture and those of its look, stored."""
    ask, pictures = reframe_v3(request), StylesAlone(request.style_reference_images)
    over = Over("reframe", await take_picture(call, "image", request.image))
    check_asked(call, over_picture(ask, over), pictures)
    return over_picture(await with_look(call, ask, pictures), over)


POST = Operation(
    "post_reframe_image_v3", "Draw on around a picture", "generate", Draws(generate, answer_v3, take),
    body=ReframeImageRequestV3, encodings=(MULTIPART,), answer=ImageGenerationResponseV3,
)  # fmt: skip
