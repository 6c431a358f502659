"""/v1/ideogram-v3/edit: the older name of inpaint."""

from linocut.api.body import MULTIPART
from linocut.api.drawing import generate
from linocut.api.operation import Draws, Operation
from linocut.api.routes.v1.ideogram_v3.inpaint import take
from linocut.api.translate.images import answer_v3
from linocut.wire import EditImageRequestV3, ImageGenerationResponseV3

POST = Operation(
    "post_edit_image_v3", "Repaint a part of a picture (now called inpaint)", "generate",
    Draws(generate, answer_v3, take), body=EditImageRequestV3, encodings=(MULTIPART,),
    answer=ImageGenerationResponseV3,
)  # fmt: skip
