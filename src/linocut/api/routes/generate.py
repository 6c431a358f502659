"""/generate: one to eight images, as the older models drew them."""

from linocut.api.body import JSON
from linocut.api.drawing import generate
from linocut.api.operation import Draws, Operation
from linocut.api.translate.legacy import answer_legacy, generate_legacy
from linocut.wire import GenerateImageRequest, GenerateImageResponse

POST = Operation(
    "post_generate_image", "Generate images (older; see /v1/ideogram-v3/generate)", "generate",
    Draws(generate, answer_legacy), ask=generate_legacy, body=GenerateImageRequest, encodings=(JSON,),
    answer=GenerateImageResponse,
)  # fmt: skip
