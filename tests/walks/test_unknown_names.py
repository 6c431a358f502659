"""What is written at the wrong place on ``/manage`` is refused, and nothing is made without it."""

import pytest
from tests.api.live import Live
from tests.walks.steps import ok
from tests.walks.test_console import MANAGE


def test_a_limit_at_the_wrong_place_makes_no_key_without_it(idle: Live) -> None:
    account = idle.account()
    before = len(ok(account.http.get(f"{MANAGE}/api_keys"))["current_api_keys"])
    for name, value in (("scopes", ["read"]), ("expires_in_seconds", 3600)):
        for address in (f"{MANAGE}/api_keys", f"{MANAGE}/api_keys_v2?organization_id={account.organization_id}"):
            told = account.http.post(address, json={"label": "site", name: value})
            assert told.status_code == 400
            assert f"it belongs in x_linocut, as x_linocut.{name}" in told.json()["error"]
    assert len(ok(account.http.get(f"{MANAGE}/api_keys"))["current_api_keys"]) == before
    changed = account.http.patch(f"{MANAGE}/api_keys/{account.api_key_id}", json={"label": "x", "scopes": ["read"]})
    assert (changed.status_code, "no field 'scopes'" in changed.json()["error"]) == (400, True)


TIMES = {"start_time": "2026-11-01T00:00:00+00:00"}


@pytest.mark.parametrize(("address", "known", "wrong"), [
    ("usage", {**TIMES, "segment_by": "DAY"}, "tool"), ("usage", {**TIMES, "segment_by": "DAY"}, "api_key_id"),
    ("usage.csv", TIMES, "user_email"), ("credits", TIMES, "end"), ("spend_commit", {}, "postpaid"),
    ("organization/user_suggestions", {}, "max_items"),
    ("organization/members", {}, "role"), ("limits", {}, "api_key_id"), ("organization/audit", {}, "most"),
])  # fmt: skip
def test_a_filter_of_another_name_is_refused_and_does_not_give_everything(
    idle: Live, address: str, known: dict[str, str], wrong: str
) -> None:
    account = idle.account()
    query = {"organization_id": account.organization_id, **known}
    assert account.http.get(f"{MANAGE}/{address}", params=query).status_code == 200
    told = account.http.get(f"{MANAGE}/{address}", params={**query, wrong: "x"})
    assert (told.status_code, f"no field {wrong!r}" in told.json()["error"]) == (400, True)
    assert "The fields are organization_id" in told.json()["error"]


def test_a_role_in_an_invite_is_refused_and_nobody_is_invited(idle: Live) -> None:
    owner = idle.account()
    place = {"organization_id": owner.organization_id}
    asked = {
        "members": [{"email_address": "ada.r@example.org"}, {"email_address": "bob.r@example.org", "role": "ADMIN"}]
    }
    told = owner.http.post(f"{MANAGE}/organization/add_members", params=place, json=asked)
    assert (told.status_code, "no field 'role'" in told.json()["error"]) == (400, True)
    assert "The fields are user_id, display_handle, email_address." in told.json()["error"]
    assert len(ok(owner.http.get(f"{MANAGE}/organization/members", params=place))["members"]) == 1
