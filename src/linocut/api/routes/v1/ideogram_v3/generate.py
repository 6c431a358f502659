"""/v1/ideogram-v3/generate."""

from starlette.responses import Response

from linocut.api.call import Call, answer
from linocut.api.drawing import drawn
from linocut.api.operation import JSON, MULTIPART, Operation
from linocut.api.translate.asks import V3_PATH, ask_v3
from linocut.api.translate.images import answer_v3
from linocut.wire import GenerateImageRequestV3, ImageGenerationResponseV3


async def generate(call: Call) -> Response:
    """Draw one to eight images."""
    ask = ask_v3((await call.fields()).values)
    done = await drawn(call, ask)
    return answer(answer_v3(done, with_custom_model=ask.custom_model_uri is not None))


OPERATIONS = (
    Operation(
        "POST", V3_PATH, "post_generate_image_v3", "Generate images from a prompt", generate, "generate",
        body=GenerateImageRequestV3, encodings=(MULTIPART, JSON), answer=ImageGenerationResponseV3,
        refusals=(400, 402, 404, 413, 422, 429, 503),
    ),
)  # fmt: skip
