"""A training is told what its dataset is of, over HTTP: in the plan and in the run."""

from typing import Any

import pytest
from tests.api.live import Account, Live
from tests.walks.steps import fill, ok
from typer.testing import CliRunner

from linocut.cli.main import command_line
from linocut.client import Client

KIND = {"x_linocut": {"dataset_kind": "style"}}


def test_the_kind_is_in_the_plan_and_in_the_run(account: Account) -> None:
    dataset_id = fill(account)
    body: dict[str, Any] = {"dataset_id": dataset_id, "model_name": "Kinds of things", **KIND}
    plan = ok(account.http.post("/v1/ideogram-v3/train-model/plan", json=body))
    assert plan["x_linocut"]["dataset_kind"] == "style"
    assert any("one recipe for every kind" in note for note in plan["x_linocut"]["notes"])
    started = ok(account.http.post("/v1/ideogram-v3/train-model", json=body))
    [run] = ok(account.http.get(f"/models/{started['model_id']}"))["model"]["training_runs"]
    assert run["x_linocut"]["dataset_kind"] == "style"
    assert "one recipe for every kind" in run["x_linocut"]["notes"][0]
    older = {"model_name": "Kinds of things", "x_linocut": {"dataset_kind": "subject"}}
    started = ok(account.http.post(f"/datasets/{dataset_id}/train_model", json=older))
    [run] = ok(account.http.get(f"/models/{started['model_id']}"))["model"]["training_runs"]
    assert run["x_linocut"]["dataset_kind"] == "subject"
    plain = {"dataset_id": dataset_id, "model_name": "Kinds of things"}
    assert "dataset_kind" not in ok(account.http.post("/v1/ideogram-v3/train-model/plan", json=plain)).get(
        "x_linocut", {}
    )


@pytest.mark.parametrize(("extras", "word"), [
    ({"dataset_kind": "landscape"}, "dataset_kind"), ({}, "dataset_kind"), ({"dataset_kind": "style", "a": 1}, "a"),
    ("style", "x_linocut"),
])  # fmt: skip
def test_a_wrong_kind_is_named(account: Account, extras: Any, word: str) -> None:
    body = {"dataset_id": fill(account), "model_name": "Kinds of things", "x_linocut": extras}
    answer = account.http.post("/v1/ideogram-v3/train-model", json=body)
    assert answer.status_code == 400
    assert word in answer.text


def test_the_client_and_the_command_line_say_the_kind(live: Live, account: Account) -> None:
    dataset_id = fill(account)
    with Client(account.api_key, live.url) as client:
        told = client.plan(dataset_id, "Kinds of things", dataset_kind="character")
        assert told["x_linocut"]["dataset_kind"] == "character"
        started = client.train(dataset_id, "Kinds of things", dataset_kind="character")
        [run] = client.model(str(started["model_id"]))["training_runs"]
        assert run["x_linocut"]["dataset_kind"] == "character"
    code = CliRunner().invoke(
        command_line(("train",)), ["train", "/nowhere", "--name", "Kinds of things", "--kind", "landscape"]
    )
    assert code.exit_code == 2
    assert "character" in code.output
