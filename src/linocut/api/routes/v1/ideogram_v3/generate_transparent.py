"""/v1/ideogram-v3/generate-transparent: one to eight images with a transparent ground."""

from linocut.api.body import JSON, MULTIPART
from linocut.api.drawing import generate
from linocut.api.operation import Draws, Operation
from linocut.api.translate.cutouts import transparent_v3
from linocut.api.translate.images import answer_v3
from linocut.wire import GenerateTransparentImageRequestV3, ImageGenerationResponseV3

POST = Operation(
    "post_generate_image_v3_transparent", "Generate images with a transparent ground", "generate",
    Draws(generate, answer_v3), ask=transparent_v3, body=GenerateTransparentImageRequestV3,
    encodings=(MULTIPART, JSON), answer=ImageGenerationResponseV3,
)  # fmt: skip
