"""What a client asks of a training, and what it is told at once."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AdvancedAsk:
    """What the advanced routes let a client set; None: left out, so the default holds.

    ``training_steps`` 100..10000 in hundreds, ``lora_rank`` 64 or 128, ``ema`` between 0 and 1 (both excluded),
    ``learning_rate`` above 0, ``seed`` 0..2**31-1.
    """

    training_steps: int | None = None
    lora_rank: int | None = None
    ema: float | None = None
    learning_rate: float | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Started:
    """The answer of every train route. ``training_status`` is the model's status."""

    model_id: str
    dataset_id: str
    training_status: str
    model_name: str
