"""Nobody acts as somebody else: not by an invite's link, not by a key of another, not where they are no member."""

from tests.api.live import Live
from tests.walks.steps import ok
from tests.walks.test_console import MANAGE, PASSWORD, _quick_hashes, act, invited

__all__ = ["_quick_hashes"]


def test_only_its_owner_replaces_a_key(idle: Live) -> None:
    owner = idle.account()
    member, _ = invited(idle, owner, "keyed@example.org")
    key = ok(member.post(f"{MANAGE}/api_keys", json={}))["api_key_id"]
    told = owner.http.post(f"{MANAGE}/api_keys/{key}/rotate", json={})
    assert told.status_code == 403, "with the new text an admin would act as the member"
    assert "deactivate or delete it" in told.json()["error"]
    assert member.post(f"{MANAGE}/api_keys/{key}/rotate", json={}).status_code == 200
    assert owner.http.delete(f"{MANAGE}/api_keys/{key}").status_code == 204


def test_whose_key_it_is_says_who_else_may_change_it(idle: Live) -> None:
    owner = idle.account()
    member, user_id = invited(idle, owner, "under@example.org")
    key = f"{MANAGE}/api_keys/{owner.api_key_id}"
    told = member.patch(key, json={"label": "x"})
    assert (told.status_code, "somebody with the role OWNER may" in told.json()["error"]) == (403, True)
    act(owner, "promote_admins", owner, user_id=user_id)
    told = member.patch(key, json={"label": "x"})
    assert (told.status_code, "somebody with the role OWNER may" in told.json()["error"]) == (403, True)


def test_an_invite_opens_no_account_that_stands(idle: Live) -> None:
    first, second = idle.account(), idle.account()
    made = act(second, "add_members", second, email_address="both@example.org")[0]["x_linocut"]
    mine, user_id = invited(idle, first, "both@example.org")
    asked = {"link": made["link"].partition("#link=")[2], "password": "whoever invites has it"}
    told = idle.public.post(f"{MANAGE}/use_link", json=asked)
    assert told.status_code == 409
    assert "ask whoever invited you to add both@example.org" in told.json()["error"]
    assert ok(mine.get(f"{MANAGE}/session"))["user_id"] == user_id, "nothing has changed for whoever has the account"
    signs_in = {"account": "both@example.org", "password": PASSWORD}
    assert idle.public.post(f"{MANAGE}/sign_in", json=signs_in).status_code == 200
    assert act(second, "add_members", second, email_address="both@example.org")[0]["success"]
    place = {"organization_id": second.organization_id}
    seen = ok(second.http.get(f"{MANAGE}/organization/members", params=place))["members"]
    assert [one["invite_status"] for one in seen] == [None, None], "the invite has nobody to wait for"


def test_whoever_comes_back_has_none_of_their_old_keys(idle: Live) -> None:
    owner, elsewhere = idle.account(), idle.account()
    member, user_id = invited(idle, owner, "back@example.org")
    key = {"Api-Key": ok(member.post(f"{MANAGE}/api_keys", json={}))["api_key"]}
    act(elsewhere, "add_members", elsewhere, user_id=user_id)
    place = {"organization_id": elsewhere.organization_id}
    other = {"Api-Key": ok(member.post(f"{MANAGE}/api_keys_v2", params=place, json={}))["api_key"]}
    for verb in ("remove_members", "add_members"):
        assert act(owner, verb, owner, user_id=user_id)[0]["success"]
        assert idle.public.get("/models", headers=key).status_code == 401
    assert idle.public.get("/models", headers=other).status_code == 200, "of another organisation"


def test_somebody_in_no_organisation_makes_nothing(idle: Live) -> None:
    owner = idle.account()
    member, user_id = invited(idle, owner, "alone@example.org")
    dataset = ok(member.post("/datasets", json={"name": "Tea"}))["dataset_id"]
    act(owner, "remove_members", owner, user_id=user_id)
    assert member.get(f"/datasets/{dataset}").status_code == 200, "they read what is theirs"
    asks = (
        ("/v1/ideogram-v3/generate", {"prompt": "tea"}),
        ("/datasets", {"name": "More"}),
        ("/v1/ideogram-v3/train-model", {"dataset_id": dataset, "model_name": "Tea posters"}),
    )
    for path, body in asks:
        told = member.post(path, json=body)
        assert (path, told.status_code) == (path, 403)
        assert "belong to no organisation" in told.json()["error"]
