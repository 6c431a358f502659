"""What each kind of order is: the one table that the queue, the workers, the engine and its twin read.

Here stand the facts. What a kind needs on other floors hangs on its name there: how the engine carries it
(``engine/carriage.py``), how a worker writes what came of it (``workers/deliveries.py``). A house test holds the
three together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from linocut.orders.types import (
    CutoutOrder,
    DescribeOrder,
    EditOrder,
    GenerateOrder,
    KeyedOrder,
    LayerizeOrder,
    Order,
    TrainOrder,
    UpscaleOrder,
    WriteOrder,
)


@dataclass(frozen=True)
class OrderKind:
    """One kind of order. Its ``name`` is the tag in its JSON text and the kind of its job.

    ``waited_for``: somebody waits for the answer. Such orders are fair between organisations, many are in hand at
    once, and one that waits under a lost lease is given up at once when it is cancelled. The others run in the
    background: the oldest first, one a worker, with at most a quarter of a device that anybody waits for.

    ``resumable``: it leaves checkpoints in a folder of its own, goes on from them after a crash, and when it is stopped
    ends with what it has. ``places``: what an order takes in its organisation's limit of work in flight.
    ``log_facts``: what the log says of it; numbers and ids, no word of anybody's.
    """

    name: str
    order: type[Order]
    waited_for: bool
    resumable: bool
    places: Callable[[Any], int]
    log_facts: Callable[[Any], dict[str, Any]]


def _facts_of_run(order: TrainOrder) -> dict[str, Any]:
    return {"run_id": order.run_id, "pictures": len(order.samples), "steps": order.steps}


KINDS: dict[str, OrderKind] = {
    kind.name: kind
    for kind in (
        OrderKind(
            name="generate",
            order=GenerateOrder,
            waited_for=True,
            resumable=False,
            places=lambda order: len(order.seeds),
            log_facts=lambda order: {"images": len(order.seeds)},
        ),
        OrderKind(
            name="edit",
            order=EditOrder,
            waited_for=True,
            resumable=False,
            places=lambda order: len(order.seeds),
            log_facts=lambda order: {"images": len(order.seeds)},
        ),
        OrderKind(
            name="upscale",
            order=UpscaleOrder,
            waited_for=True,
            resumable=False,
            places=lambda order: len(order.seeds),
            log_facts=lambda order: {"images": len(order.seeds)},
        ),
        OrderKind(
            name="describe",
            order=DescribeOrder,
            waited_for=True,
            resumable=False,
            places=lambda order: order.places,
            log_facts=lambda order: {"describer": order.describer},
        ),
        OrderKind(
            name="keyed",
            order=KeyedOrder,
            waited_for=True,
            resumable=False,
            places=lambda order: len(order.seeds),
            log_facts=lambda order: {"images": len(order.seeds)},
        ),
        OrderKind(
            name="cutout",
            order=CutoutOrder,
            waited_for=True,
            resumable=False,
            places=lambda order: 1,
            log_facts=lambda order: {"width": order.picture.width, "height": order.picture.height},
        ),
        OrderKind(
            name="layerize",
            order=LayerizeOrder,
            waited_for=True,
            resumable=False,
            places=lambda order: 1,
            log_facts=lambda order: {"width": order.picture.width, "height": order.picture.height},
        ),
        OrderKind(
            name="write",
            order=WriteOrder,
            waited_for=True,
            resumable=False,
            places=lambda order: order.places,
            log_facts=lambda order: {"revises": bool(order.caption)},
        ),
        OrderKind(
            name="train",
            order=TrainOrder,
            waited_for=False,
            resumable=True,
            places=lambda order: 0,
            log_facts=_facts_of_run,
        ),
    )
}


def kind_of(order: Order) -> OrderKind:
    """The kind of an order."""
    return KINDS[str(type(order).__struct_config__.tag)]


def is_waited_for(name: str) -> bool:
    """Whether somebody waits for jobs of this kind. Of a kind that only another version knows: no."""
    return name in KINDS and KINDS[name].waited_for


def is_resumable(name: str) -> bool:
    """Whether a job of this kind goes on where it was. Of a kind that only another version knows: no."""
    return name in KINDS and KINDS[name].resumable
