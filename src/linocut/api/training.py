"""What the five train routes do: start a run."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.translate.trainings import train_answer
from linocut.runs import service as training
from linocut.runs.types import TrainAsk
from linocut.wire import TrainDatasetModelResponse


def start(call: Call, ask: TrainAsk, tx: Connection) -> TrainDatasetModelResponse:
    """Start a run, in the caller's transaction."""
    return train_answer(training.start(tx, call.caller, ask, call.runtime))
