"""/v1/ideogram-v4/train-model-advanced/plan: what the training would be."""

from linocut.api.operation import Operation, Writes
from linocut.api.training import plan
from linocut.api.translate.trainings import ask_v4
from linocut.wire import TrainingPlan, TrainModelV4AdvancedRequest

POST = Operation(
    "plan_train_model_advanced_v4", "Say what such a training would be; start none", "models",
    Writes(plan), ask=ask_v4, body=TrainModelV4AdvancedRequest, answer=TrainingPlan,
    refusals=(404,), ours=True,
)  # fmt: skip
