"""The states of a custom model and of its run, and the moves between them, purely. No state is ever left backwards."""

from typing import Literal

ModelStatus = Literal["CREATING", "TRAINING", "COMPLETED", "ERRORED", "ARCHIVED"]
RunStatus = Literal["PREPARING_DATA", "QUEUED", "TRAINING", "FINALIZING", "COMPLETED", "FAILED"]

MODEL_STATUSES: tuple[ModelStatus, ...] = ("CREATING", "TRAINING", "COMPLETED", "ERRORED", "ARCHIVED")
RUN_STATUSES: tuple[RunStatus, ...] = ("PREPARING_DATA", "QUEUED", "TRAINING", "FINALIZING", "COMPLETED", "FAILED")

MODEL_MOVES: dict[str, frozenset[str]] = {
    "CREATING": frozenset({"TRAINING", "COMPLETED", "ERRORED"}),
    "TRAINING": frozenset({"COMPLETED", "ERRORED"}),
    "COMPLETED": frozenset({"ARCHIVED"}),
    "ERRORED": frozenset({"ARCHIVED"}),
    "ARCHIVED": frozenset(),
}

RUN_MOVES: dict[str, frozenset[str]] = {
    "PREPARING_DATA": frozenset({"QUEUED", "TRAINING", "FINALIZING", "COMPLETED", "FAILED"}),
    "QUEUED": frozenset({"TRAINING", "FINALIZING", "COMPLETED", "FAILED"}),
    "TRAINING": frozenset({"FINALIZING", "COMPLETED", "FAILED"}),
    "FINALIZING": frozenset({"COMPLETED", "FAILED"}),
    "COMPLETED": frozenset(),
    "FAILED": frozenset(),
}
"""A run may skip a phase (one cancelled while it waits, one so short that nobody saw it), never repeat one."""

MODEL_OF_RUN: dict[str, ModelStatus] = {
    "PREPARING_DATA": "CREATING",
    "QUEUED": "CREATING",
    "TRAINING": "TRAINING",
    "FINALIZING": "TRAINING",
    "COMPLETED": "COMPLETED",
    "FAILED": "ERRORED",
}
"""The state a model is in (or beyond: ARCHIVED) when its run is in the one named."""


def moved_model(current: str, wanted: str) -> str:
    """The model's state after a report of ``wanted``: ``wanted`` where the move is legal, else ``current``.

    A resumed run reports phases that were reported before its crash; they must leave no trace.
    """
    return wanted if wanted in MODEL_MOVES[current] else current


def moved_run(current: str, wanted: str) -> str:
    """The run's state after a report of ``wanted``: ``wanted`` where the move is legal, else ``current``."""
    return wanted if wanted in RUN_MOVES[current] else current


def is_final_model(status: str) -> bool:
    """True once no training can change the model any more."""
    return status in {"COMPLETED", "ERRORED", "ARCHIVED"}


def is_final_run(status: str) -> bool:
    """True for COMPLETED and FAILED."""
    return not RUN_MOVES[status]
