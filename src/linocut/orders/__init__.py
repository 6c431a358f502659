"""What the server asks of an engine, and what the engine answers: complete, frozen, plain data.

An order knows no HTTP, no SQL and no torch. Nothing in it is optional: whoever places it decides everything.
Pictures and adapters are named by content hash; the engine is handed a function that turns a hash into bytes.
"""

from linocut.orders.codec import order_from_json, order_to_json
from linocut.orders.events import (
    Answered,
    CheckpointCompared,
    CheckpointScored,
    Event,
    Failed,
    GenerateFinished,
    ImageDrawn,
    Last,
    PhaseChanged,
    PreviewDrawn,
    TrainFinished,
    TrainProgress,
)
from linocut.orders.kinds import KINDS, OrderKind, kind_of
from linocut.orders.types import (
    AdapterRef,
    CutoutOrder,
    DescribeOrder,
    EditOrder,
    GenerateOrder,
    KeyedOrder,
    LayerizeOrder,
    Order,
    PictureRef,
    Placement,
    PreviewPrompt,
    Refill,
    TrainOrder,
    TrainSample,
    UpscaleOrder,
    WriteOrder,
)

__all__ = [
    "KINDS",
    "AdapterRef",
    "Answered",
    "CheckpointCompared",
    "CheckpointScored",
    "CutoutOrder",
    "DescribeOrder",
    "EditOrder",
    "Event",
    "Failed",
    "GenerateFinished",
    "GenerateOrder",
    "ImageDrawn",
    "KeyedOrder",
    "Last",
    "LayerizeOrder",
    "Order",
    "OrderKind",
    "PhaseChanged",
    "PictureRef",
    "Placement",
    "PreviewDrawn",
    "PreviewPrompt",
    "Refill",
    "TrainFinished",
    "TrainOrder",
    "TrainProgress",
    "TrainSample",
    "UpscaleOrder",
    "WriteOrder",
    "kind_of",
    "order_from_json",
    "order_to_json",
]
