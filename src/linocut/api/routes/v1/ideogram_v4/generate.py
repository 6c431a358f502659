"""/v1/ideogram-v4/generate."""

from starlette.responses import Response

from linocut.api.call import Call, answer
from linocut.api.drawing import drawn
from linocut.api.operation import JSON, MULTIPART, Operation
from linocut.api.translate.asks import V4_PATH, ask_v4
from linocut.api.translate.images import answer_v4
from linocut.wire import GenerateImageRequestV4, ImageGenerationResponseV4


async def generate(call: Call) -> Response:
    """Draw one image."""
    return answer(answer_v4(await drawn(call, ask_v4((await call.fields()).values))))


OPERATIONS = (
    Operation(
        "POST", V4_PATH, "post_generate_image_v4", "Generate an image from a text or a structured prompt", generate,
        "generate", body=GenerateImageRequestV4, encodings=(MULTIPART, JSON), answer=ImageGenerationResponseV4,
        refusals=(400, 402, 404, 413, 422, 429, 503),
    ),
)  # fmt: skip
