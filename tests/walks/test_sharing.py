"""Who sees what: the owner, a member of an organisation it is shared with, and everybody else."""

import pytest
from tests.api.live import Account, Live
from tests.walks.steps import V3_GENERATE, V3_TRAIN, fill, finish, model, ok, train, trained

from linocut.api.discovery import OPERATIONS
from linocut.db.tables import members


@pytest.fixture
def theirs(live: Live, account: Account) -> Account:
    """Somebody in an organisation that the owner belongs to as well."""
    from linocut.accounts import organizations

    colleague = live.account()
    with live.runtime.db.transaction() as tx:
        organizations.add_member(tx, colleague.organization_id, account.user_id)
    return colleague


def test_a_model_that_may_not_be_seen_is_one_that_does_not_exist(live: Live, account: Account) -> None:
    done = trained(account)
    stranger = live.account()
    hidden = stranger.http.get(f"/models/{done['model_id']}")
    absent = stranger.http.get("/models/AAAAAAAAAAAAAAAAAAAAAA")
    nonsense = stranger.http.get("/models/nonsense")
    assert {answer.status_code for answer in (hidden, absent, nonsense)} == {404}
    assert hidden.content == absent.content == nonsense.content
    assert done["model_id"] not in hidden.text
    told = [{k: v for k, v in a.headers.items() if k != "date"} for a in (hidden, absent)]
    assert told[0] == told[1]
    for method, path in (("DELETE", ""), ("POST", "/cancel"), ("GET", "/weights"), ("GET", "/events")):
        other = [stranger.http.request(method, f"/models/{one}{path}") for one in (done["model_id"], "none")]
        assert [answer.status_code for answer in other] == [404, 404]
        assert other[0].content == other[1].content
    draw = {"prompt": "tea", "custom_model_uri": done["custom_model_uri"]}
    assert stranger.http.post(V3_GENERATE, json=draw).status_code == 404


def test_a_shared_model_is_seen_and_drawn_with_but_not_owned(live: Live, account: Account, theirs: Account) -> None:
    done = trained(account)
    path = f"/models/{done['model_id']}"
    assert theirs.http.get(path).status_code == 404

    shared = ok(account.http.put(f"{path}/share", json={"organization_id": theirs.organization_id}))["model"]
    assert shared["is_owned"] is True
    again = ok(account.http.put(f"{path}/share", json={"organization_id": theirs.organization_id}))["model"]
    assert again == shared

    seen = model(theirs, done["model_id"])
    assert seen["is_owned"] is False
    assert "training_runs" not in seen
    assert seen["dataset_id"] is None
    assert set(seen["x_linocut"]) == {"base", "licence"}
    assert (seen["status"], seen["custom_model_uri"]) == ("COMPLETED", done["custom_model_uri"])

    for params, found in (({}, 1), ({"scope": "shared"}, 1), ({"scope": "owned"}, 0), ({"status": "TRAINING"}, 1)):
        assert len(ok(theirs.http.get("/models", params=params))["models"]) == found
    draw = {"prompt": "tea", "custom_model_uri": done["custom_model_uri"]}
    assert theirs.http.post(V3_GENERATE, json=draw).status_code == 200

    for method, below in (("DELETE", ""), ("POST", "/cancel"), ("GET", "/weights"), ("GET", "/events")):
        assert theirs.http.request(method, f"{path}{below}").status_code == 403
    onward = theirs.http.put(f"{path}/share", json={"organization_id": theirs.organization_id})
    assert onward.status_code == 403
    assert live.account().http.get(path).status_code == 404


def test_a_member_reads_nothing_of_the_training_at_any_address(live: Live, account: Account, theirs: Account) -> None:
    """Every field that there is, and every address below a model: no dataset, caption, run, score or number of it."""
    done = trained(account, "Secret recipe")
    path = f"/models/{done['model_id']}"
    ok(account.http.put(f"{path}/share", json={"organization_id": theirs.organization_id}))
    own = model(account, done["model_id"])
    run = own["training_runs"][0]
    below = [
        f"GET {one.path}" for one in OPERATIONS if one.path.startswith("/models/{model_id}/") and one.method == "GET"
    ]
    assert {"GET /models/{model_id}/events", "GET /models/{model_id}/weights", "GET /models/{model_id}/card"} <= set(
        below
    )
    told = [theirs.http.get(path).text, theirs.http.get("/models", params={"scope": "shared"}).text]
    for route in below:
        answer = theirs.http.get(route.removeprefix("GET ").replace("{model_id}", done["model_id"]))
        assert answer.status_code == 403, route
        told.append(answer.text)
    allowed = {"model_id", "custom_model_uri", "name", "status", "dataset_id", "creation_time", "last_update_time",
               "is_available_for_generation", "is_owned", "x_linocut"}  # fmt: skip
    listed = ok(theirs.http.get("/models", params={"scope": "shared"}))["models"][0]
    for seen in (model(theirs, done["model_id"]), listed):
        assert set(seen) == allowed
        assert set(seen["x_linocut"]) == {"base", "licence"}
        assert seen["dataset_id"] is None
    secrets = (own["dataset_id"], run["training_run_id"], "tea poster", account.user_id, "lora_rank", "learning_rate",
               "ema", "scores", "seed", "loss", "step")  # fmt: skip
    for text in told:
        assert not [secret for secret in secrets if f'"{secret}"' in text or (len(secret) > 12 and secret in text)]


def test_a_model_is_shared_only_with_an_organisation_of_its_owner(live: Live, account: Account) -> None:
    done = trained(account)
    path = f"/models/{done['model_id']}/share"
    elsewhere = live.account()
    for organization_id in (elsewhere.organization_id, "none"):
        assert account.http.put(path, json={"organization_id": organization_id}).status_code == 404
    assert account.http.put(path, json={}).status_code == 400
    assert elsewhere.http.get(f"/models/{done['model_id']}").status_code == 404


def test_a_model_that_is_taken_back_is_gone_for_the_others_at_once(
    live: Live, account: Account, theirs: Account
) -> None:
    done = trained(account)
    path, draw = f"/models/{done['model_id']}", {"prompt": "tea", "custom_model_uri": done["custom_model_uri"]}
    share = {"organization_id": theirs.organization_id}
    assert account.http.delete(f"{path}/share").status_code == 204  # it never was shared: nothing to do
    for query in ({}, share):
        ok(account.http.put(f"{path}/share", json=share))
        assert theirs.http.get(path).status_code == 200
        assert theirs.http.delete(f"{path}/share").status_code == 403
        assert account.http.delete(f"{path}/share", params={"organization_id": "another"}).status_code == 204
        assert theirs.http.get(path).status_code == 200
        for _ in range(2):
            assert account.http.delete(f"{path}/share", params=query).status_code == 204
        assert theirs.http.get(path).status_code == 404
        assert theirs.http.post(V3_GENERATE, json=draw).status_code == 404
        assert ok(theirs.http.get("/models"))["models"] == []
    hidden, absent = (theirs.http.delete(f"/models/{one}/share") for one in (done["model_id"], "none"))
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content
    assert model(account, done["model_id"])["status"] == "COMPLETED"


def test_the_owner_is_told_with_whom_a_model_is_shared_and_how_many_they_are(
    live: Live, account: Account, theirs: Account
) -> None:
    done = trained(account)
    path = f"/models/{done['model_id']}/share"

    def told() -> list[tuple[str, int, bool]]:
        listed = ok(account.http.get(path))["organizations"]
        assert all(one["organization_name"].startswith("org ") for one in listed)
        return [(one["organization_id"], one["members"], one["is_shared"]) for one in listed]

    own, other = (account.organization_id, 1, False), theirs.organization_id
    assert told() == [own, (other, 2, False)]
    ok(account.http.put(path, json={"organization_id": other}))
    assert told() == [own, (other, 2, True)]
    with live.runtime.db.transaction() as tx:
        left = members.c.organization_id == other, members.c.user_id == account.user_id
        tx.execute(members.delete().where(*left))
    assert told() == [own, (other, 1, True)], "whoever has left can still take it back"
    assert account.http.delete(path, params={"organization_id": other}).status_code == 204
    assert told() == [own]


def test_a_run_goes_on_without_a_picture_that_was_deleted(account: Account) -> None:
    dataset_id = fill(account)
    model_id = train(account, dataset_id)
    assets = ok(account.http.get(f"/datasets/{dataset_id}/assets"))["assets"]
    for one in assets:
        assert account.http.delete(f"/datasets/{dataset_id}/assets/{one['asset_id']}").status_code == 204
    assert finish(account, model_id)["status"] == "COMPLETED"
    refused = account.http.post(V3_TRAIN, json={"dataset_id": dataset_id, "model_name": "Too few"})
    assert refused.status_code == 400
