"""What starts a training run, and what is answered at once.

A field that these do not know is refused: a number with a typo in its name would cost a whole training."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.types import UNSET, ModelName, Nothing, Seed


class TrainDatasetModelRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``POST /datasets/{dataset_id}/train_model``, the older form."""

    model_name: ModelName


class TrainModelV3Request(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``POST /v1/ideogram-v3/train-model``: trained by the base's own recipe."""

    dataset_id: str
    model_name: ModelName


class TrainModelV4Request(TrainModelV3Request, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/train-model``."""


class TrainModelV3AdvancedRequest(TrainModelV3Request, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/train-model-advanced``; ``seed`` is ours."""

    training_steps: Annotated[int, Meta(ge=100, le=10_000, multiple_of=100)] = 1000
    lora_rank: Literal[64, 128] = 128
    ema: Annotated[float, Meta(gt=0, lt=1)] | Nothing = UNSET
    learning_rate: Annotated[float, Meta(gt=0)] | Nothing = UNSET
    seed: Seed | Nothing = UNSET


class TrainModelV4AdvancedRequest(TrainModelV3AdvancedRequest, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/train-model-advanced``; ``seed`` is ours."""


class TrainDatasetModelResponse(msgspec.Struct, kw_only=True, frozen=True):
    """The run was accepted; ``training_status`` is the model's status (DECISIONS 20)."""

    model_id: str
    dataset_id: str
    training_status: str
    model_name: str
