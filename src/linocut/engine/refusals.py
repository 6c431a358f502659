"""The sentences with which an engine ends an order that it cannot or may not finish. Imports no torch."""

from linocut.errors import Cancelled, InvalidRequest, RunFailed


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


def lost_picture() -> RunFailed:
    """A file of the request is gone from the store."""
    return RunFailed("A picture of this request is no longer stored; send the request again.")


def no_object() -> InvalidRequest:
    """A picture whose ground is to be replaced, and in which no object stands out."""
    return InvalidRequest(
        "image: No object stands out from its ground, so it cannot be told what to keep. Send the picture with a "
        "transparent ground, or use inpaint with a mask.",
        field="image",
    )
