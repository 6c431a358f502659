"""Who has drawn with a model, and how the server is."""

import shutil
from collections import namedtuple
from typing import Any

import pytest
from tests.api.live import Account, Live
from tests.walks.steps import V3_GENERATE, ok, trained
from tests.walks.test_gallery import member_of, page

from linocut.accounts import administrators
from linocut.client import Client

HEALTH = "/manage/api/health"


def test_who_used_a_model_is_for_its_owner(live: Live, account: Account) -> None:
    first = trained(account)
    member = member_of(live, account)
    path, uri = f"/models/{first['model_id']}/uses", first["custom_model_uri"]
    assert ok(account.http.get(path))["uses"] == []  # its own training does not count
    assert member.http.get(path).status_code == 404
    ok(account.http.put(f"/models/{first['model_id']}/share", json={"organization_id": account.organization_id}))
    assert member.http.get(path).status_code == 403
    ok(member.http.post(V3_GENERATE, json={"prompt": "tea", "custom_model_uri": uri, "num_images": 3}))
    ok(account.http.post(V3_GENERATE, json={"prompt": "tea", "custom_model_uri": uri}))
    ok(account.http.post(V3_GENERATE, json={"prompt": "tea"}))
    [image] = page(account, custom_model_uri=uri, user_id=account.user_id)["images"]
    assert account.http.delete(f"/images/{image['image_id']}").status_code == 204  # it counts all the same
    with Client(account.api_key, live.url) as client:
        told = client.uses(first["model_id"])
    assert [(one["user_id"], one["images"]) for one in told] == [(member.user_id, 3), (account.user_id, 1)]
    assert {one["organization_id"] for one in told} == {account.organization_id}
    assert live.account().http.get(path).status_code == 404


@pytest.fixture
def administrator(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(administrators, "is_administrator", lambda _tx, user_id: user_id == account.user_id)
    return account


def test_health_is_for_administrators_with_a_session(live: Live, administrator: Account) -> None:
    told = ok(administrator.http.get(HEALTH))
    assert told["state"] == "ready"
    assert [one["state"] for one in told["workers"]] == ["ready"]
    assert told["base_identity"] == live.runtime.base.identity
    assert told["problems"] == []
    free = shutil.disk_usage(live.settings.data).free / 2**30
    assert told["disk"]["free_gib"] == pytest.approx(free, abs=1)
    assert str(live.settings.data) not in str(told)
    assert live.account().http.get(HEALTH).status_code == 403
    assert live.public.get(HEALTH).status_code == 401
    key = {"Api-Key": administrator.api_key}
    assert live.public.get(HEALTH, headers=key).status_code == 401  # no key opens the console's routes


def test_what_waits_and_what_is_wrong_is_said(idle: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    account = idle.account()
    monkeypatch.setattr(administrators, "is_administrator", lambda _tx, _user_id: True)
    before = ok(account.http.get(HEALTH))
    assert account.http.post(V3_GENERATE, json={"prompt": "tea"}, headers={"Idempotency-Key": "a"}).status_code == 503
    usage: Any = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage(100 << 30, 97 << 30, 3 << 30))
    told = ok(account.http.get(HEALTH))
    assert told["queue"]["waiting"] == before["queue"]["waiting"] + 1
    assert told["queue"]["oldest_seconds"] > 0
    assert (told["state"], told["workers"]) == ("loading", [])
    assert told["disk"] == {"total_gib": 100.0, "free_gib": 3.0, "low": True}
    assert "The disk is nearly full: 3 GiB of 100 GiB are free." in told["problems"]
    assert any("No engine is ready" in one for one in told["problems"])
