"""What the proofs ask about trainings."""

from typing import Any

from tests.api.live import Account
from tests.walks.steps import finish, model, ok

TRAIN = "/v1/ideogram-v4/train-model-advanced"


def begin(account: Account, dataset_id: str, steps: int) -> tuple[str, dict[str, Any]]:
    """A training with everything fixed that chance could decide: the model's id, and what was asked."""
    body = {"dataset_id": dataset_id, "model_name": "Tea posters", "training_steps": steps, "lora_rank": 64, "seed": 5}
    return str(ok(account.http.post(TRAIN, json=body))["model_id"]), body


def step_of(account: Account, model_id: str) -> int:
    """The step that a training has reached."""
    return int(model(account, model_id)["x_linocut"].get("step") or 0)


def losses_of(account: Account, model_id: str) -> dict[str, float]:
    """The held-out loss of a run by step, and its last loss in training."""
    (run,) = model(account, model_id)["training_runs"]
    said = run["x_linocut"]
    held_out = {step: loss for step, loss in said["scores"].items() if step.isdecimal()}
    assert len(held_out) > 1
    return {**held_out, "last": said["loss"]}


def weights_of(account: Account, model_id: str) -> bytes:
    """The adapter."""
    answer = account.http.get(f"/models/{model_id}/weights")
    assert answer.status_code == 200
    return bytes(answer.content)


def trained_alone(account: Account, body: dict[str, Any]) -> str:
    """The same training again, which nobody interrupts; the model's id."""
    model_id = str(ok(account.http.post(TRAIN, json=body))["model_id"])
    assert finish(account, model_id, seconds=240)["status"] == "COMPLETED"
    return model_id
