"""Signing in elsewhere, against a provider of our own on this machine: who gets in, and how nobody does."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import func, select, update
from tests.api.live import Live, running, signed_in
from tests.api.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, provider, spoiled
from tests.walks.steps import ok

from linocut.accounts import audit, identities, members, people
from linocut.accounts.audit import OPERATOR
from linocut.accounts.organizations import ensure_organization
from linocut.api.auth import COOKIE
from linocut.api.openid import SENTENCES
from linocut.db.tables import organizations, sessions, sign_in_attempts, users
from linocut.ids import new_id, now


@pytest.fixture(scope="module")
def issuer() -> Iterator[OpenIdProvider]:
    with provider() as one:
        yield one


@pytest.fixture(scope="module")
def server(issuer: OpenIdProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    told = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}
    more = {"oidc_domains": "join.example", "oidc_organization": "joiners", "oidc_seconds": 2.0}
    with running(tmp_path_factory.mktemp("openid"), **told, **more) as live:
        yield live


@pytest.fixture(autouse=True)
def _as_it_was(issuer: OpenIdProvider, server: Live) -> Iterator[None]:
    yield
    issuer.spoil, issuer.claims, issuer.userinfo = (lambda header, claims: None), {}, {}
    issuer.metadata, issuer.answers = {}, {}


@pytest.fixture
def browser(server: Live) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, timeout=30) as client:
        yield client


def person(email: str, **claims: Any) -> dict[str, Any]:
    return {"sub": f"subject of {email}", "email": email, "email_verified": True, **claims}


def fresh(domain: str = "join.example") -> str:
    return f"u{new_id().replace('_', 'a').replace('-', 'b').lower()}@{domain}"


def begun(browser: httpx2.Client) -> str:
    there = browser.get("/manage/oidc")
    assert there.status_code == 303
    return str(there.headers["location"])


def sign_in(browser: httpx2.Client, issuer: OpenIdProvider) -> httpx2.Response:
    return browser.get(issuer.authorize(begun(browser)))


def let_in(browser: httpx2.Client, issuer: OpenIdProvider) -> dict[str, Any]:
    back = sign_in(browser, issuer)
    assert (back.status_code, back.headers["location"]) == (303, "sign_in")
    session = browser.get("/manage/api/session", headers={"X-Linocut-Console": "1"})
    return dict(ok(session))


def refused(server: Live, browser: httpx2.Client, back: httpx2.Response, why: str) -> None:
    """Nobody was signed in, and the page says why."""
    assert (back.status_code, back.headers["location"]) == (303, f"sign_in?said={why}")
    assert COOKIE not in browser.cookies
    page = browser.get(f"/manage/{back.headers['location']}")
    assert SENTENCES[why].replace("'", "&#x27;") in page.text  # type: ignore[index]
    assert 'autocomplete="current-password"' in page.text, "a password does as well"


def test_whoever_has_a_verified_address_of_ours_joins(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client
) -> None:
    email = fresh()
    issuer.claims = person(email, preferred_username="Ada L.", name="Ada Lovelace")
    back = sign_in(browser, issuer)
    cookies = back.headers.get_list("set-cookie")
    kept = next(one for one in cookies if one.startswith(f"{COOKIE}="))
    assert all(word in kept for word in ("HttpOnly", "SameSite=strict", "Path=/"))
    told = ok(browser.get("/manage/api/session", headers={"X-Linocut-Console": "1"}))
    assert (told["email_address"], told["display_handle"]) == (email, "AdaL.")
    with server.runtime.db.read() as tx:
        home = ensure_organization_id(server, "joiners")
        assert members.role_of(tx, home, told["user_id"]) == "MEMBER"
        assert people.get(tx, told["user_id"]).full_name == "Ada Lovelace"
        actions = [one.action for one in audit.entries(tx, most=8)]
        newest = audit.entries(tx, most=1)[0]
    assert {"user.created", "member.added", "user.linked", "user.signed_in"} <= set(actions)
    assert newest.details == {"how": "openid"}
    assert browser.get("/manage/api/profiles").status_code == 401, "the cookie counts beside the console's header only"
    assert let_in(browser, issuer)["user_id"] == told["user_id"], "the same person again"


def ensure_organization_id(server: Live, name: str) -> str:
    with server.runtime.db.transaction() as tx:
        return ensure_organization(tx, name)


def test_an_account_is_tied_to_the_subject_and_not_to_the_address(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client
) -> None:
    email = fresh("elsewhere.example")
    with server.runtime.db.transaction() as tx:
        mine = people.create(tx, email.partition("@")[0], email, by=OPERATOR).user_id
    issuer.claims = person(email.upper(), sub="grace")
    assert let_in(browser, issuer)["user_id"] == mine, "a user that stood already, by the verified address"
    issuer.claims = person(fresh("another.example"), sub="grace", email_verified=False)
    assert let_in(browser, issuer)["user_id"] == mine, "the same person under another address"
    issuer.claims = person(email, sub="somebody else", email_verified=False)
    browser.cookies.clear()
    refused(server, browser, sign_in(browser, issuer), "unverified")


@pytest.mark.parametrize("verified", [False, None, "false", 0, 1, "yes"])
def test_an_address_that_is_not_verified_lets_nobody_in(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client, verified: object
) -> None:
    email = fresh()
    with server.runtime.db.transaction() as tx:
        people.create(tx, email.partition("@")[0], email, by=OPERATOR)
    issuer.claims = person(email, email_verified=verified)
    refused(server, browser, sign_in(browser, issuer), "unverified")


@pytest.mark.parametrize(
    "domain", ["elsewhere.example", "notjoin.example", "join.example.evil.example", "a.join.example"]
)
def test_strangers_do_not_join(server: Live, issuer: OpenIdProvider, browser: httpx2.Client, domain: str) -> None:
    issuer.claims = person(fresh(domain))
    before = users_of(server)
    refused(server, browser, sign_in(browser, issuer), "unknown")
    assert users_of(server) == before


def users_of(server: Live) -> int:
    with server.runtime.db.read() as tx:
        return int(tx.execute(select(func.count()).select_from(users)).scalar_one())


def test_whoever_is_invited_joins_where_they_are_invited(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client
) -> None:
    owner, email = server.account(), fresh("elsewhere.example")
    place = {"organization_id": owner.organization_id}
    made = owner.http.post(
        "/manage/api/organization/add_members", params=place, json={"members": [{"email_address": email}]}
    )
    assert ok(made)["results"][0]["success"]
    issuer.claims = person(email)
    user_id = let_in(browser, issuer)["user_id"]
    with server.runtime.db.read() as tx:
        assert members.role_of(tx, owner.organization_id, user_id) == "MEMBER"
    seen = ok(owner.http.get("/manage/api/organization/members", params=place))["members"]
    assert all(one["invite_status"] is None for one in seen)


def test_a_user_who_was_removed_stays_out(server: Live, issuer: OpenIdProvider, browser: httpx2.Client) -> None:
    issuer.claims = person(fresh())
    user_id = let_in(browser, issuer)["user_id"]
    with server.runtime.db.transaction() as tx:
        tx.execute(update(users).where(users.c.user_id == user_id).values(deleted_at=now()))
    browser.cookies.clear()
    refused(server, browser, sign_in(browser, issuer), "removed")
    issuer.claims |= {"sub": "another subject with the address"}
    refused(server, browser, sign_in(browser, issuer), "removed")


@pytest.mark.parametrize(
    "how",
    [
        "signed with another key", "alg none", "signed with the public key as a shared secret", "signature cut off",
        "another audience", "two audiences and no azp", "another azp", "another issuer", "expired", "no end",
        "another nonce", "no nonce", "of tomorrow", "another access token's", "no subject", "a number as subject",
        "a long subject",
    ],
)  # fmt: skip
def test_a_token_that_is_not_good_lets_nobody_in(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client, how: str
) -> None:
    issuer.claims = person(fresh())
    issuer.spoil = spoiled(how, issuer)
    before = users_of(server)
    refused(server, browser, sign_in(browser, issuer), "wrong")
    assert users_of(server) == before
    with server.runtime.db.read() as tx:
        newest = audit.entries(tx, most=1)[0]
    assert (newest.action, newest.details) == ("user.sign_in_failed", {"how": "openid", "why": "wrong"})


def test_good_tokens_of_other_shapes_let_in(server: Live, issuer: OpenIdProvider, browser: httpx2.Client) -> None:
    for more in ({"aud": [CLIENT_ID]}, {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}, {"email_verified": "true"}):
        issuer.claims = person(fresh(), **more)
        let_in(browser, issuer)


def test_the_way_back_is_good_once_and_in_this_browser(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client
) -> None:
    issuer.claims = person(fresh())
    back = issuer.authorize(begun(browser))
    with httpx2.Client(base_url=server.url) as another:
        refused(server, another, another.get(back), "stale")
        another.get("/manage/oidc")  # another attempt of another browser
        refused(server, another, another.get(back), "stale")
    assert browser.get(back).headers["location"] == "sign_in", "what others tried did not use it up"
    browser.cookies.clear()
    refused(server, browser, browser.get(back), "stale")
    mine = issuer.authorize(begun(browser))
    kept = dict(browser.cookies)
    assert browser.get(mine).headers["location"] == "sign_in"
    browser.cookies.clear()
    browser.cookies.update(kept)
    refused(server, browser, browser.get(mine), "stale")
    for wrong in ("", "?state=x&code=y", "?code=y", "?error=access_denied", f"?state={'x' * 5000}&code=y"):
        refused(server, browser, browser.get(f"/manage/oidc_callback{wrong}"), "stale")


def test_an_attempt_that_took_too_long_is_over(server: Live, issuer: OpenIdProvider, browser: httpx2.Client) -> None:
    issuer.claims = person(fresh())
    back = issuer.authorize(begun(browser))
    with server.runtime.db.transaction() as tx:
        tx.execute(update(sign_in_attempts).values(expires_at=now() - timedelta(seconds=1)))
    refused(server, browser, browser.get(back), "stale")


def test_whoever_goes_back_at_the_issuer_is_told(server: Live, issuer: OpenIdProvider, browser: httpx2.Client) -> None:
    state = parse_qs(urlsplit(begun(browser)).query)["state"][0]
    told = browser.get("/manage/oidc_callback", params={"state": state, "error": "<script>alert(1)</script>"})
    refused(server, browser, told, "refused")
    page = browser.get("/manage/sign_in", params={"said": "<script>alert(1)</script>"})
    assert "alert(1)" not in page.text, "the page says sentences of its own only"
    state = parse_qs(urlsplit(begun(browser)).query)["state"][0]
    told = browser.get("/manage/oidc_callback", params={"state": state, "code": "never given"})
    refused(server, browser, told, "refused")


def test_another_issuer_s_answer_is_not_taken(server: Live, issuer: OpenIdProvider, browser: httpx2.Client) -> None:
    issuer.claims = person(fresh())
    back = issuer.authorize(begun(browser), iss="https://evil.example")
    refused(server, browser, browser.get(back), "wrong")
    assert browser.get(issuer.authorize(begun(browser), iss=issuer.url)).headers["location"] == "sign_in"


def test_what_the_userinfo_endpoint_says(server: Live, issuer: OpenIdProvider, browser: httpx2.Client) -> None:
    email = fresh()
    issuer.claims = {"sub": "one with little in the token"}
    issuer.userinfo = {"sub": "somebody else", "email": email, "email_verified": True}
    refused(server, browser, sign_in(browser, issuer), "wrong")
    issuer.userinfo |= {"sub": "one with little in the token"}
    assert let_in(browser, issuer)["email_address"] == email


def test_an_issuer_that_changes_its_key_is_asked_for_it(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linocut.api.openid.LOOK_AGAIN_SECONDS", 0.0)
    issuer.claims = person(fresh())
    let_in(browser, issuer)
    issuer.key, issuer.other_key = issuer.other_key, issuer.key
    let_in(browser, issuer)


BAD_FACTS: dict[str, dict[str, Any]] = {
    "another issuer's": {"issuer": "https://evil.example"}, "unencrypted": {"token_endpoint": "http://evil.example/t"},
    "no address": {"jwks_uri": None}, "a script": {"authorization_endpoint": "javascript:alert(1)"},
    "a password in it": {"authorization_endpoint": "https://a:b@login.example/"},
}  # fmt: skip


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The issuer is asked anew each time."""
    monkeypatch.setattr("linocut.api.openid.KEPT_SECONDS", -1.0)


@pytest.mark.parametrize("facts", BAD_FACTS.values(), ids=BAD_FACTS)
def test_an_issuer_that_says_odd_things_is_not_believed(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client, forgetful: None, facts: dict[str, Any]
) -> None:
    issuer.metadata = facts
    refused(server, browser, browser.get("/manage/oidc"), "wrong")


AWAY: dict[str, tuple[int, bytes]] = {
    "a fault": (500, b"{}"), "no JSON": (200, b"<html>"), "no object": (200, b"[]"), "a redirect": (302, b""),
    "a lot": (200, b'{"x": "' + b"x" * 300_000 + b'"}'),
}  # fmt: skip


@pytest.mark.parametrize("answer", AWAY.values(), ids=AWAY)
def test_an_issuer_that_is_away_is_a_sentence_and_passwords_go_on(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client, forgetful: None, answer: tuple[int, bytes]
) -> None:
    issuer.answers["/.well-known/openid-configuration"] = answer
    refused(server, browser, browser.get("/manage/oidc"), "unreachable")
    account = server.account()
    assert browser.get("/manage/api/profiles", headers=signed_in(account.token)).status_code == 200
    issuer.answers.clear()
    issuer.claims = person(fresh())
    let_in(browser, issuer)


def test_an_issuer_that_goes_away_meanwhile(server: Live, issuer: OpenIdProvider, browser: httpx2.Client) -> None:
    issuer.claims = person(fresh())
    back = issuer.authorize(begun(browser))
    issuer.answers["/token"] = (503, b"")
    refused(server, browser, browser.get(back), "unreachable")


@pytest.mark.long
def test_an_issuer_that_keeps_silent_is_waited_for_two_seconds(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client, forgetful: None
) -> None:
    issuer.hold = threading.Event()
    try:
        began = time.monotonic()
        refused(server, browser, browser.get("/manage/oidc"), "unreachable")
        assert 1.9 < time.monotonic() - began < 10
    finally:
        issuer.hold.set()
        issuer.hold = None


def test_an_organisation_that_is_being_removed_is_not_joined(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client
) -> None:
    home = ensure_organization_id(server, "joiners")
    mine = update(organizations).where(organizations.c.organization_id == home)
    issuer.claims = person(fresh())
    before = users_of(server)
    with server.runtime.db.transaction() as tx:
        tx.execute(mine.values(deleted_at=now()))
    try:
        refused(server, browser, sign_in(browser, issuer), "unknown")
        assert users_of(server) == before
    finally:
        with server.runtime.db.transaction() as tx:
            tx.execute(mine.values(deleted_at=None))


def test_the_page_has_a_button_where_an_issuer_is_set(server: Live, issuer: OpenIdProvider, idle: Live) -> None:
    host = urlsplit(issuer.url).netloc
    assert f'<a class="button" href="oidc">Sign in with {host}</a>' in server.public.get("/manage/sign_in").text
    told = ok(server.public.get("/manage/api/ways_to_sign_in"))
    assert told["openid_connect"] == {"name": host, "url": f"{server.url}/manage/oidc"}
    assert "oidc" not in idle.public.get("/manage/sign_in").text
    assert ok(idle.public.get("/manage/api/ways_to_sign_in"))["openid_connect"] is None
    for path in ("/manage/oidc", "/manage/oidc_callback"):
        assert idle.public.get(path).status_code == 404


def test_who_begins_too_often_waits(server: Live, browser: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with server.runtime.db.read() as tx:
        there = tx.execute(select(func.count()).select_from(sign_in_attempts)).scalar_one()
    monkeypatch.setattr(identities, "MOST_ATTEMPTS", there + 1)
    begun(browser)
    refused(server, browser, browser.get("/manage/oidc"), "often")


def test_no_secret_is_kept(server: Live, issuer: OpenIdProvider, browser: httpx2.Client) -> None:
    issuer.claims = person(fresh())
    let_in(browser, issuer)
    with server.runtime.db.read() as tx:
        text = "".join(str(tx.execute(select(table)).all()) for table in (sign_in_attempts, sessions))
    assert CLIENT_SECRET not in text + repr(server.runtime.settings)
    assert all(value not in text for value in browser.cookies.values())
