"""Another checkpoint than the chosen one becomes a version, over HTTP."""

from sqlalchemy import select
from tests.api.live import Account, Live
from tests.walks.steps import V3_GENERATE, model, ok, trained
from tests.walks.test_gallery import member_of

from linocut.client import Client
from linocut.db.tables import checkpoints


def test_a_checkpoint_is_promoted_and_draws_otherwise(live: Live, account: Account) -> None:
    first = trained(account)
    [run] = model(account, first["model_id"])["training_runs"]
    kept, chosen = run["x_linocut"]["checkpoints"], int(run["x_linocut"]["scores"]["chosen_step"])
    assert len(kept) == 3
    assert chosen in kept
    step = next(one for one in kept if one != chosen)
    with Client(account.api_key, live.url) as client:
        made = client.promote(first["model_id"], step)
    assert made["custom_model_uri"] == first["custom_model_uri"].replace("/version/1", "/version/2")
    assert made["x_linocut"]["promoted"] == {"model_id": first["model_id"], "step": step}
    assert made["status"] == "COMPLETED"
    drawn = [
        ok(account.http.post(V3_GENERATE, json={"prompt": "tea", "seed": 1, "custom_model_uri": uri}))["data"][0]["url"]
        for uri in (first["custom_model_uri"], made["custom_model_uri"])
    ]
    assert live.public.get(drawn[0]).content != live.public.get(drawn[1]).content
    listed = ok(account.http.get("/models"))["models"]
    assert {one["model_id"] for one in listed} == {first["model_id"], made["model_id"]}


def test_what_cannot_be_promoted(live: Live, account: Account) -> None:
    first = trained(account)
    [run] = model(account, first["model_id"])["training_runs"]
    path, kept = f"/models/{first['model_id']}/promote", run["x_linocut"]["checkpoints"]
    for body, status, words in (
        ({"step": 1}, 404, f"kept are those of step {', '.join(map(str, kept))}"),
        ({"step": 0}, 400, "step"), ({"step": "x"}, 400, "step"), ({}, 400, "step"),
        ({"step": kept[0], "steps": 2}, 400, "steps"),
    ):  # fmt: skip
        told = account.http.post(path, json=body)
        assert (told.status_code, words in told.json()["error"]) == (status, True), told.text
    member = member_of(live, account)
    assert member.http.post(path, json={"step": kept[0]}).status_code == 404
    ok(account.http.put(f"/models/{first['model_id']}/share", json={"organization_id": account.organization_id}))
    assert member.http.post(path, json={"step": kept[0]}).status_code == 403
    with live.runtime.db.read() as tx:
        query = select(checkpoints.c.adapter_sha256).where(checkpoints.c.run_id == run["training_run_id"])
        chosen = int(run["x_linocut"]["scores"]["chosen_step"])
        sha256 = tx.scalar(query.where(checkpoints.c.step == (step := next(one for one in kept if one != chosen))))
    live.runtime.store.delete(str(sha256))
    told = account.http.post(path, json={"step": step})
    assert (told.status_code, "missing from the store" in told.json()["error"]) == (404, True)
