"""What the owner of a run that cannot go on is told: what happened, on which picture, and what to do."""

from linocut.engine.training.checkpoint import Trouble
from linocut.engine.training.examples import picture_details
from linocut.engine.training.plan import trained_samples
from linocut.errors import RunFailed
from linocut.orders import TrainOrder


def not_finite(order: TrainOrder, trouble: Trouble, before: Trouble | None) -> RunFailed:
    """A loss or gradient was no finite number, and going back (for ``before``) has been tried or cannot help."""
    again = ""
    if before is not None and before.label != trouble.label:
        again = f", after going back with half the learning rate once already because of {before.label}"
    elif before is not None:
        again = ", again after going back once with half the learning rate"
    return RunFailed(
        f"Training stopped at step {trouble.step + 1}: the {trouble.what} on {trouble.label} was not a finite number"
        f"{again}. Train with a lower learning_rate than {order.learning_rate:g}; if that does not help, look at that "
        "picture and its caption and remove it from the dataset.",
        **picture_details(order, trouble.position - 1),
    )


def no_room_to_train(step: int) -> RunFailed:
    """The device has no room for step ``step`` + 1 even on the most careful plan."""
    return RunFailed(
        f"Training stopped at step {step + 1}: the device ran out of memory although it took one picture at a time and "
        "recomputed what it could. Train with a lower lora_rank, or ask the server's operator for more memory "
        "(LINOCUT_ENGINE_MEMORY_MIB)."
    )


def disk_failed(disk: OSError) -> RunFailed:
    """The run's own files could not be written or read; no path reaches the owner."""
    return RunFailed(
        f"The server could not store the run ({disk.strerror or 'disk error'}). Ask its operator to look at the disk, "
        "then train again."
    )


def check_order(order: TrainOrder) -> None:
    """``RunFailed`` for an order that no run can carry out; whoever places orders should not place such a one."""
    positive = {
        "steps": order.steps,
        "rank": order.rank,
        "batch_size": order.batch_size,
        "checkpoint_every": order.checkpoint_every,
        "preview_every": order.preview_every,
    }
    low = [name for name, value in positive.items() if value < 1]
    if low:
        raise RunFailed(f"The run cannot start: {low[0]} must be at least 1.")
    if any(index not in range(len(order.samples)) for index in order.holdout):
        raise RunFailed("The run cannot start: a picture to hold out is not in the dataset.")
    if not trained_samples(order):
        raise RunFailed("The run cannot start: no picture is left to learn from. Add pictures and train again.")
