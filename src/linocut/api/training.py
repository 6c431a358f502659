"""What the train routes do: start a run, or say what it would be."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.translate.trainings import plan_answer, train_answer
from linocut.runs import service as training
from linocut.runs.planning import plan as planned
from linocut.runs.types import TrainAsk
from linocut.wire import TrainDatasetModelResponse, TrainingPlan


def start(call: Call, ask: TrainAsk, tx: Connection) -> TrainDatasetModelResponse:
    """Start a run, in the caller's transaction."""
    return train_answer(training.start(tx, call.caller, ask, call.runtime))


def plan(call: Call, ask: TrainAsk, tx: Connection) -> TrainingPlan:
    """Say what a run of this ask would be."""
    found = planned(tx, call.caller, ask, call.runtime, call.runtime.base_folder)
    return plan_answer(ask, call.runtime.base.identity, found)
