"""What is written at the wrong place on ``/manage`` is refused, and nothing is made without it."""

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
