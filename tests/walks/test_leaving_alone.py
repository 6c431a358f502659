"""Members who leave an organisation by themselves, and the last owner, who stays."""

import threading

import httpx2
import pytest
from tests.api.live import Account, Live
from tests.walks.steps import ok
from tests.walks.test_console import MANAGE, act, invited

from linocut.accounts import audit


@pytest.mark.parametrize("how", ["leave", "remove_members"])
def test_the_last_owner_stays_also_when_two_leave_at_once(idle: Live, how: str) -> None:
    owner = idle.account()
    other, other_id = invited(idle, owner, f"second.owner.{how}@example.org")
    act(owner, "promote_members", owner, user_id=other_id)
    results: list[bool] = []

    def leave(http: httpx2.Client, user_id: str) -> None:
        if how == "leave":
            results.append(left(http, owner).status_code == 204)
        else:
            results.append(act(http, how, owner, user_id=user_id)[0]["success"])

    threads = [threading.Thread(target=leave, args=one) for one in ((owner.http, owner.user_id), (other, other_id))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, True]


def left(http: httpx2.Client, where: Account) -> httpx2.Response:
    return http.post(f"{MANAGE}/organization/leave", params={"organization_id": where.organization_id})


def test_a_member_leaves_alone_and_the_last_owner_does_not(idle: Live) -> None:
    owner = idle.account()
    ada, ada_id = invited(idle, owner, "ada.l@example.org")
    place = {"organization_id": owner.organization_id}
    key = ok(ada.post(f"{MANAGE}/api_keys_v2", params=place, json={}))["api_key"]
    assert left(ada, owner).status_code == 204
    assert idle.public.get("/models", headers={"Api-Key": key}).status_code == 401
    assert ada.get(f"{MANAGE}/organization/members", params=place).status_code == 404
    assert ok(ada.get(f"{MANAGE}/session"))["user_id"] == ada_id, "the session is for the other organisations too"
    assert left(ada, owner).status_code == 404
    with idle.runtime.db.read() as tx:
        newest = next(one for one in audit.entries(tx, most=9) if one.action == "member.left")
    assert (newest.object_id, newest.details) == (ada_id, {"role": "MEMBER", "keys": 1})
    stays = left(owner.http, owner)
    assert stays.status_code == 409
    assert "You are the last owner of this organisation" in stays.json()["error"]
    act(owner, "add_members", owner, user_id=ada_id)
    assert idle.public.get("/models", headers={"Api-Key": key}).status_code == 401, "the old key stays revoked"
    act(owner, "promote_members", owner, user_id=ada_id)
    assert left(owner.http, owner).status_code == 204
