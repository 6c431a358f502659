"""/v1/ideogram-v3/replace-background: another ground behind the object of a picture."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import generate
from linocut.api.intake import take_picture
from linocut.api.looks import StylesAlone, check_asked, with_look
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import over_picture
from linocut.api.translate.cutouts import replace_v3
from linocut.api.translate.images import answer_v3
from linocut.generation.types import GenerateAsk, Over
from linocut.wire import ImageGenerationResponseV3, ReplaceBackgroundRequestV3


async def take(call: Call, request: ReplaceBackgroundRequestV3) -> GenerateAsk:
    """The picture, with the transparency that it has, and those of its look, stored."""
    ask, pictures = replace_v3(request), StylesAlone(request.style_reference_images)
    check_asked(call, ask, pictures)
    over = Over("replace-background", await take_picture(call, "image", request.image, keep_alpha=True))
    return over_picture(await with_look(call, ask, pictures), over)


POST = Operation(
    "post_replace_background_v3", "Draw another ground behind an object", "generate", Draws(generate, answer_v3, take),
    body=ReplaceBackgroundRequestV3, encodings=(MULTIPART,), answer=ImageGenerationResponseV3,
)  # fmt: skip
