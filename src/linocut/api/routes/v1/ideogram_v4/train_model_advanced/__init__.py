"""/v1/ideogram-v4/train-model-advanced."""

from linocut.api.operation import Operation, Writes
from linocut.api.training import start
from linocut.api.translate.trainings import ask_v4
from linocut.wire import TrainDatasetModelResponse, TrainModelV4AdvancedRequest

POST = Operation(
    "train_model_v4_advanced", "Train a custom model with your own numbers", "models", Writes(start), ask=ask_v4,
    body=TrainModelV4AdvancedRequest, answer=TrainDatasetModelResponse, refusals=(402, 404),
)  # fmt: skip
