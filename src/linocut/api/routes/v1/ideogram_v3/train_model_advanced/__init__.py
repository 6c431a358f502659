"""/v1/ideogram-v3/train-model-advanced."""

from linocut.api.operation import Operation, Writes
from linocut.api.training import start
from linocut.api.translate.trainings import ask_v3
from linocut.wire import TrainDatasetModelResponse, TrainModelV3AdvancedRequest

POST = Operation(
    "train_model_v3_advanced", "Train a custom model with your own numbers", "models", Writes(start), ask=ask_v3,
    body=TrainModelV3AdvancedRequest, answer=TrainDatasetModelResponse, refusals=(402, 404),
)  # fmt: skip
