"""Which delivery each kind of order has (``orders/kinds.py``)."""

from linocut.orders import Order, kind_of
from linocut.workers.answers import Answers
from linocut.workers.delivery import Delivery
from linocut.workers.runs import Runs

DELIVERIES: dict[str, Delivery] = {
    "generate": Answers(), "edit": Answers(), "upscale": Answers(), "keyed": Answers(), "cutout": Answers(),
    "describe": Answers(), "write": Answers(), "layerize": Answers(),
    "train": Runs(),
}  # fmt: skip
"""By the kind's name in ``orders.KINDS``."""


def delivery_of(order: Order) -> Delivery:
    """How a worker writes what becomes of this order."""
    return DELIVERIES[kind_of(order).name]
