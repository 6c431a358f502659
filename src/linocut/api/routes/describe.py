"""/describe: a picture in plain sentences."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import describe
from linocut.api.intake import inputs_of, take_picture
from linocut.api.operation import Draws, Operation
from linocut.api.translate.descriptions import answer_legacy
from linocut.generation.describing import DescribeAsk
from linocut.wire import DescribeRequest, DescribeResponse


async def take(call: Call, request: DescribeRequest) -> DescribeAsk:
    """The picture, stored."""
    picture = await take_picture(call, "image_file", request.image_file)
    version = request.describe_model_version
    notes = () if version == "V_3" else (f"describe_model_version {version}: one describer answers for all versions.",)
    return DescribeAsk(picture, inputs_of(image_file=picture), notes=notes)


POST = Operation(
    "post_describe", "Describe a picture in plain sentences", "vision", Draws(describe, answer_legacy, take),
    body=DescribeRequest, encodings=(MULTIPART,), answer=DescribeResponse,
)  # fmt: skip
