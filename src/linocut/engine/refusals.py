"""The sentences with which an engine ends an order that it cannot or may not finish. Imports no torch."""

from linocut.errors import Cancelled, Internal, InvalidRequest, LinocutError, RunFailed
from linocut.orders import Order, TrainOrder


def wrong_base(asked: str, resident: str) -> InvalidRequest:
    """The order was placed for another base than the resident one."""
    return InvalidRequest(
        f"This engine holds the base {resident}, the order is for {asked}; use a model trained on the resident base, "
        "or start a worker with the other one.",
        field="custom_model_uri",
    )


def cancelled() -> Cancelled:
    """The order's owner stopped it."""
    return Cancelled("cancelled by its owner")


def damaged_adapter() -> RunFailed:
    """The adapter's bytes are not those that its name promises."""
    return RunFailed("The custom model's weights are damaged: their checksum differs; train the model again.")


def out_of_memory(order: Order) -> RunFailed:
    """A unit of ``order`` found no room on the device, alone and as sparingly as it can be run."""
    if isinstance(order, TrainOrder):
        return RunFailed(
            "The device ran out of memory while it encoded a picture or tried the adapter out. Train on another base, "
            "or ask the server's operator for more memory (LINOCUT_ENGINE_MEMORY_MIB)."
        )
    return RunFailed(
        f"The device ran out of memory while it drew {order.width} x {order.height} pixels. Ask for a smaller "
        "resolution or for fewer images, or ask the server's operator for more memory (LINOCUT_ENGINE_MEMORY_MIB)."
    )


def unknown_fault(order: Order) -> LinocutError:
    """What an owner reads after a fault that only the log explains."""
    return RunFailed() if isinstance(order, TrainOrder) else Internal()
