"""/v1/ideogram-v4/train-model."""

from linocut.api.operation import Operation, Writes
from linocut.api.training import start
from linocut.api.translate.trainings import ask_v4
from linocut.wire import TrainDatasetModelResponse, TrainModelV4Request

POST = Operation(
    "train_model_v4", "Train a custom model by the base's own recipe", "models", Writes(start), ask=ask_v4,
    body=TrainModelV4Request, answer=TrainDatasetModelResponse, refusals=(402, 404),
)  # fmt: skip
