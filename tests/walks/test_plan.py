"""What a training would be, said before it is started."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.api.live import Account, Live, running
from tests.walks.steps import fill, finish, ok

from linocut.client import Client
from linocut.db.tables import jobs, models, training_runs
from linocut.ledger import money
from linocut.ledger.prices import prices_of

V3, V4 = "/v1/ideogram-v3/train-model", "/v1/ideogram-v4/train-model"


def rows(live: Live) -> list[int]:
    with live.runtime.db.read() as tx:
        return [tx.execute(select(func.count()).select_from(one)).scalar_one() for one in (jobs, models, training_runs)]


@pytest.mark.parametrize(("path", "numbers"), [
    (V3, {}), (V4, {}), (f"{V3}-advanced", {"training_steps": 200, "lora_rank": 64, "learning_rate": 1e-4, "seed": 5}),
    (f"{V4}-advanced", {}), (f"{V4}-advanced", {"training_steps": 100, "x_linocut": {"batch_size": 3}}),
])  # fmt: skip
def test_the_plan_is_what_the_training_then_is(
    live: Live, account: Account, dataset_id: str, path: str, numbers: dict[str, Any]
) -> None:
    body = {"dataset_id": dataset_id, "model_name": "House style", **numbers}
    before = rows(live)
    plan = ok(account.http.post(f"{path}/plan", json=body))
    assert rows(live) == before
    started = ok(account.http.post(path, json=body))
    [run] = finish(account, started["model_id"])["training_runs"]
    for field in ("training_steps", "lora_rank", "learning_rate", "ema"):
        assert plan[field] == run[field]
    own = live.runtime.base.training.batch_size
    batch = numbers.get("x_linocut", {}).get("batch_size", own)
    assert plan["batch_size"] == run["x_linocut"]["batch_size"] == batch
    scored = {int(step) for step in run["x_linocut"]["scores"] if step.isdecimal()}
    steps, every = plan["training_steps"], plan["checkpoint_every"]
    assert scored == {*range(0, steps + 1, every), steps}
    assert len(plan["held_out"]) == run["x_linocut"]["scores"]["scored_on_held_out_pictures"]
    names = {one["file_name"] for one in ok(account.http.get(f"/datasets/{dataset_id}"))["files"]}
    assert {one["file_name"] for one in plan["held_out"]} <= names
    assert plan["pictures"] == 4
    assert plan["passes"] == round(steps * plan["batch_size"] / (4 - len(plan["held_out"])), 1)
    assert plan["seed"] == numbers.get("seed")


def test_minutes_are_those_of_the_runs_before_or_said_to_be_unknown(live: Live, account: Account) -> None:
    dataset_id = fill(account)
    with Client(account.api_key, live.url) as client:
        first = client.train(dataset_id, "House style")
        finish(account, first["model_id"])
        plan = client.plan(dataset_id, "House style")
        assert plan["measured_runs"] >= 1
        assert plan["seconds_per_step"] > 0
        assert plan["minutes"] == pytest.approx(plan["seconds_per_step"] * plan["training_steps"] / 60, abs=0.06)
        longer = client.plan(dataset_id, "House style", training_steps=10_000)
        assert longer["training_steps"] == 10_000
        assert longer["minutes"] > plan["minutes"]
        wider = client.plan(dataset_id, "House style", batch_size=4 * longer["batch_size"])
        assert wider["seconds_per_step"] == pytest.approx(4 * plan["seconds_per_step"], abs=4e-4)
        with live.runtime.db.transaction() as tx:
            tx.execute(models.update().values(base="another@0000000000000000"))
        unknown = client.plan(dataset_id, "House style")
        with live.runtime.db.transaction() as tx:
            tx.execute(models.update().values(base=live.runtime.base.identity))
    assert (unknown["minutes"], unknown["seconds_per_step"], unknown["measured_runs"]) == (None, None, 0)
    assert any("How long it takes is not known" in note for note in unknown["x_linocut"]["notes"])
    with Client(account.api_key, live.url) as client:
        weights = len(client.weights(first["model_id"])) / 2**20
    assert plan["adapter_mib"] == pytest.approx(weights, abs=0.1)
    assert longer["memory_mib"] == pytest.approx(5 * longer["adapter_mib"], abs=0.3)


def test_what_waits_first_is_said(idle: Live) -> None:
    account = idle.account()
    dataset_id = fill(account)
    body = {"dataset_id": dataset_id, "model_name": "House style"}
    before = ok(account.http.post(f"{V3}/plan", json=body))["waiting"]
    ok(account.http.post(V3, json=body))
    plan = ok(account.http.post(f"{V3}/plan", json=body))
    assert plan["waiting"] == before + 1
    assert any("first, waiting or under way" in note for note in plan["x_linocut"]["notes"])


@pytest.mark.parametrize(("changes", "status"), [
    ({"model_name": "x"}, 400), ({"dataset_id": "none"}, 404), ({"training_steps": 150}, 400), ({"lora_rank": 3}, 400),
    ({"steps": 100}, 400), ({"x_linocut": {"batch_size": 0}}, 400), ({"x_linocut": {"batch_size": 65}}, 400),
    ({"x_linocut": {"batch": 2}}, 400),
], ids=str)  # fmt: skip
def test_it_refuses_what_the_training_refuses(
    account: Account, dataset_id: str, changes: dict[str, Any], status: int
) -> None:
    body = {"dataset_id": dataset_id, "model_name": "House style", **changes}
    told = [account.http.post(f"{V3}-advanced{end}", json=body) for end in ("", "/plan")]
    assert [one.status_code for one in told] == [status, status]
    assert told[0].json()["error"] == told[1].json()["error"]


def test_a_plain_training_takes_no_batch_size(account: Account, dataset_id: str) -> None:
    body = {"dataset_id": dataset_id, "model_name": "House style", "x_linocut": {"batch_size": 2}}
    told = account.http.post(V3, json=body)
    assert told.status_code == 400
    assert "batch_size" in told.json()["error"]


def test_a_dataset_that_is_too_small_has_no_plan(account: Account) -> None:
    body = {"dataset_id": fill(account, 2), "model_name": "House style"}
    told = account.http.post(f"{V3}/plan", json=body)
    assert told.status_code == 400
    assert "Upload 2 more" in told.json()["error"]


def test_a_member_s_dataset_is_nobody_else_s(live: Live, account: Account, dataset_id: str) -> None:
    body = {"dataset_id": dataset_id, "model_name": "House style"}
    assert live.account().http.post(f"{V3}/plan", json=body).status_code == 404


def test_it_says_what_it_costs_where_there_are_prices(live: Live, tmp_path: Path, account: Account) -> None:
    body = {"model_name": "House style"}
    free = ok(account.http.post(f"{V3}/plan", json={**body, "dataset_id": fill(account)}))
    assert free["cost"] is None
    with running(tmp_path, min_training_images=4, prices="published") as server:
        other = server.account()
        plan = ok(other.http.post(f"{V3}/plan", json={**body, "dataset_id": fill(other)}))
    listed = prices_of("published")
    assert plan["cost"] == {"amount": money.minor(listed.prices["training"][""], "USD"), "currency_code": "USD"}
