"""/v1/ideogram-v4/generate: one image."""

from linocut.api.body import JSON, MULTIPART
from linocut.api.drawing import generate
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import ask_v4
from linocut.api.translate.images import answer_v4
from linocut.wire import GenerateImageRequestV4, ImageGenerationResponseV4

POST = Operation(
    "post_generate_image_v4", "Generate an image from a text or a structured prompt", "generate",
    Draws(generate, answer_v4), ask=ask_v4, body=GenerateImageRequestV4, encodings=(MULTIPART, JSON),
    answer=ImageGenerationResponseV4,
)  # fmt: skip
