"""/reframe: a picture, drawn on around its sides, as the older models did it."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import generate
from linocut.api.intake import take_picture
from linocut.api.looks import check_asked
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import over_picture
from linocut.api.translate.legacy import answer_legacy, reframe_legacy
from linocut.generation.types import GenerateAsk, Over
from linocut.wire import GenerateImageResponse, ReframeImageRequest


async def take(call: Call, request: ReframeImageRequest) -> GenerateAsk:
    """The picture, stored."""
    ask = reframe_legacy(request)
    ask = over_picture(ask, Over("reframe", await take_picture(call, "image_file", request.image_file)))
    check_asked(call, ask)
    return ask


POST = Operation(
    "post_reframe_image", "Draw on around a picture (older; see /v1/ideogram-v3/reframe)", "generate",
    Draws(generate, answer_legacy, take), body=ReframeImageRequest, encodings=(MULTIPART,),
    answer=GenerateImageResponse,
)  # fmt: skip
