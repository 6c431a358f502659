"""People on ``/manage``: the first owner's link, signing in and out, keys with an end, members and their roles."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update
from tests.api.live import HOOKS, Account, Live, signed_in
from tests.walks.steps import ok

from linocut.accounts import audit, links, members, passwords, sessions
from linocut.accounts.audit import OPERATOR
from linocut.accounts.organizations import add_member, ensure_organization, ensure_user, set_copyright_detection
from linocut.accounts.types import Caller
from linocut.api import console_files
from linocut.api.translate.asks import ask_v3
from linocut.db.tables import api_keys, audit_log, sign_in_failures, users
from linocut.db.tables import sessions as session_rows
from linocut.generation import service
from linocut.ids import now
from linocut.wire import GenerateImageRequestV3

PASSWORD = "correct horse battery"
MANAGE = "/manage/api"
BATCHES = ("add_members", "remove_members", "promote_admins", "demote_admins", "promote_members")


@pytest.fixture(autouse=True, scope="module")
def _quick_hashes() -> Iterator[None]:
    """The library's own numbers cost a quarter of a second each (``tests/accounts/test_passwords.py``)."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "_hasher", cache(lambda: PasswordHasher(time_cost=1, memory_cost=64)))
        yield


def link(live: Live, purpose: Any, **whom: str) -> str:
    with live.runtime.db.transaction() as tx:
        return links.make(tx, purpose, OPERATOR, **whom)


def invited(live: Live, owner: Account, email: str) -> tuple[httpx2.Client, str]:
    """Somebody who has followed an invite: a client of theirs, and their user id."""
    result = act(owner, "add_members", owner, email_address=email)[0]
    text = result["x_linocut"]["link"].partition("#link=")[2]
    session = ok(live.public.post(f"{MANAGE}/use_link", json={"link": text, "password": PASSWORD, "wants_token": True}))
    return console(live, session["token"]), session["user_id"]


def console(live: Live, token: str) -> httpx2.Client:
    return httpx2.Client(base_url=live.url, headers=signed_in(token), event_hooks=HOOKS, timeout=30)


def act(who: Account | httpx2.Client, verb: str, where: Account, *more: dict[str, str], **member: str) -> list[Any]:
    """The results of one of the five that name members."""
    http = who.http if isinstance(who, Account) else who
    told = http.post(
        f"{MANAGE}/organization/{verb}",
        params={"organization_id": where.organization_id},
        json={"members": [*([member] if member else []), *more]},
    )
    return list(ok(told)["results"])


def test_the_first_owner_comes_by_a_link_that_is_good_once(idle: Live) -> None:
    with idle.runtime.db.transaction() as tx:  # a server on which somebody has made keys before
        first = ensure_user(tx, "first of all")
        tx.execute(update(users).where(users.c.user_id == first).values(created_at=now() - timedelta(days=9)))
        home = ensure_organization(tx, "first home")
        add_member(tx, home, first)
    text = link(idle, "owner")
    asked = {"link": text, "password": PASSWORD}
    assert idle.public.post(f"{MANAGE}/use_link", json=asked).status_code == 400, "an owner has an address"
    assert "10 to" in idle.public.post(f"{MANAGE}/use_link", json={**asked, "password": "short"}).json()["error"]
    told = idle.public.post(f"{MANAGE}/use_link", json={**asked, "email_address": "First@Example.org"})
    session = ok(told)
    assert (session["user_id"], session["email_address"]) == (first, "first@example.org")
    cookie = told.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert "token" not in session
    assert idle.public.post(f"{MANAGE}/use_link", json={**asked, "email_address": "b@example.org"}).status_code == 404
    with idle.runtime.db.read() as tx:
        assert members.role_of(tx, home, first) == "OWNER"


def test_of_two_who_use_a_link_at_once_one_gets_in(idle: Live) -> None:
    user = idle.account()
    asked = {"link": link(idle, "sign-in", user_id=user.user_id), "password": PASSWORD, "wants_token": True}
    told: list[int] = []
    both = [threading.Thread(target=lambda: told.append(use(idle, asked))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(told) == [200, 404]


def use(live: Live, asked: dict[str, Any]) -> int:
    with httpx2.Client(base_url=live.url, timeout=30) as http:
        return int(http.post(f"{MANAGE}/use_link", json=asked).status_code)


def test_an_old_link_is_good_no_longer(idle: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "GOOD_FOR", timedelta(0))
    asked = {"link": link(idle, "sign-in", user_id=idle.account().user_id), "password": PASSWORD}
    assert "time is over" in idle.public.post(f"{MANAGE}/use_link", json=asked).json()["error"]


def test_signing_in_and_out(idle: Live) -> None:
    owner = idle.account()
    client, user_id = invited(idle, owner, "ada@example.org")
    assert ok(client.get(f"{MANAGE}/session"))["user_id"] == user_id
    for account in ("ada@example.org", " ADA@example.org", "ada"):
        told = ok(idle.public.post(f"{MANAGE}/sign_in", json={"account": account, "password": PASSWORD}))
        assert told["user_id"] == user_id
    wrong = idle.public.post(f"{MANAGE}/sign_in", json={"account": "ada", "password": "wrong horse battery"})
    nobody = idle.public.post(f"{MANAGE}/sign_in", json={"account": "nobody", "password": PASSWORD})
    assert (wrong.status_code, wrong.json()) == (401, nobody.json()), "nobody learns who has an account"
    assert client.post(f"{MANAGE}/sign_out").status_code == 204
    assert client.get(f"{MANAGE}/session").status_code == 401
    with idle.runtime.db.read() as tx:
        last = [entry.action for entry in audit.entries(tx, most=1)]
        text = str(tx.execute(select(audit_log)).all())
    assert last == ["user.signed_out"]
    assert PASSWORD not in text


def test_whoever_guesses_is_stopped_and_may_go_on_later(idle: Live) -> None:
    owner = idle.account()
    invited(idle, owner, "guessed@example.org")
    ask = {"account": "guessed@example.org", "password": "a wrong password"}
    told = [idle.public.post(f"{MANAGE}/sign_in", json=ask) for _ in range(sessions.MOST_TRIES_OF_ACCOUNT + 1)]
    assert [one.status_code for one in told] == [401] * sessions.MOST_TRIES_OF_ACCOUNT + [429]
    assert int(told[-1].headers["retry-after"]) > 60
    right = {**ask, "password": PASSWORD}
    assert idle.public.post(f"{MANAGE}/sign_in", json=right).status_code == 429, "the right one waits too"
    with idle.runtime.db.transaction() as tx:
        tx.execute(update(sign_in_failures).values(at=now() - sessions.TRIES_WITHIN))
    assert idle.public.post(f"{MANAGE}/sign_in", json=right).status_code == 200


def test_what_opens_manage_and_what_does_not(idle: Live) -> None:
    account = idle.account()
    key, cookie = {"Api-Key": account.api_key}, {"Cookie": signed_in(account.token)["Cookie"]}
    bearer = {"Authorization": f"Bearer {account.token}"}
    asked = {
        "nothing": ({}, 401, 401), "a key": (key, 401, 200), "a key as bearer": (
            {"Authorization": f"Bearer {account.api_key}"}, 401, 200),
        "a cookie alone, as a form sends it": (cookie, 401, 401),
        "a cookie with the console's header": (signed_in(account.token), 200, 200),
        "a token": (bearer, 200, 200),
        "another's organisation": ({**bearer, "X-Linocut-Organization": idle.account().organization_id}, 401, 401),
        "their organisation": ({**bearer, "X-Linocut-Organization": account.organization_id}, 200, 200),
    }  # fmt: skip
    for what, (headers, manage, public) in asked.items():
        assert idle.public.get(f"{MANAGE}/profiles", headers=headers).status_code == manage, what
        assert idle.public.get("/models", headers=headers).status_code == public, what


def test_a_session_that_is_over_opens_nothing(idle: Live) -> None:
    account = idle.account()
    with idle.runtime.db.transaction() as tx:
        tx.execute(update(session_rows).where(session_rows.c.user_id == account.user_id).values(expires_at=now()))
    assert account.http.get(f"{MANAGE}/profiles").status_code == 401


def test_a_new_password_ends_the_other_sessions(idle: Live) -> None:
    first, _ = invited(idle, idle.account(), "grace@example.org")
    token = ok(
        idle.public.post(
            f"{MANAGE}/sign_in", json={"account": "grace@example.org", "password": PASSWORD, "wants_token": True}
        )
    )["token"]
    second = console(idle, token)
    wrong = second.post(f"{MANAGE}/password", json={"current_password": "x" * 12, "new_password": "y" * 12})
    assert wrong.status_code == 403
    short = second.post(f"{MANAGE}/password", json={"current_password": PASSWORD, "new_password": "short"})
    assert short.status_code == 400
    new = {"current_password": PASSWORD, "new_password": "another horse"}
    assert second.post(f"{MANAGE}/password", json=new).status_code == 204
    assert (first.get(f"{MANAGE}/session").status_code, second.get(f"{MANAGE}/session").status_code) == (401, 200)


def test_a_key_from_its_making_to_its_end(idle: Live) -> None:
    account = idle.account()
    place = {"organization_id": account.organization_id}
    made = ok(account.http.post(f"{MANAGE}/api_keys_v2", params=place, json={"label": "website"}))
    with httpx2.Client(base_url=idle.url, headers={"Api-Key": made["api_key"]}) as http:
        assert http.get("/models").status_code == 200
        listed = ok(account.http.get(f"{MANAGE}/organization/api_keys", params=place))["api_keys"]
        mine = next(key for key in listed if key["api_key_id"] == made["api_key_id"])
        assert (mine["label"], mine["status"]) == ("website", "ACTIVE")
        assert made["api_key"] not in str(listed)
        changed = account.http.patch(f"{MANAGE}/api_keys/{made['api_key_id']}", json={"label": None})
        assert ok(changed)["label"] is None
        path = f"{MANAGE}/organization/deactivate_api_key"
        for _ in range(2):
            assert account.http.post(path, params={"api_key_id": made["api_key_id"]}).status_code == 204
        assert http.get("/models").status_code == 401
        assert account.http.delete(f"{MANAGE}/api_keys/{made['api_key_id']}").status_code == 204
        left = ok(account.http.get(f"{MANAGE}/organization/api_keys", params=place))["api_keys"]
        assert made["api_key_id"] not in {key["api_key_id"] for key in left}
        assert account.http.delete(f"{MANAGE}/api_keys/{made['api_key_id']}").status_code == 404


@pytest.mark.parametrize("body", [b"", b"null", b"{}"])
def test_a_key_needs_no_body(idle: Live, body: bytes) -> None:
    made = idle.account().http.post(f"{MANAGE}/api_keys", content=body, headers={"Content-Type": "application/json"})
    assert re.fullmatch(r"lino_[\w-]{43}", ok(made)["api_key"])


def test_a_key_is_told_once_also_under_an_idempotency_key(idle: Live) -> None:
    account = idle.account()
    headers = {"Idempotency-Key": "one"}
    both = [ok(account.http.post(f"{MANAGE}/api_keys", json={}, headers=headers)) for _ in range(2)]
    assert both[0]["api_key"] != both[1]["api_key"]


def test_a_key_that_may_only_read(idle: Live) -> None:
    account = idle.account()
    limits = {"x_linocut": {"scopes": ["read", "datasets"], "expires_in_seconds": 3600}}
    made = ok(account.http.post(f"{MANAGE}/api_keys", json=limits))
    with httpx2.Client(base_url=idle.url, headers={"Api-Key": made["api_key"]}) as http:
        assert http.get("/models").status_code == 200
        assert http.post("/datasets", json={"name": "Tea"}).status_code == 200
        told = http.post("/v1/ideogram-v3/generate", json={"prompt": "tea"})
        assert told.status_code == 403
        assert "read, datasets" in told.json()["error"]
        with idle.runtime.db.transaction() as tx:
            ended = update(api_keys).where(api_keys.c.api_key_id == made["api_key_id"])
            tx.execute(ended.values(expires_at=now()))
        assert http.get("/models").status_code == 401
    for wrong in ({"scopes": []}, {"scopes": ["all"]}, {"expires_in_seconds": 1}, {"expires_at": "2030-01-01"}):
        told = account.http.post(f"{MANAGE}/api_keys", json={"x_linocut": wrong})
        assert told.status_code == 400, "a limit that is not understood would make a key without it"
        assert next(iter(wrong)) in told.json()["error"]


def test_a_rotated_key_goes_on_for_a_while(idle: Live) -> None:
    account = idle.account()
    for overlap, old in ((600, 200), (0, 401)):
        made = ok(account.http.post(f"{MANAGE}/api_keys", json={"label": "site"}))
        rotated = account.http.post(f"{MANAGE}/api_keys/{made['api_key_id']}/rotate", json={"overlap_seconds": overlap})
        new = ok(rotated)
        for key, status in ((made["api_key"], old), (new["api_key"], 200)):
            assert idle.public.get("/models", headers={"Api-Key": key}).status_code == status
    again = account.http.post(f"{MANAGE}/api_keys/{made['api_key_id']}/rotate", json={})
    assert again.status_code == 409


def test_a_rotation_says_when_both_keys_end(idle: Live) -> None:
    account = idle.account()
    made = ok(account.http.post(f"{MANAGE}/api_keys", json={"x_linocut": {"expires_in_seconds": 600}}))
    first = ok(account.http.post(f"{MANAGE}/api_keys/{made['api_key_id']}/rotate", json={}))["x_linocut"]
    assert first["replaced_expires_time"] >= first["expires_time"], "ten minutes, not a day"
    rotated = ok(account.http.post(f"{MANAGE}/api_keys/{account.api_key_id}/rotate", json={"overlap_seconds": 0}))
    assert rotated["x_linocut"]["expires_time"] is None
    assert rotated["x_linocut"]["replaced_expires_time"] is not None
    again = account.http.post(f"{MANAGE}/api_keys/{made['api_key_id']}/rotate", json={})
    assert (again.status_code, "was replaced by" in again.json()["error"]) == (409, True)


def test_members_by_role(idle: Live) -> None:
    owner = idle.account()
    ada, ada_id = invited(idle, owner, "ada.m@example.org")
    bob, bob_id = invited(idle, owner, "bob.m@example.org")
    place = {"organization_id": owner.organization_id}
    for verb in BATCHES:  # a member may none of it
        told = ada.post(f"{MANAGE}/organization/{verb}", params=place, json={"members": [{"user_id": bob_id}]})
        assert (verb, told.status_code) == (verb, 403)
    assert act(owner, "promote_admins", owner, user_id=ada_id)[0]["success"]
    assert act(ada, "promote_admins", owner, user_id=bob_id)[0]["success"]
    assert not act(ada, "promote_members", owner, user_id=bob_id)[0]["success"], "only owners make owners"
    assert not act(ada, "demote_admins", owner, user_id=owner.user_id)[0]["success"]
    assert not act(ada, "remove_members", owner, user_id=owner.user_id)[0]["success"]
    assert "at least one owner" in act(owner, "demote_admins", owner, user_id=owner.user_id)[0]["message"]
    assert act(owner, "promote_members", owner, user_id=ada_id)[0]["success"]
    assert act(ada, "demote_admins", owner, user_id=owner.user_id)[0]["success"]
    assert act(ada, "remove_members", owner, user_id=bob_id)[0]["success"]
    assert bob.get(f"{MANAGE}/organization/members", params=place).status_code == 404
    listed = ok(ada.get(f"{MANAGE}/organization/members", params=place))["members"]
    assert (listed[0]["email_address"], listed[0]["role"]) == ("ada.m@example.org", "OWNER")
    results = act(ada, "add_members", owner, {"display_handle": "no such handle"}, {}, {"email_address": "no address"},
                  {"user_id": ada_id})  # fmt: skip
    assert [one["success"] for one in results] == [False] * 4


def test_invites_are_seen_by_admins_renewed_and_cancelled(idle: Live) -> None:
    owner = idle.account()
    place = {"organization_id": owner.organization_id}
    made = act(owner, "add_members", owner, email_address="New.One@example.org")[0]["x_linocut"]
    assert not act(owner, "add_members", owner, email_address="new.one@example.org")[0]["success"], "invited already"
    pending = ok(owner.http.get(f"{MANAGE}/organization/members", params=place))["members"][-1]
    assert (pending["invite_status"], pending["email_address"]) == ("PENDING", "new.one@example.org")
    member, _ = invited(idle, owner, "plain@example.org")
    seen = ok(member.get(f"{MANAGE}/organization/members", params=place))["members"]
    assert all(one["invite_status"] is None for one in seen)
    body = {"invite_id": made["invite_id"]}
    renewed = ok(owner.http.post(f"{MANAGE}/organization/resend_invite", params=place, json=body))
    assert renewed["x_linocut"]["link"] != made["link"]
    assert ok(owner.http.post(f"{MANAGE}/organization/cancel_invite", params=place, json=body))["success"]
    assert owner.http.post(f"{MANAGE}/organization/cancel_invite", params=place, json=body).status_code == 404
    text = renewed["x_linocut"]["link"].partition("#link=")[2]
    used = idle.public.post(f"{MANAGE}/use_link", json={"link": text, "password": PASSWORD})
    assert used.status_code == 404


def test_what_is_another_s_and_what_never_was_answer_alike(idle: Live) -> None:
    mine, theirs = idle.account(), idle.account()
    never = "AAAAAAAAAAAAAAAAAAAAAA"
    for verb in BATCHES:
        told = [
            mine.http.post(
                f"{MANAGE}/organization/{verb}",
                params={"organization_id": organization},
                json={"members": [{"user_id": mine.user_id}]},
            )
            for organization in (theirs.organization_id, never)
        ]
        assert [one.status_code for one in told] == [404, 404]
        assert told[0].content == told[1].content
    keys = [mine.http.delete(f"{MANAGE}/api_keys/{key}") for key in (theirs.api_key_id, never)]
    assert (keys[0].status_code, keys[0].content) == (404, keys[1].content)
    seen = [mine.http.get(f"{MANAGE}/organization/members", params={"organization_id": o}) for o in
            (theirs.organization_id, never)]  # fmt: skip
    assert (seen[0].status_code, seen[0].content) == (404, seen[1].content)


def test_profiles_properties_and_suggestions(idle: Live) -> None:
    owner = idle.account()
    (profile,) = ok(owner.http.get(f"{MANAGE}/profiles"))["profiles"]
    assert (profile["role"], profile["type"], profile["copyright_detection_enabled"]) == ("OWNER", "INDIVIDUAL", False)
    path = f"{MANAGE}/organization/{owner.organization_id}/api_properties"
    for sent, now_it_is in ((True, True), (None, True), (False, False)):
        told = ok(owner.http.patch(path, json={"copyright_detection_enabled": sent}))
        assert told == {"copyright_detection_enabled": now_it_is}
    with idle.runtime.db.transaction() as tx:
        caller = Caller(owner.user_id, owner.organization_id, owner.api_key_id)
        ask = ask_v3(GenerateImageRequestV3(prompt="a red cat"))
        noted = []
        for enabled in (True, False):
            set_copyright_detection(tx, owner.organization_id, enabled, by=OPERATOR)
            notes = service.place(tx, caller, ask, idle.runtime).notes
            noted.append(any("no detector of copyrighted material" in note for note in notes))
    assert noted == [True, False], "asked for by the organisation, answered on each image"
    member, _ = invited(idle, owner, "zoe@example.org")
    assert member.patch(path, json={"copyright_detection_enabled": True}).status_code == 403
    place = {"organization_id": owner.organization_id, "user_handle_prefix": "ZO"}
    found = ok(owner.http.get(f"{MANAGE}/organization/user_suggestions", params=place))["user_suggestions"]
    assert found == [{"display_handle": "zoe", "joined": True}]
    many = {**place, "maxItems": "0"}
    assert owner.http.get(f"{MANAGE}/organization/user_suggestions", params=many).status_code == 400
    assert ok(owner.http.get(f"{MANAGE}/profiles"))["profiles"][0]["type"] == "TEAM_API"


def test_the_page_to_sign_in_on(idle: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_files, "FOLDER", tmp_path)
    page = idle.public.get("/manage/sign_in")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    for name in ("sign_in.js", "sign_in.css"):
        assert name in page.text
        assert idle.public.get(f"/manage/{name}").status_code == 200
    (tmp_path / "index.html").write_text("a console")
    led = idle.public.get("/manage/sign_in")
    assert (led.status_code, led.headers["location"]) == (303, "../console/"), "which signs people in itself"
