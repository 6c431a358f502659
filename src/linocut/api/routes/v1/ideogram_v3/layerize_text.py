"""/v1/ideogram-v3/layerize-text: a picture's lettering as blocks of text, and the picture without it."""

from sqlalchemy import Connection

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.intake import take_picture
from linocut.api.operation import Draws, Operation
from linocut.api.translate.layers import answer_layers, layers_of, said
from linocut.generation.layers import LayersAsk, check_layers, place_layers
from linocut.generation.types import Placed
from linocut.wire import LayerizeTextRequest, LayerizeTextResponse


async def take(call: Call, request: LayerizeTextRequest) -> LayersAsk:
    """The picture, stored once the rest is right."""
    check_layers(*said(request))
    return layers_of(request, await take_picture(call, "image", request.image))


def place(call: Call, ask: LayersAsk, tx: Connection) -> Placed:
    """Queue it."""
    return place_layers(tx, call.caller, ask, call.runtime)


POST = Operation(
    "post_layerize_text_v3", "Take the lettering off a picture", "generate", Draws(place, answer_layers, take),
    body=LayerizeTextRequest, encodings=(MULTIPART,), answer=LayerizeTextResponse,
)  # fmt: skip
