"""Generations that nobody waits for, over HTTP: placed, polled, told to a webhook, kept as long as their images."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from tests.api.live import Account, Live
from tests.api.processes import until
from tests.walks.steps import ok

from linocut import ids
from linocut.client import Client
from linocut.db.tables import generations, jobs

PATH, HOOK = "/v1/ideogram-v4/async/generate", "https://hooks.example.org/linocut"
BODY = {"text_prompt": "a pot of tea", "seed": 3}


def begun(account: Account, hook: str = HOOK, body: Any = None, **how: Any) -> httpx2.Response:
    return account.http.post(PATH, params={"webhook_url": hook}, json=body or BODY, **how)


def generation(account: Account, hook: str = HOOK, body: Any = None) -> str:
    return str(ok(begun(account, hook, body))["generation_id"])


def polled(account: Account, generation_id: str, status: str = "completed") -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        now = ok(account.http.get(f"/v1/generations/{generation_id}"))
        return now if now["status"] == status else None

    return until(there, f"a {status} generation")


def rows(live: Live) -> int:
    with live.runtime.db.read() as tx:
        return len(tx.execute(select(generations)).all()) + len(tx.execute(select(jobs)).all())


def test_it_is_answered_at_once_and_drawn_although_nobody_waits(live: Live, account: Account) -> None:
    generation_id = generation(account)
    done = polled(account, generation_id)
    assert set(done) == {"generation_id", "status", "created", "response_type", "data"}
    [image] = done["data"]
    assert (image["seed"], image["resolution"], image["is_image_safe"]) == (3, "2048x2048", True)
    assert live.public.get(image["url"]).headers["content-type"] == "image/png"
    waited = ok(account.http.post("/v1/ideogram-v4/generate", json=BODY))["data"][0]
    assert {**waited, "url": ""} == {**image, "url": ""}, "the same as for somebody who waits"


def test_a_form_is_taken_too(account: Account) -> None:
    files = {"text_prompt": (None, "tea"), "resolution": (None, "1024x1024"), "photo": ("a.png", b"x")}
    answer = account.http.post(PATH, params={"webhook_url": HOOK}, files=files)
    image = polled(account, ok(answer)["generation_id"])["data"][0]
    assert image["resolution"] == "1024x1024"
    assert image["x_linocut"]["notes"][0].startswith("photo was left out: ")


def test_it_is_pending_and_counts_as_in_flight_until_it_is_drawn(idle: Live) -> None:
    account = idle.account()
    first = generation(account)
    assert set(ok(account.http.get(f"/v1/generations/{first}"))) == {"generation_id", "status", "created"}
    for _ in range(9):
        generation(account)
    before = rows(idle)
    refused = begun(account)
    assert (refused.status_code, refused.json()["max_inflight_requests"]) == (429, 10)
    assert rows(idle) == before, "nothing of it is left"


def test_a_failed_one_says_why(account: Account) -> None:
    done = polled(account, generation(account, body={"text_prompt": "tea [fail]"}), "failed")
    assert "data" not in done
    assert "response_type" not in done
    assert done["x_linocut"]["error"].endswith(".")


def test_others_and_never_made_ones_are_answered_alike(live: Live, account: Account) -> None:
    generation_id = generation(account)
    told = [live.account().http.get(f"/v1/generations/{generation_id}"), account.http.get("/v1/generations/x")]
    told.append(account.http.get(f"/v1/generations/{ids.new_id()}"))
    assert {one.status_code for one in told} == {404}
    assert len({one.content for one in told}) == 1
    assert live.public.get(f"/v1/generations/{generation_id}").status_code == 401


@pytest.mark.parametrize(("hook", "words"), [
    (None, "webhook_url is required"),
    ("", "webhook_url must begin with https://"),
    ("http://hooks.example.org/", "webhook_url must begin with https://"),
    ("https://u:p@hooks.example.org/", "webhook_url must not hold a name or a password"),
    (f"https://hooks.example.org/{'x' * 2030}", "at most 2048 characters"),
    ("https://127.0.0.1/", "webhook_url: its host leads to a private"),
    ("https://localhost/", "webhook_url: its host leads to a private"),
    ("https://[::1]/", "webhook_url: its host leads to a private"),
    ("https://[::ffff:10.0.0.1]/", "webhook_url: its host leads to a private"),
    ("https://169.254.169.254/latest/meta-data", "webhook_url: its host leads to a private"),
    ("https://100.64.0.1/", "webhook_url: its host leads to a private"),
    ("https://2130706433/", "webhook_url: its host leads to a private"),
    ("https://no-such-host.invalid/", "webhook_url: its host has no address"),
])  # fmt: skip
def test_a_webhook_that_may_not_be_called_is_refused_and_nothing_is_placed(
    live: Live, account: Account, hook: str | None, words: str
) -> None:
    before = rows(live)
    told = account.http.post(PATH, params={} if hook is None else {"webhook_url": hook}, json=BODY)
    assert told.status_code == 400, told.text
    assert words in told.json()["error"]
    assert rows(live) == before


@pytest.mark.parametrize(("body", "status", "words"), [
    ({}, 400, "text_prompt or json_prompt"),
    ({"text_prompt": "tea", "json_prompt": {}}, 400, "json_prompt"),
    ({"text_prompt": "tea", "rendering_speed": "FLASH"}, 400, "rendering_speed FLASH"),
    ({"text_prompt": "tea", "num_images": 2}, 400, "has no field num_images"),
    ({"text_prompt": "tea", "custom_model_uri": "model/none/version/1"}, 404, ""),
    ({"text_prompt": "a nude child"}, 422, "safety check"),
])  # fmt: skip
def test_what_generate_refuses_is_refused_here(
    live: Live, account: Account, body: dict[str, Any], status: int, words: str
) -> None:
    before = rows(live)
    told = begun(account, body=body or {"seed": 1})
    assert told.status_code == status, told.text
    assert words in told.json()["error"]
    assert rows(live) == before


def test_one_key_is_one_generation_and_another_webhook_is_another_request(live: Live, account: Account) -> None:
    before, key = rows(live), {"Idempotency-Key": "once"}
    first = begun(account, headers=key)
    assert begun(account, headers=key).content == first.content
    assert rows(live) == before + 2
    other = begun(account, f"{HOOK}/other", headers=key)
    assert (other.status_code, "another body" in other.text) == (400, True)


def test_a_repetition_is_answered_also_when_its_host_is_gone_meanwhile(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from linocut.api import webhooks as ahead
    from linocut.webhooks.targets import Refused

    async def found(*_: Any) -> list[str]:
        return ["8.8.8.8"]

    async def gone(*_: Any) -> list[str]:
        raise Refused("its host has no address; check the name")

    key = {"Idempotency-Key": "gone"}
    monkeypatch.setattr(ahead, "addresses_of", found)
    first = begun(account, "https://elsewhere.example.com/", headers=key)
    monkeypatch.setattr(ahead, "addresses_of", gone)
    assert begun(account, "https://elsewhere.example.com/", headers=key).content == first.content
    assert begun(account, "https://elsewhere.example.com/").status_code == 400


def test_the_client_has_both(account: Account, live: Live) -> None:
    with Client(account.api_key, live.url) as client:
        generation_id = client.generate_async(text_prompt="tea", webhook_url=HOOK, seed=4)["generation_id"]
        polled(account, generation_id)
        assert client.generation(generation_id)["data"][0]["seed"] == 4


def test_the_keys_are_anybody_s_to_read(live: Live) -> None:
    answer = live.public.get("/v1/.well-known/jwks.json")
    [key] = ok(answer)["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"], len(key["x"]), len(key["kid"])) == (
        "OKP", "Ed25519", "EdDSA", "sig", 43, 22,
    )  # fmt: skip
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert live.public.get("/v1/.well-known/jwks.json").content == answer.content


def _expiry(link: str) -> int:
    return int(dict(httpx2.URL(link).params)["exp"])


def test_a_link_is_good_for_a_day_and_never_longer_than_its_image_is_kept(live: Live, account: Account) -> None:
    from linocut.api.translate.generations import generation_response
    from linocut.generation import asynchronous

    generation_id = generation(account)
    polled(account, generation_id)
    with live.runtime.db.read() as tx:
        found = asynchronous.get(tx, generation_id)
    assert found.job.finished_at is not None
    ends: list[float] = []
    for days in (0, 3, 29.5):
        now = found.job.finished_at + timedelta(days=days)
        answer = generation_response(found, live.runtime, now, "http://x")
        assert isinstance(answer.data, list)
        ends.append((_expiry(str(answer.data[0].url)) - int(found.job.finished_at.timestamp())) / 86400)
    assert ends == [1.0, 4.0, 30.0]
