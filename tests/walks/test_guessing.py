"""Whoever guesses a password, many at once too; what a new password ends; from which pages a cookie counts."""

import threading

import httpx2
import pytest
from tests.api.live import Live, signed_in
from tests.walks.steps import ok
from tests.walks.test_console import MANAGE, _quick_hashes, console, invited, link

from linocut.accounts import sessions
from linocut.db.tables import sign_in_failures
from linocut.errors import TooManyTries

__all__ = ["_quick_hashes"]  # a fixture of the other file


@pytest.mark.long
def test_many_guesses_at_once_are_no_way_round_the_limit(idle: Live) -> None:
    invited(idle, idle.account(), "crowd@example.org")
    told: list[int] = []

    def guess(account: str) -> None:
        with httpx2.Client(base_url=idle.url, timeout=60) as http:
            asked = {"account": account, "password": "a wrong password"}
            told.append(http.post(f"{MANAGE}/sign_in", json=asked).status_code)

    names = ["crowd@example.org", "crowd"] * 12  # the address and the handle are one account
    threads = [threading.Thread(target=guess, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [401] * sessions.MOST_TRIES_OF_ACCOUNT + [429] * (24 - sessions.MOST_TRIES_OF_ACCOUNT)
    with idle.runtime.db.transaction() as tx:
        tx.execute(sign_in_failures.delete())


def test_tries_are_counted_by_address_and_network(idle: Live) -> None:
    with idle.runtime.db.transaction() as tx:
        tx.execute(sign_in_failures.delete())
        for number in range(sessions.MOST_TRIES_OF_ADDRESS):
            sessions.try_password(tx, f"account {number}", f"2001:db8:1:2::{number:x}")
        with pytest.raises(TooManyTries):
            sessions.try_password(tx, "another", "2001:db8:1:2:ffff::1")
        sessions.try_password(tx, "another", "2001:db8:1:3::1")
        for number in range(sessions.MOST_TRIES_OF_ADDRESS):
            number and sessions.try_password(tx, f"one {number}", "192.0.2.7")
        right = sessions.try_password(tx, "one 0", "192.0.2.7")
        with pytest.raises(TooManyTries):
            sessions.try_password(tx, "two", "192.0.2.7")
        sessions.password_was_right(tx, right)
        sessions.try_password(tx, "two", "192.0.2.7")
        sessions.try_password(tx, "two", "192.0.2.8")
        tx.execute(sign_in_failures.delete())


def test_a_link_ends_what_the_old_password_had_opened(idle: Live) -> None:
    client, user_id = invited(idle, idle.account(), "reset@example.org")
    first, second = link(idle, "sign-in", user_id=user_id), link(idle, "sign-in", user_id=user_id)
    asked = {"password": "another battery horse", "wants_token": True}
    new = ok(idle.public.post(f"{MANAGE}/use_link", json={"link": first, **asked}))
    assert client.get(f"{MANAGE}/session").status_code == 401
    assert console(idle, new["token"]).get(f"{MANAGE}/session").status_code == 200
    assert idle.public.post(f"{MANAGE}/use_link", json={"link": second, **asked}).status_code == 404


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 200), ("none", 200), ("same-site", 401), ("cross-site", 401), ("x", 401)]
)
def test_a_cookie_counts_on_pages_from_here_only(idle: Live, site: str, status: int) -> None:
    account = idle.account()
    headers = {**signed_in(account.token), "Sec-Fetch-Site": site}
    for path in (f"{MANAGE}/session", "/models"):
        assert idle.public.get(path, headers=headers).status_code == status
    bearer = {"Authorization": f"Bearer {account.token}", "Sec-Fetch-Site": site}
    assert idle.public.get("/models", headers=bearer).status_code == 200, "a token is sent on purpose"
