"""/datasets/{dataset_id}/train_model: the older form of training."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.training import start
from linocut.api.translate.trainings import ask_older
from linocut.wire import TrainDatasetModelRequest, TrainDatasetModelResponse


def train(call: Call, ask: TrainDatasetModelRequest, tx: Connection) -> TrainDatasetModelResponse:
    """Train on the dataset of the address."""
    return start(call, ask_older(ask, call.path["dataset_id"]), tx)


POST = Operation(
    "train_dataset_model", "Train a custom model on a dataset (older form)", "datasets", Writes(train),
    body=TrainDatasetModelRequest, answer=TrainDatasetModelResponse, refusals=(402, 404),
)  # fmt: skip
