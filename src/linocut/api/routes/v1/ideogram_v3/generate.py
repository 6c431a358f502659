"""/v1/ideogram-v3/generate: one to eight images."""

from linocut.api.body import JSON, MULTIPART
from linocut.api.drawing import generate
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import ask_v3
from linocut.api.translate.images import answer_v3
from linocut.wire import GenerateImageRequestV3, ImageGenerationResponseV3

POST = Operation(
    "post_generate_image_v3", "Generate images from a prompt", "generate", Draws(generate, answer_v3), ask=ask_v3,
    body=GenerateImageRequestV3, encodings=(MULTIPART, JSON), answer=ImageGenerationResponseV3,
)  # fmt: skip
