"""The numbers of an advanced training, as options of ``linocut train``."""

from typing import Annotated, Any

import typer

from linocut.errors import InvalidRequest
from linocut.ids import MAX_SEED

StepsOption = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=100,
        max=10_000,
        help="In hundreds. With this or any of the next five it is an advanced training: 1000 steps at rank 128 where "
        "these two are left out, the rest as the base has it.",
    ),
]
RankOption = Annotated[int | None, typer.Option("--rank", help="Rank of the LoRA: 64 or 128.")]
RateOption = Annotated[float | None, typer.Option("--learning-rate", help="Above 0.")]
EmaOption = Annotated[
    float | None, typer.Option("--ema", min=0, max=1, help="Decay of the averaged weights, between 0 and 1.")
]
BatchOption = Annotated[
    int | None,
    typer.Option("--batch-size", min=1, max=64, help="Pictures of a step. Several devices divide them."),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, max=MAX_SEED, help="Of the run: the same seed, the same model.")
]


def given(**numbers: float | None) -> dict[str, Any]:
    """Those that were given, by the client's names. What the server would refuse after the upload is refused now."""
    if numbers["lora_rank"] not in (None, 64, 128):
        raise InvalidRequest("--rank must be 64 or 128.")
    if (rate := numbers["learning_rate"]) is not None and not 0 < rate < float("inf"):
        raise InvalidRequest("--learning-rate must be above 0.")
    if numbers["training_steps"] is not None and numbers["training_steps"] % 100:
        raise InvalidRequest("--steps must be 100 to 10000, in hundreds.")
    if numbers["ema"] in (0.0, 1.0):
        raise InvalidRequest("--ema must lie between 0 and 1, both excluded.")
    return {name: value for name, value in numbers.items() if value is not None}
