"""/v1/ideogram-v3/train-model/plan: what the training would be."""

from linocut.api.operation import Operation, Writes
from linocut.api.training import plan
from linocut.api.translate.trainings import ask_v3
from linocut.wire import TrainingPlan, TrainModelV3Request

POST = Operation(
    "plan_train_model_v3", "Say what such a training would be; start none", "models",
    Writes(plan), ask=ask_v3, body=TrainModelV3Request, answer=TrainingPlan,
    refusals=(404,), ours=True,
)  # fmt: skip
