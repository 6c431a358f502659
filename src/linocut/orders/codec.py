"""Orders to JSON text and back: what a job row holds."""

import msgspec

from linocut.orders.types import GenerateOrder, Order, TrainOrder

_DECODER: msgspec.json.Decoder[Order] = msgspec.json.Decoder(GenerateOrder | TrainOrder)


def order_to_json(order: Order) -> str:
    """The order as JSON text."""
    return msgspec.json.encode(order).decode()


def order_from_json(text: str) -> Order:
    """The order that ``order_to_json`` wrote; ``msgspec.ValidationError`` for anything else."""
    return _DECODER.decode(text)
