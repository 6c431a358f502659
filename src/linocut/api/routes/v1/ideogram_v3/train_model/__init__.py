"""/v1/ideogram-v3/train-model."""

from linocut.api.operation import Operation, Writes
from linocut.api.training import start
from linocut.api.translate.trainings import ask_v3
from linocut.wire import TrainDatasetModelResponse, TrainModelV3Request

POST = Operation(
    "train_model_v3", "Train a custom model by the base's own recipe", "models", Writes(start), ask=ask_v3,
    body=TrainModelV3Request, answer=TrainDatasetModelResponse, refusals=(402, 404),
)  # fmt: skip
