"""The owner's link signs in at once; a password comes later, and only for who has no other way in."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx2
import pytest
from argon2 import PasswordHasher
from tests.api.live import HOOKS, Live, running, signed_in
from tests.walks.steps import ok

from linocut.accounts import audit, links, passwords
from linocut.accounts.audit import OPERATOR
from linocut.db.tables import identities
from linocut.ids import now

PASSWORD = "correct horse battery"
MANAGE = "/manage/api"


@pytest.fixture(autouse=True, scope="module")
def _quick_hashes() -> Iterator[None]:
    """The library's own numbers cost a quarter of a second each (``tests/accounts/test_passwords.py``)."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "_hasher", cache(lambda: PasswordHasher(time_cost=1, memory_cost=64)))
        yield


def link(live: Live, purpose: links.Purpose, **whom: str) -> str:
    with live.runtime.db.transaction() as tx:
        return links.make(tx, purpose, OPERATOR, **whom)


def test_the_owner_s_link_signs_in_at_once_and_a_password_comes_later(tmp_path: Path) -> None:
    with running(tmp_path) as fresh:
        _let_in_by_the_link(fresh)


def _let_in_by_the_link(idle: Live) -> None:
    """On a server that nobody owns."""
    asked = {"link": link(idle, "owner"), "wants_token": True}
    session = ok(idle.public.post(f"{MANAGE}/use_link", json=asked))
    assert (session["has_password"], session["can_return"]) == (False, False)
    assert session["is_administrator"] is True
    assert ok(idle.account().http.get(f"{MANAGE}/session"))["is_administrator"] is False, "of another organisation"
    assert idle.public.post(f"{MANAGE}/use_link", json=asked).status_code == 404, "good once"
    assert session["display_handle"] == "owner"
    mine = httpx2.Client(base_url=idle.url, headers=signed_in(session["token"]), timeout=30, event_hooks=HOOKS)
    assert [one["role"] for one in ok(mine.get(f"{MANAGE}/profiles"))["profiles"]] == ["OWNER"]
    first = {"new_password": PASSWORD}
    assert "10 to" in mine.post(f"{MANAGE}/password", json={"new_password": "short"}).json()["error"]
    for _ in range(11):  # no guess, so it counts as none
        refused = mine.post(f"{MANAGE}/password", json={**first, "current_password": PASSWORD})
        assert (refused.status_code, refused.json()["error"][:25]) == (403, "You have no password yet;")
    assert mine.post(f"{MANAGE}/password", json={**first, "email_address": "no address"}).status_code == 400
    assert ok(mine.get(f"{MANAGE}/session"))["has_password"] is False, "nothing of that was set"
    assert mine.post(f"{MANAGE}/password", json={**first, "email_address": "Late@Example.org"}).status_code == 204
    with idle.runtime.db.read() as tx:
        assert "user.changed" in [entry.action for entry in audit.entries(tx)], "who set the address can be found"
    told = ok(mine.get(f"{MANAGE}/session"))
    assert (told["email_address"], told["has_password"], told["can_return"]) == ("late@example.org", True, True)
    again = mine.post(f"{MANAGE}/password", json={"new_password": "another horse battery"})
    assert again.status_code == 400
    assert again.json()["error"].startswith("current_password is required.")
    both = {"current_password": PASSWORD, "new_password": PASSWORD, "email_address": "b@example.org"}
    assert mine.post(f"{MANAGE}/password", json=both).status_code == 400, "an address goes with the first one alone"
    ok(idle.public.post(f"{MANAGE}/sign_in", json={"account": "late@example.org", "password": PASSWORD}))
    later = ok(idle.public.post(f"{MANAGE}/use_link", json={"link": link(idle, "owner"), "wants_token": True}))
    assert later["has_password"], "a later link without a password leaves the old one"
    assert ok(mine.get(f"{MANAGE}/session"))["user_id"] == later["user_id"], "and the other session goes on"


def test_no_other_link_is_good_without_a_password(idle: Live) -> None:
    account = idle.account()
    text = link(idle, "sign-in", user_id=account.user_id)
    told = idle.public.post(f"{MANAGE}/use_link", json={"link": text})
    assert told.status_code == 400
    assert told.json()["error"].startswith("password is required")
    assert idle.public.post(f"{MANAGE}/use_link", json={"link": text, "password": PASSWORD}).status_code == 200


def test_the_page_sends_no_address_with_a_link(idle: Live) -> None:
    page, script = (idle.public.get(f"/manage/{name}").text for name in ("sign_in", "sign_in.js"))
    assert 'id="account-row"' in page
    assert '"account-row"' in script, "it goes where a password is chosen with a link"
    assert "email_address" not in script


def test_who_signs_in_elsewhere_makes_no_password_by_a_session_alone(idle: Live) -> None:
    account = idle.account()
    with idle.runtime.db.transaction() as tx:
        row = {"issuer": "https://login.example.org", "subject": "7", "user_id": account.user_id, "created_at": now()}
        tx.execute(identities.insert().values(**row))
    told = account.http.post(f"{MANAGE}/password", json={"new_password": PASSWORD})
    assert told.status_code == 403
    assert "elsewhere" in told.json()["error"]
