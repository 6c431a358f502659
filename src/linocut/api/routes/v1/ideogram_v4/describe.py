"""/v1/ideogram-v4/describe: the structured prompt of a picture."""

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import describe
from linocut.api.intake import inputs_of, take_picture
from linocut.api.operation import Draws, Operation
from linocut.api.translate.descriptions import answer_v4
from linocut.generation.describing import DescribeAsk
from linocut.wire import DescribeRequestV4, DescribeResponseV4


async def take(call: Call, request: DescribeRequestV4) -> DescribeAsk:
    """The picture, stored."""
    picture = await take_picture(call, "image_file", request.image_file)
    return DescribeAsk(
        picture,
        inputs_of(image_file=picture),
        boxes=request.include_bbox,
        style=request.include_style_descriptions,
        tags=request.include_tags,
    )


POST = Operation(
    "post_describe_v4", "Write the structured prompt of a picture", "vision", Draws(describe, answer_v4, take),
    body=DescribeRequestV4, encodings=(MULTIPART,), answer=DescribeResponseV4,
)  # fmt: skip
