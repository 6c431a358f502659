"""Orders to JSON text and back: what a job row holds."""

from typing import Any

import msgspec

from linocut.orders.types import GenerateOrder, Order, TrainOrder

_DECODER: msgspec.json.Decoder[Order] = msgspec.json.Decoder(GenerateOrder | TrainOrder)

_SAMPLING = ("steps", "guidance", "mu", "std")


def order_to_json(order: Order) -> str:
    """The order as JSON text."""
    return msgspec.json.encode(order).decode()


def order_from_json(text: str) -> Order:
    """The order that ``order_to_json`` wrote; ``msgspec.ValidationError`` for anything else."""
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError:
        earlier = msgspec.json.decode(text)
        if not isinstance(earlier, dict):
            raise
        return msgspec.convert(_of_today(earlier), GenerateOrder | TrainOrder)


def _of_today(order: dict[str, Any]) -> dict[str, Any]:
    """An order of version 0.1, whose sampling lay flat in it, as it is written today: it may still be in a job row."""
    name, prefix = ("preview_sampling", "preview_") if order.get("type") == "train" else ("sampling", "")
    flat = {key: order.get(f"{prefix}{key}") for key in _SAMPLING}
    rest = {key: value for key, value in order.items() if key not in {f"{prefix}{one}" for one in _SAMPLING}}
    return {**rest, name: order.get(name, flat)}
