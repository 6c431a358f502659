"""Who is asking: settled before anything of the body is read."""

import httpx2
import pytest
from tests.api.live import Account, Live, raw

from linocut.accounts import keys
from linocut.api.auth import COOKIE


def test_the_body_is_not_read_for_a_stranger(live: Live) -> None:
    """A gigabyte is announced and never sent: the answer comes all the same."""
    status, _, body = raw(
        live,
        b"POST /datasets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n",
    )
    assert status == 401
    assert body["error"].startswith("Send a valid API key")


def test_the_body_is_not_read_for_a_stranger_who_streams(live: Live) -> None:
    sent = 0

    def endless() -> object:
        nonlocal sent
        while sent < 400_000_000:
            sent += 65536
            yield b"x" * 65536

    answer = live.public.post("/datasets/x/upload_assets", content=endless(), headers={"Content-Type": "image/png"})  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert sent < 100_000_000


@pytest.mark.parametrize(
    "header",
    [
        "Api-Key: {}",
        "api-key: {}",
        "API-KEY:{}",
        "aPi-kEy:   {}  ",
        "Authorization: Bearer {}",
        "authorization: bearer {}",
    ],
)
def test_a_key_in_any_case_and_any_host(live: Live, account: Account, header: str) -> None:
    line = header.format(account.api_key)
    for host in ("localhost", "api.ideogram.ai", "example.com:1234", "weird_host", ""):
        status, _, body = raw(live, f"GET /datasets HTTP/1.1\r\nHost: {host}\r\n{line}\r\n\r\n".encode())
        assert (status, body) == (200, {"datasets": []})


def test_a_key_revoked_elsewhere_is_refused_at_once(live: Live, account: Account) -> None:
    assert account.http.get("/datasets").status_code == 200
    with live.runtime.db.transaction() as tx:
        keys.revoke_key(tx, account.api_key_id)
    assert account.http.get("/datasets").status_code == 401


def test_the_three_refusals_are_the_same(live: Live, account: Account) -> None:
    with live.runtime.db.transaction() as tx:
        keys.revoke_key(tx, account.api_key_id)
    bodies = {
        live.public.get("/models", headers=headers).content
        for headers in ({}, {"Api-Key": "lino_" + "a" * 43}, {"Api-Key": account.api_key})
    }
    assert len(bodies) == 1


def test_unknown_places_and_verbs_are_json_for_everybody(live: Live, account: Account) -> None:
    for http in (live.public, account.http):
        assert http.get("/v1/nothing").status_code == 404
        answer = http.put("/datasets/x")
        assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD")
        assert http.get("/v1/ideogram-v3/generate").headers["allow"] == "POST"
        assert http.request("OPTIONS", "/models/x").status_code == 405


def test_a_slash_at_the_end_is_the_same_place_and_no_redirect(live: Live, account: Account) -> None:
    answer = account.http.post("/datasets/", json={"name": "slashed"})
    assert answer.status_code == 200
    assert answer.history == []
    assert account.http.get("/datasets/").json()["datasets"][0]["name"] == "slashed"


@pytest.mark.parametrize("path", ["/datasets/%2e%2e/x", "/models/%00", "/models/a%2Fb", "/models/" + "x" * 3000])
def test_odd_ids_are_ids_like_others(account: Account, path: str) -> None:
    assert account.http.get(path).status_code == 404


def test_health_needs_no_key(live: Live) -> None:
    assert live.public.get("/healthz").json() == {"status": "ok"}
    answer = live.public.get("/readyz")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    with live.working():
        assert live.public.get("/readyz").json() == {"status": "ready"}


def test_keys_of_one_user_see_the_same_and_others_nothing(live: Live) -> None:
    first, second, other = live.account("ann", "acme"), live.account("ann", "other org"), live.account("bob", "acme")
    dataset_id = first.http.post("/datasets", json={"name": "mine"}).json()["dataset_id"]
    assert second.http.get(f"/datasets/{dataset_id}").status_code == 200
    refused = other.http.get(f"/datasets/{dataset_id}")
    assert refused.status_code == 404
    assert refused.content == other.http.get("/datasets/none").content
    assert isinstance(other.http, httpx2.Client)


@pytest.mark.parametrize("other", ['prefs={"a": 1}', "a=é", "flag", "a[b]=c", "a=b c", "=x", "a=b"])
@pytest.mark.parametrize("order", ["{other}; {ours}", "{ours}; {other}"])
def test_a_cookie_of_another_program_of_the_host_signs_nobody_out(
    live: Live, account: Account, order: str, other: str
) -> None:
    cookie = order.format(other=other, ours=f"{COOKIE}={account.token}")
    headers = {"Cookie": cookie.encode(), "X-Linocut-Console": b"1"}
    assert live.public.get("/manage/api/session", headers=headers).status_code == 200
