"""How the engine carries each kind of order (``orders/kinds.py``). Imports no torch.

To carry a new kind, write its routine and its twin, and give it a line here.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linocut.engine import fake_describe, fake_images, fake_layers, fake_training, fake_write
from linocut.engine.door import Fetch
from linocut.engine.memory import Footprint
from linocut.errors import Internal, LinocutError, RunFailed
from linocut.orders import (
    CutoutOrder,
    DescribeOrder,
    Event,
    GenerateOrder,
    LayerizeOrder,
    Order,
    TrainOrder,
    kind_of,
)

FakeRoutine = Generator[None, bool, None]
"""Yields after each step; receives whether its order was cancelled since."""


@dataclass(frozen=True)
class Carriage:
    """``weigh``: bytes that the order holds from its start to its end. ``routine``: loads the function that makes its
    routine from (order, ``routines.hands.Hands``); torch comes with it. ``fake``: the same without torch, from (order,
    key, fetch, workspace, emit).

    ``out_of_memory`` is the sentence for an order that finds no room on the device, alone and as sparingly as it can
    be run; ``unknown_fault`` the one after a fault that only the log explains.
    """

    weigh: Callable[[Footprint, Any], int]
    routine: Callable[[], Callable[[Any, Any], Any]]
    fake: Callable[[Any, str, Fetch, Path, Callable[[Event], None]], FakeRoutine]
    out_of_memory: Callable[[Any], LinocutError]
    unknown_fault: Callable[[], LinocutError]


def carriage_of(order: Order) -> Carriage:
    """How the engine carries this order."""
    return CARRIAGES[kind_of(order).name]


def _no_room_to_draw(order: GenerateOrder) -> RunFailed:
    beside = f" beside {len(order.references)} reference pictures" if order.references else ""
    fewer = "fewer reference pictures, a smaller resolution" if order.references else "a smaller resolution"
    return RunFailed(
        f"The device ran out of memory while it drew {order.width} x {order.height} pixels{beside}. Ask for {fewer} "
        "or for fewer images, or ask the server's operator for more memory (LINOCUT_ENGINE_MEMORY_MIB)."
    )


def _no_room_to_look(order: DescribeOrder) -> RunFailed:
    return RunFailed(
        f"Memory ran out while a picture of {order.picture.width} x {order.picture.height} pixels was looked at. Send "
        "a smaller one."
    )


def _no_room_to_cut(order: CutoutOrder) -> RunFailed:
    return RunFailed(
        f"There was no memory left to cut a picture of {order.picture.width} x {order.picture.height} pixels out. "
        "Scale it down, or ask the server's operator for more memory."
    )


def _no_room_for_layers(order: LayerizeOrder) -> RunFailed:
    return RunFailed(
        f"There was no memory left to take the lettering off a picture of {order.picture.width} x "
        f"{order.picture.height} pixels. Scale it down, or ask the server's operator for more memory."
    )


def _no_room_for_run(order: TrainOrder) -> RunFailed:
    del order
    return RunFailed(
        "The device ran out of memory while it encoded a picture or tried the adapter out. Train on another base, "
        "or ask the server's operator for more memory (LINOCUT_ENGINE_MEMORY_MIB)."
    )


def _generate() -> Callable[[Any, Any], Any]:
    from linocut.engine.routines.generate import generate

    return generate


def _edit() -> Callable[[Any, Any], Any]:
    from linocut.engine.routines.edit import edit

    return edit


def _upscale() -> Callable[[Any, Any], Any]:
    from linocut.engine.routines.upscale import upscale

    return upscale


def _describe() -> Callable[[Any, Any], Any]:
    from linocut.engine.routines.describe import describe

    return describe


def _keyed() -> Callable[[Any, Any], Any]:
    from linocut.engine.routines.keyed import keyed

    return keyed


def _cutout() -> Callable[[Any, Any], Any]:
    from linocut.engine.routines.cutout import cutout

    return cutout


def _layerize() -> Callable[[Any, Any], Any]:
    from linocut.engine.routines.layerize import layerize

    return layerize


def _write() -> Callable[[Any, Any], Any]:
    from linocut.engine.routines.write import write

    return write


def _train() -> Callable[[Any, Any], Any]:
    from linocut.engine.training.likeness import Comparison
    from linocut.engine.training.run import train

    return lambda order, hands: train(
        order,
        hands.key,
        hands.family,
        hands.fetch,
        hands.workspace,
        hands.emit,
        on=hands.on,
        careful=hands.careful,
        comparison=Comparison(order, hands.fetch) if hands.compares else None,
        give_back=hands.give_back,
        together=hands.together,
    )


CARRIAGES: dict[str, Carriage] = {
    "generate": Carriage(
        weigh=Footprint.of_images,
        routine=_generate,
        fake=fake_images.generate,
        out_of_memory=_no_room_to_draw,
        unknown_fault=Internal,
    ),
    "edit": Carriage(
        weigh=Footprint.of_edited_images,
        routine=_edit,
        fake=fake_images.edit,
        out_of_memory=_no_room_to_draw,
        unknown_fault=Internal,
    ),
    "upscale": Carriage(
        weigh=Footprint.of_upscaled_images,
        routine=_upscale,
        fake=fake_images.upscale,
        out_of_memory=_no_room_to_draw,
        unknown_fault=Internal,
    ),
    "describe": Carriage(
        weigh=Footprint.of_looking,
        routine=_describe,
        fake=fake_describe.describe,
        out_of_memory=_no_room_to_look,
        unknown_fault=Internal,
    ),
    "keyed": Carriage(
        weigh=Footprint.of_keyed_images,
        routine=_keyed,
        fake=fake_images.keyed,
        out_of_memory=_no_room_to_draw,
        unknown_fault=Internal,
    ),
    "cutout": Carriage(
        weigh=Footprint.of_cutout,
        routine=_cutout,
        fake=fake_images.cutout,
        out_of_memory=_no_room_to_cut,
        unknown_fault=Internal,
    ),
    "layerize": Carriage(
        weigh=Footprint.of_layers,
        routine=_layerize,
        fake=fake_layers.layerize,
        out_of_memory=_no_room_for_layers,
        unknown_fault=Internal,
    ),
    "write": Carriage(
        weigh=Footprint.of_writing,
        routine=_write,
        fake=fake_write.write,
        out_of_memory=lambda order: Internal(),
        unknown_fault=Internal,
    ),
    "train": Carriage(
        weigh=Footprint.of_run,
        routine=_train,
        fake=fake_training.train,
        out_of_memory=_no_room_for_run,
        unknown_fault=RunFailed,
    ),
}
"""By the kind's name in ``orders.KINDS``."""
