"""/v1/ideogram-v3/generate: one to eight images."""

from linocut.api.body import JSON, MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import generate
from linocut.api.looks import check_asked, with_look
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import ask_v3
from linocut.api.translate.images import answer_v3
from linocut.generation.types import GenerateAsk
from linocut.wire import GenerateImageRequestV3, ImageGenerationResponseV3


async def take(call: Call, request: GenerateImageRequestV3) -> GenerateAsk:
    """The pictures of its look, stored."""
    ask = ask_v3(request)
    check_asked(call, ask, request)
    return await with_look(call, ask, request)


POST = Operation(
    "post_generate_image_v3", "Generate images from a prompt", "generate", Draws(generate, answer_v3, take),
    body=GenerateImageRequestV3, encodings=(MULTIPART, JSON), answer=ImageGenerationResponseV3,
)  # fmt: skip
