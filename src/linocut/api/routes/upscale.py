"""/upscale: one to eight images of twice a picture's size."""

from sqlalchemy import Connection

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.intake import take_picture
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import upscaled
from linocut.api.translate.images import answer_upscaled
from linocut.generation import upscaling
from linocut.generation.types import Placed
from linocut.generation.upscaling import UpscaleAsk
from linocut.wire import GenerateImageResponse, UpscaleImageRequest


async def take(call: Call, request: UpscaleImageRequest) -> UpscaleAsk:
    """The picture, stored."""
    return upscaled(request, await take_picture(call, "image_file", request.image_file))


def place(call: Call, ask: UpscaleAsk, tx: Connection) -> Placed:
    """The order, queued."""
    return upscaling.place(tx, call.caller, ask, call.runtime)


POST = Operation(
    "post_upscale_image", "Enlarge a picture to twice its size", "generate", Draws(place, answer_upscaled, take),
    body=UpscaleImageRequest, encodings=(MULTIPART,), answer=GenerateImageResponse, refusals=(403,),
)  # fmt: skip
