"""Money over HTTP: what each operation costs, what is refused before any work, and what the console is told."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select
from tests.api.live import HOOKS, Account, Live, running, signed_in
from tests.api.pictures import png
from tests.api.processes import until
from tests.walks.money import CENT, MANAGE, charges, grant, where
from tests.walks.steps import FEWEST, V3_GENERATE, V3_TRAIN, V4_GENERATE, fill, finish, model, ok

from linocut.accounts.audit import OPERATOR
from linocut.accounts.spend_limits import Limits, set_limits
from linocut.db.tables import api_keys, jobs
from linocut.ids import new_id, now

IMAGE = {"image": ("a.png", png(1), "image/png")}
PRICED: list[tuple[str, str, dict[str, Any], dict[str, Any] | None, int, int, str]] = [
    ("v3", V3_GENERATE, {"prompt": "tea", "num_images": 2}, None, 12, 2, "GENERATE"),
    ("v3 flash", V3_GENERATE, {"prompt": "tea", "rendering_speed": "FLASH"}, None, 3, 1, "GENERATE"),
    ("v3 turbo", V3_GENERATE, {"prompt": "tea", "rendering_speed": "TURBO"}, None, 3, 1, "GENERATE"),
    ("v3 balanced", V3_GENERATE, {"prompt": "tea", "rendering_speed": "BALANCED"}, None, 6, 1, "GENERATE"),
    ("v3 quality", V3_GENERATE, {"prompt": "tea", "rendering_speed": "QUALITY"}, None, 9, 1, "GENERATE"),
    ("v4", V4_GENERATE, {"text_prompt": "tea"}, None, 6, 1, "GENERATE"),
    ("v4 quality", V4_GENERATE, {"text_prompt": "tea", "rendering_speed": "QUALITY"}, None, 10, 1, "GENERATE"),
    ("unsafe", V3_GENERATE, {"prompt": "tea [unsafe]", "magic_prompt": "OFF"}, None, 6, 1, "GENERATE"),
    ("transparent", "/v1/ideogram-v3/generate-transparent", {"prompt": "tea", "upscale_factor": "X2"}, None, 19, 1,
     "GENERATE"),
    ("remix", "/v1/ideogram-v3/remix", {"prompt": "tea"}, IMAGE, 6, 1, "REMIX"),
    ("reframe", "/v1/ideogram-v3/reframe", {"resolution": "1024x1024", "num_images": "3"}, IMAGE, 18, 3, "EDIT"),
    ("replace", "/v1/ideogram-v3/replace-background", {"prompt": "a wall"}, IMAGE, 6, 1, "EDIT"),
    ("edit", "/v1/edit", {"prompt": "change the background to blue", "num_images": "2"},
     {"images": ("a.png", png(1), "image/png")}, 40, 2, "EDIT"),
    ("upscale", "/upscale", {"image_request": '{"num_images": 3}'}, {"image_file": ("a.png", png(1), "image/png")}, 6,
     1, "UPSCALE"),
    ("describe", "/describe", {}, {"image_file": ("a.png", png(1), "image/png")}, 1, 1, "DESCRIBE"),
    ("cutout", "/v1/remove-background", {}, IMAGE, 1, 1, "OTHER"),
    ("layers", "/v1/ideogram-v3/layerize-text", {}, IMAGE, 9, 1, "OTHER"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "fields", "files", "cents", "quantity", "tool"), [c[1:] for c in PRICED],
                         ids=[c[0] for c in PRICED])  # fmt: skip
def test_each_operation_costs_what_is_published(
    shop: Live, rich: Account, path: str, fields: dict[str, Any], files: Any, cents: int, quantity: int, tool: str
) -> None:
    told = rich.http.post(path, json=fields) if files is None else rich.http.post(path, data=fields, files=files)
    ok(told)
    (charge,) = charges(shop, rich)
    assert (-charge.amount, charge.quantity, charge.tool) == (cents * CENT, quantity, tool)
    assert charge.amount == -charge.unit_price * charge.quantity


LEGACY = [("V_1", 6, "V_1_1"), ("V_1_TURBO", 2, "V_1_1"), ("V_2", 8, "V_2_1"), ("V_2_TURBO", 5, "V_2_1"),
          ("V_2A", 4, "V_2_1"), ("V_2A_TURBO", 2.5, "V_2_1"), ("V_3", 6, "V_3_0"), ("AUTO", 6, "V_3_0")]  # fmt: skip


def test_older_models_have_their_own_prices(shop: Live, rich: Account) -> None:
    for name, _, _ in LEGACY:
        ok(rich.http.post("/generate", json={"image_request": {"prompt": "tea", "model": name}}))
    found = [(-c.amount / CENT, c.model_version) for c in charges(shop, rich)]
    assert found == [(cents, version) for _, cents, version in LEGACY]


def test_a_magic_prompt_is_free(shop: Live) -> None:
    ok(shop.account().http.post("/v1/ideogram-v4/magic-prompt", json={"text_prompt": "tea"}))


def paid(shop: Live, account: Account) -> list[Any]:
    """The charges of an amount: the device time of a training's last previews is an entry of none."""
    return [one for one in charges(shop, account) if one.amount]


def test_a_training_and_what_its_model_draws(shop: Live, rich: Account) -> None:
    started = ok(rich.http.post(V3_TRAIN, json={"dataset_id": fill(rich), "model_name": "Tea posters"}))
    model = finish(rich, started["model_id"])
    (charge,) = paid(shop, rich)
    assert (-charge.amount, charge.name, charge.model_id) == (4000 * CENT, "Training", started["model_id"])
    assert charge.device_us > 0
    uri = model["custom_model_uri"]
    ok(rich.http.post(V3_GENERATE, json={"prompt": "tea", "custom_model_uri": uri, "rendering_speed": "QUALITY"}))
    assert -paid(shop, rich)[-1].amount == 18 * CENT
    assert paid(shop, rich)[-1].model_id == started["model_id"]


def test_what_cannot_be_paid_for_is_refused_before_any_work(shop: Live) -> None:
    account = shop.account()
    grant(shop, account, 5)
    asked = {
        V3_GENERATE: {"json": {"prompt": "tea"}},
        "/v1/edit": {"data": {"prompt": "change the background to blue"}, "files": {"images": ("a.png", png(1))}},
        V3_TRAIN: {"json": {"dataset_id": fill(account), "model_name": "Tea posters"}},
    }
    before = jobs_there(shop)
    for path, how in asked.items():
        told = account.http.post(path, **how)
        assert (told.status_code, told.json()["reject_reason"]) == (402, "insufficient_funds"), path
        assert "0.05 USD" in told.json()["error"]
    assert jobs_there(shop) == before, "not even a description"
    assert ok(account.http.get("/models"))["models"] == []
    grant(shop, account, 1)
    ok(account.http.post(V3_GENERATE, json={"prompt": "tea"}))


def jobs_there(live: Live) -> int:
    with live.runtime.db.read() as tx:
        return int(tx.execute(select(func.count()).select_from(jobs)).scalar_one())


def test_failed_work_is_free_and_a_repetition_is_not_charged_again(shop: Live, rich: Account) -> None:
    assert rich.http.post(V3_GENERATE, json={"prompt": "[fail]", "magic_prompt": "OFF"}).status_code == 500
    (told,) = charges(shop, rich)
    assert (told.amount, told.quantity) == (0, 0)
    assert told.device_us > 0, "where the device's time went"
    headers = {"Idempotency-Key": "once"}
    both = [rich.http.post(V3_GENERATE, json={"prompt": "tea"}, headers=headers) for _ in range(2)]
    assert ok(both[0]) == ok(both[1])
    assert [one.quantity for one in charges(shop, rich)] == [0, 1]


def test_an_edit_that_is_not_understood_holds_nothing(shop: Live) -> None:
    account = shop.account()
    grant(shop, account, 20)
    files = {"images": ("a.png", png(1), "image/png")}
    assert account.http.post("/v1/edit", data={"prompt": "qwertz uiop"}, files=files).status_code == 400
    left = ok(account.http.get(f"{MANAGE}/credits", params=where(account)))["available_credits"]
    assert left == {"amount": 20.0, "currency_code": "USD"}
    ok(account.http.post("/v1/edit", data={"prompt": "change the background to blue"}, files=files))
    assert charges(shop, account)[0].device_us >= 0


def test_spend_limits_are_told_with_their_reason(shop: Live, rich: Account) -> None:
    for subject, limits, reason in (
        (rich.organization_id, Limits(day=5 * CENT), "daily_limit"),
        (rich.organization_id, Limits(month=5 * CENT), "spend_limit"),
        (rich.api_key_id, Limits(day=5 * CENT), "daily_limit"),
    ):
        with shop.runtime.db.transaction() as tx:
            set_limits(tx, subject, rich.organization_id, limits, OPERATOR)
        told = rich.http.post(V3_GENERATE, json={"prompt": "tea"})
        assert (told.status_code, told.json()["reject_reason"]) == (402, reason)
        with shop.runtime.db.transaction() as tx:
            set_limits(tx, subject, rich.organization_id, Limits(), OPERATOR)
    ok(rich.http.post(V3_GENERATE, json={"prompt": "tea"}))


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """A server whose engine takes its time, with a limit of requests."""
    monkeypatch.setenv("LINOCUT_FAKE_STEP_SECONDS", "0.01")
    limits = {"prices": "published", "min_training_images": FEWEST, "requests_per_minute": 1000}
    with running(tmp_path, **limits) as server, server.working():
        yield server


def test_a_training_that_is_stopped_is_charged_for_its_steps(slow: Live) -> None:
    account = slow.account()
    grant(slow, account, 10_000)
    numbers = {"training_steps": 1000, "lora_rank": 64}
    body = {"dataset_id": fill(account), "model_name": "Tea posters", **numbers}
    model_id = ok(account.http.post(f"{V3_TRAIN}-advanced", json=body))["model_id"]
    until(lambda: (model(account, model_id)["x_linocut"]["step"] or 0) >= 120, "some steps")
    ok(account.http.post(f"/models/{model_id}/cancel"))
    done = finish(account, model_id)
    stopped = done["x_linocut"]["stopped_at_step"]
    assert 0 < stopped < 1000
    (charge,) = charges(slow, account)
    assert -charge.amount == 4000 * CENT * stopped // 1000
    assert charge.device_us > 120 * 10_000, "also what was told with the progress"
    account.http.post(V3_TRAIN, json={"dataset_id": body["dataset_id"], "model_name": "Tea posters"})
    second = next(one["model_id"] for one in ok(account.http.get("/models"))["models"] if one["model_id"] != model_id)
    ok(account.http.post(f"/models/{second}/cancel"))
    if finish(account, second)["status"] == "ERRORED":
        assert not any(one.amount for one in charges(slow, account)[1:]), "before its first step it costs nothing"


def test_a_key_over_its_requests_a_minute_and_the_session_that_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, requests_per_minute=5) as server:
        account = server.account()
        key = httpx2.Client(base_url=server.url, headers={"Api-Key": account.api_key}, event_hooks=HOOKS)
        session = httpx2.Client(base_url=server.url, headers=signed_in(account.token), event_hooks=HOOKS)
        other = httpx2.Client(base_url=server.url, headers={"Api-Key": "lino_" + "x" * 43}, event_hooks=HOOKS)
        assert [other.get("/models").status_code for _ in range(7)] == [401] * 7
        paths = ("/models", "/datasets", f"/models/{new_id()}", "/models", "/nothing-here", "/datasets", "/models")
        assert [key.get(path).status_code for path in paths] == [200, 200, 404, 200, 404, 200, 429]
        told = key.post(V3_GENERATE, json={"prompt": "tea"})
        assert (told.status_code, told.json()["reject_reason"]) == (429, "rate_limit")
        assert 50 <= int(told.headers["retry-after"]) <= 60
        assert [session.get("/models").status_code for _ in range(8)] == [200] * 8
        assert key.get("/healthz").status_code == 200
        later = now() + timedelta(seconds=60)
        monkeypatch.setattr("linocut.api.runner.now", lambda: later)
        assert key.get("/models").status_code == 200


def test_without_a_limit_a_read_writes_nothing(shop: Live, rich: Account) -> None:
    rich.http.get("/models")
    until(lambda: last_use(shop, rich), "the note of the key's use, which is written beside the first answer")
    changes = shop.runtime.db.changes()

    def written() -> bool:
        changes.changed()
        for _ in range(20):
            ok(rich.http.get("/models"))
            ok(rich.http.get(f"{MANAGE}/credits", params=where(rich)))
        return changes.changed()

    assert not all(written() for _ in range(3)), "a worker tells of itself now and then; a read never writes"
    changes.close()


def last_use(live: Live, account: Account) -> Any:
    with live.runtime.db.read() as tx:
        mine = api_keys.c.api_key_id == account.api_key_id
        return tx.execute(select(api_keys.c.last_used_at).where(mine)).scalar()
