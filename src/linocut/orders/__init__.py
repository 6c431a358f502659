"""What the server asks of an engine, and what the engine answers: complete, frozen, plain data.

An order knows no HTTP, no SQL and no torch. Nothing in it is optional: whoever places it decides everything.
Pictures and adapters are named by content hash; the engine is handed a function that turns a hash into bytes.
"""

from linocut.orders.codec import order_from_json, order_to_json
from linocut.orders.events import (
    CheckpointScored,
    Event,
    Failed,
    GenerateFinished,
    ImageDrawn,
    PhaseChanged,
    PreviewDrawn,
    TrainFinished,
    TrainProgress,
)
from linocut.orders.types import AdapterRef, GenerateOrder, Order, PreviewPrompt, TrainOrder, TrainSample

__all__ = [
    "AdapterRef",
    "CheckpointScored",
    "Event",
    "Failed",
    "GenerateFinished",
    "GenerateOrder",
    "ImageDrawn",
    "Order",
    "PhaseChanged",
    "PreviewDrawn",
    "PreviewPrompt",
    "TrainFinished",
    "TrainOrder",
    "TrainProgress",
    "TrainSample",
    "order_from_json",
    "order_to_json",
]
