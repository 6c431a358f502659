"""Orders to JSON text and back: what a job row holds."""

from functools import lru_cache, reduce
from operator import or_
from typing import Any

import msgspec

from linocut.orders.kinds import KINDS
from linocut.orders.types import Order

_SAMPLING = ("steps", "guidance", "mu", "std")


def order_to_json(order: Order) -> str:
    """The order as JSON text."""
    return msgspec.json.encode(order).decode()


def order_from_json(text: str) -> Order:
    """The order that ``order_to_json`` wrote; ``msgspec.ValidationError`` for anything else."""
    decoder = _decoder(tuple(kind.order for kind in KINDS.values()))
    try:
        return decoder.decode(text)
    except msgspec.ValidationError:
        earlier = msgspec.json.decode(text)
        if not isinstance(earlier, dict):
            raise
        return decoder.decode(msgspec.json.encode(_of_today(earlier)))


@lru_cache(maxsize=4)
def _decoder(kinds: tuple[type[Order], ...]) -> msgspec.json.Decoder[Order]:
    union: Any = reduce(or_, kinds)
    return msgspec.json.Decoder(union)


def _of_today(order: dict[str, Any]) -> dict[str, Any]:
    """An order of version 0.1, whose sampling lay flat in it, as it is written today: it may still be in a job row."""
    name, prefix = ("preview_sampling", "preview_") if order.get("type") == "train" else ("sampling", "")
    flat = {key: order.get(f"{prefix}{key}") for key in _SAMPLING}
    rest = {key: value for key, value in order.items() if key not in {f"{prefix}{one}" for one in _SAMPLING}}
    return {**rest, name: order.get(name, flat)}
