"""What the console is told about money: usage, credit, invoices, the subscription; and who may see what."""

import csv
import io
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from tests.api.live import HOOKS, Account, Live, signed_in
from tests.api.pictures import png
from tests.walks.money import CENT, MANAGE, member_of, where
from tests.walks.steps import V3_GENERATE, ok

from linocut.accounts.audit import OPERATOR, entries
from linocut.accounts.organizations import add_member
from linocut.db.tables import organizations, users
from linocut.ids import new_id, now, wire_time
from linocut.ledger import book
from linocut.ledger.agreements import Commit, add_commit


def test_usage_by_hour_and_day_with_its_filters(shop: Live, rich: Account) -> None:
    ok(rich.http.post(V3_GENERATE, json={"prompt": "tea", "num_images": 2}))
    ok(rich.http.post("/describe", files={"image_file": ("a.png", png(1), "image/png")}))
    session = httpx2.Client(base_url=shop.url, headers=signed_in(rich.token), event_hooks=HOOKS, timeout=30)
    ok(session.post(V3_GENERATE, json={"prompt": "tea"}))

    def used(**more: Any) -> list[Any]:
        told = ok(rich.http.get(f"{MANAGE}/usage", params=where(rich, segment_by="HOUR", **more)))
        assert len(told["usage_segments"]) == 3, "empty ones too"
        return [(one["tool_type"], one["amount"]["amount"]) for s in told["usage_segments"] for one in s["tool_usage"]]

    assert used() == [("DESCRIBE", 1.0), ("GENERATE", 12.0)]
    assert used(source="APP") == [("GENERATE", 6.0)]
    assert used(tools=["DESCRIBE", "REMIX"]) == [("DESCRIBE", 1.0)]
    assert used(model_versions=["V_3_0"]) == [("GENERATE", 12.0)]
    assert used(api_key_ids=[rich.api_key_id]) == used()
    assert used(api_key_ids=[new_id()]) == used(user_emails=["nobody@example.org"]) == []
    with shop.runtime.db.transaction() as tx:
        tx.execute(users.update().where(users.c.user_id == rich.user_id).values(email=f"{rich.user_id.lower()}@e.org"))
    assert used(user_emails=[f"{rich.user_id.upper()}@E.org"]) == used()
    day = ok(rich.http.get(f"{MANAGE}/usage", params=where(rich, segment_by="DAY")))
    (found, *_) = [one for s in day["usage_segments"] for one in s["tool_usage"] if one["tool_type"] == "GENERATE"]
    assert found["x_linocut"]["quantity"] == 2
    assert found["user_email_address"] == f"{rich.user_id.lower()}@e.org"
    assert found["api_key_id"] == rich.api_key_id
    assert day["x_linocut"]["amount"]["amount"] == 13.0
    assert day["x_linocut"]["quantity"] == 3
    table = rich.http.get(f"{MANAGE}/usage.csv", params=where(rich))
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert sorted((row["source"], row["amount"]) for row in rows) == [
        ("API", "0.010000"), ("API", "0.120000"), ("APP", "0.060000"),
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", [
    {"segment_by": "WEEK"}, {"start_time": "yesterday"}, {"start_time": "9999-12-31T23:59:59-23:59"},
    {"end_time": "2000-01-01T00:00:00Z"}, {"start_time": "1971-01-01T00:00:00Z"}, {"tools": ["PAINT"]},
    {"source": "WEB"},
])  # fmt: skip
def test_what_usage_does_not_answer(shop: Live, rich: Account, wrong: dict[str, Any]) -> None:
    told = rich.http.get(f"{MANAGE}/usage", params={**where(rich, segment_by="DAY"), **wrong})
    assert told.status_code == 400
    assert next(iter(wrong)) in told.json()["error"]


def test_a_plus_that_was_not_encoded_is_a_plus(shop: Live, rich: Account) -> None:
    start = where(rich)["start_time"].replace("+", " ")
    path = f"{MANAGE}/usage?organization_id={rich.organization_id}&segment_by=DAY&start_time={start}"
    ok(rich.http.get(path.replace(" ", "+")))


def test_credits_and_their_summary(shop: Live, rich: Account) -> None:
    ok(rich.http.post(V3_GENERATE, json={"prompt": "tea"}))
    start = wire_time(now() - timedelta(days=2))
    told = ok(rich.http.get(f"{MANAGE}/credits", params={**where(rich), "start_time": start}))
    assert told["available_credits"]["amount"] == 9994.0
    assert told["total_spend"]["amount"] == 6.0
    assert told["average_daily_spend"]["amount"] == pytest.approx(3.0, abs=0.01)
    extras = told["x_linocut"]
    assert (extras["reserved"]["amount"], extras["is_prepaid"], extras["daily_limit"]) == (0.0, True, None)
    assert extras["spent_today"]["amount"] == extras["spent_this_month"]["amount"] == 6.0
    summary = ok(rich.http.get(f"{MANAGE}/credit_summary", params={"organization_id": rich.organization_id}))
    amounts = [summary[f"total_{one}"]["amount"] for one in ("issued", "consumed", "expired")]
    assert amounts == [10_000.0, 6.0, 0.0]
    (one,) = summary["credit_grants"]
    assert (one["amount_consumed"]["amount"], one["amount_available"]["amount"]) == (6.0, 9994.0)


def test_invoices_add_up_and_this_month_is_a_draft(shop: Live, rich: Account) -> None:
    for speed in ("TURBO", "TURBO", "QUALITY"):
        ok(rich.http.post(V3_GENERATE, json={"prompt": "tea", "rendering_speed": speed}))
    place = {"organization_id": rich.organization_id}
    (invoice,) = ok(rich.http.get(f"{MANAGE}/organization/list_invoices", params=place))["invoices"]
    assert (invoice["invoice_status"], invoice["invoice_id"], invoice["paid_date"]) == ("DRAFT", None, None)
    lines = invoice["line_items"]
    assert [(line["quantity"], line["total"]["amount"]) for line in lines] == [(1, 9.0), (2, 6.0)]
    for line in lines:
        assert line["quantity"] * line["unit_price"]["amount"] == line["total"]["amount"]
        assert line["api_key_id"] == rich.api_key_id
    assert sum(line["total"]["amount"] for line in lines) == invoice["total_spend"]["amount"] == 15.0


def test_a_top_up_by_the_server_s_administrator_alone(shop: Live) -> None:
    first, other = shop.account("first", "first of all"), shop.account()
    with shop.runtime.db.read() as tx:
        assert tx.execute(select(organizations.c.name).order_by(organizations.c.created_at)).scalar() == "first of all"
    path, place = f"{MANAGE}/add_credits", {"organization_id": other.organization_id}
    price = {"amount": 250, "currency_code": "USD"}
    extras = {"name": "November", "expires_at": wire_time(now() + timedelta(days=1))}
    assert other.http.post(path, params=place, json={"amount": price}).status_code == 403
    headers = {"Idempotency-Key": "top-up"}
    for _ in range(2):
        told = first.http.post(path, params=place, json={"amount": price, "x_linocut": extras}, headers=headers)
        assert ok(told) == {"amount": {"amount": 250.0, "currency_code": "USD"}}
    summary = ok(other.http.get(f"{MANAGE}/credit_summary", params=place))
    assert [(one["name"], one["amount_issued"]["amount"]) for one in summary["credit_grants"]] == [("November", 250.0)]
    nobody = first.http.post(path, params={"organization_id": new_id()}, json={"amount": price})
    assert nobody.status_code == 404
    for wrong in ({"amount": 0}, {"amount": -5}, {"amount": 1e300}, {"amount": 0.00001}, {"currency_code": "EUR"}):
        told = first.http.post(path, params=place, json={"amount": {**price, **wrong}})
        assert told.status_code == 400, wrong
        assert told.json()["messages"] == [told.json()["error"]]


def test_a_subscription_is_kept_and_says_that_nothing_is_paid_by_itself(shop: Live, rich: Account) -> None:
    path, place = f"{MANAGE}/subscription", {"organization_id": rich.organization_id}
    told = ok(rich.http.get(path, params=place))
    assert told["current_balance"]["amount"] == 10_000.0
    assert "recharge_settings" not in told
    assert rich.http.post(path, params=place, json={"is_active": True}).status_code == 400
    wanted = {
        "top_up_balance": {"amount": 20_000, "currency_code": "USD"},
        "minimum_balance_threshold": {"amount": 15_000, "currency_code": "USD"},
    }
    posted = ok(rich.http.post(path, params=place, json={"recharge_settings": wanted}))
    assert posted["recharge_settings"]["is_active"]
    assert posted["x_linocut"]["notes"][1] == "A top-up of 100.00 USD is wanted now."
    assert ok(rich.http.get(path, params=place))["recharge_settings"]["top_up_balance"]["amount"] == 20_000.0
    off = ok(rich.http.post(path, params=place, json={"is_active": False}))
    assert not off["recharge_settings"]["is_active"]
    assert "x_linocut" not in off
    wanted["minimum_balance_threshold"]["amount"] = 20_000
    told = rich.http.post(path, params=place, json={"recharge_settings": wanted})
    assert told.status_code == 400
    assert "above" in told.json()["messages"][0]


def test_the_billing_portal_is_our_own_page(shop: Live, rich: Account) -> None:
    told = ok(rich.http.get(f"{MANAGE}/organization/billing_portal", params={"organization_id": rich.organization_id}))
    assert told == {"has_stripe_setup": False, "stripe_billing_url": f"{shop.url}/console#/usage"}


def test_who_may_see_what(shop: Live, rich: Account) -> None:
    ok(rich.http.post(V3_GENERATE, json={"prompt": "tea"}))
    place, foreign = {"organization_id": rich.organization_id}, shop.account().http
    times = where(rich, segment_by="DAY")
    wanted = {"top_up_balance": {"amount": 2, "currency_code": "USD"},
              "minimum_balance_threshold": {"amount": 1, "currency_code": "USD"}}  # fmt: skip
    seen: dict[tuple[str, str], tuple[dict[str, Any], Any, int, int]] = {
        ("GET", "usage"): (times, None, 200, 200),
        ("GET", "usage.csv"): (times, None, 200, 200),
        ("GET", "credits"): (where(rich), None, 200, 200),
        ("GET", "limits"): (place, None, 200, 200),
        ("GET", "credit_summary"): (place, None, 403, 200),
        ("GET", "spend_commit"): (place, None, 403, 200),
        ("GET", "organization/list_invoices"): (place, None, 403, 200),
        ("GET", "organization/billing_portal"): (place, None, 403, 200),
        ("GET", "subscription"): (place, None, 403, 200),
        ("POST", "subscription"): (place, {"recharge_settings": wanted}, 403, 403),
        ("POST", "add_credits"): (place, {"amount": {"amount": 1, "currency_code": "USD"}}, 403, 403),
    }
    member, admin = member_of(shop, rich, "MEMBER"), member_of(shop, rich, "ADMIN")
    key = httpx2.Client(base_url=shop.url, headers={"Api-Key": rich.api_key}, event_hooks=HOOKS)
    for (method, name), (params, body, for_member, for_admin) in seen.items():
        path, how = f"{MANAGE}/{name}", {"params": params, "json": body} if body else {"params": params}
        assert member.request(method, path, **how).status_code == for_member, name
        assert admin.request(method, path, **how).status_code == for_admin, name
        assert foreign.request(method, path, **how).status_code == (403 if name == "add_credits" else 404), name
        assert key.request(method, path, **how).status_code == 401, name
        assert shop.public.request(method, path, **how).status_code == 401, name
    own = ok(member.get(f"{MANAGE}/usage", params=times))
    assert [s["tool_usage"] for s in own["usage_segments"]] == [[] for _ in own["usage_segments"]], "not the others'"
    assert ok(admin.get(f"{MANAGE}/usage", params=times))["x_linocut"]["amount"]["amount"] == 6.0


def test_what_an_administrator_entered_is_shown_beside_what_was_spent(shop: Live, rich: Account) -> None:
    path, place = f"{MANAGE}/spend_commit", {"organization_id": rich.organization_id}
    assert ok(rich.http.get(path, params=place)) == {"commits": []}
    ok(rich.http.post(V3_GENERATE, json={"prompt": "tea"}))
    day = timedelta(days=1)
    entered = ((500, -day, day, False), (700, -3 * day, -2 * day, True))
    with shop.runtime.db.transaction() as tx:
        for cents, since, until, is_postpaid in entered:
            commit = Commit("", cents * CENT, now() + since, now() + until, is_postpaid)
            add_commit(tx, rich.organization_id, commit, OPERATOR)
    told = ok(rich.http.get(path, params=place))["commits"]
    found = [(one["commit_amount"]["amount"], one["commit_amount_spent"]["amount"]) for one in told]
    assert found == [(700.0, 0.0), (500.0, 6.0)]
    (postpaid,) = ok(rich.http.get(path, params={**place, "postpaid_only": "true"}))["commits"]
    assert postpaid["is_postpaid_commit"]


def test_what_is_spent_of_a_limit_is_told_to_admins_of_all_keys_and_to_members_of_their_own(
    shop: Live, rich: Account
) -> None:
    asked = {"organization_id": rich.organization_id}
    limit = {"amount": 100.0, "currency_code": "USD"}
    ok(rich.http.post(f"{MANAGE}/limits", params=asked, json={"api_key_id": rich.api_key_id, "daily_limit": limit}))
    ok(rich.http.post(V3_GENERATE, json={"prompt": "tea"}))
    cents = {"amount": 6.0, "currency_code": "USD"}
    six = {"spent_today": cents, "spent_this_month": cents}
    told = ok(rich.http.get(f"{MANAGE}/limits", params=asked))
    assert told["organization"] == {"daily_limit": None, "monthly_limit": None, **six}
    assert told["api_keys"] == [{"api_key_id": rich.api_key_id, "daily_limit": limit, "monthly_limit": None, **six}]
    admin, member = member_of(shop, rich, "ADMIN"), member_of(shop, rich, "MEMBER")
    assert ok(admin.get(f"{MANAGE}/limits", params=asked))["api_keys"] == told["api_keys"]
    seen = ok(member.get(f"{MANAGE}/limits", params=asked))
    assert seen == {**told, "api_keys": []}, "another's key is not theirs to see"


def test_limits_are_set_for_keys_by_admins_and_for_the_organisation_by_who_runs_the_server(shop: Live) -> None:
    account = shop.account()
    asked = {"organization_id": account.organization_id}
    console = httpx2.Client(base_url=shop.url, headers=signed_in(account.token), event_hooks=HOOKS, timeout=30)
    told = ok(console.get(f"{MANAGE}/limits", params=asked))
    nothing = {"amount": 0.0, "currency_code": "USD"}
    spent = {"spent_today": nothing, "spent_this_month": nothing}
    assert told == {
        "organization": {"daily_limit": None, "monthly_limit": None, **spent}, "api_keys": [],
        "images_in_flight": 0, "max_images_in_flight": shop.settings.max_images_in_flight,
        "may_change_organization": False,
    }  # fmt: skip

    def set_to(client: httpx2.Client = console, **body: Any) -> httpx2.Response:
        return client.post(f"{MANAGE}/limits", params=asked, json=body)

    cents = {"amount": 10.0, "currency_code": "USD"}
    key = {"api_key_id": account.api_key_id}
    by_day = [{**key, "daily_limit": cents, "monthly_limit": None, **spent}]
    assert ok(set_to(**key, daily_limit=cents))["api_keys"] == by_day
    both = [{**key, "daily_limit": cents, "monthly_limit": cents, **spent}]
    assert ok(set_to(**key, daily_limit=cents, monthly_limit=cents))["api_keys"] == both
    with shop.runtime.db.transaction() as tx:
        book.grant(tx, account.organization_id, (100 * CENT, "USD"), "credit", OPERATOR, None)
    ok(account.http.post(V3_GENERATE, json={"prompt": "tea"}))
    over = account.http.post(V3_GENERATE, json={"prompt": "tea"})
    assert (over.status_code, over.json()["reject_reason"]) == (402, "daily_limit")
    ok(set_to(**key, daily_limit=None, monthly_limit=None))
    ok(account.http.post(V3_GENERATE, json={"prompt": "tea"}))
    assert ok(console.get(f"{MANAGE}/limits", params=asked))["api_keys"] == []

    assert set_to(daily_limit=cents).status_code == 403, "only an administrator of the server limits an organisation"
    assert ok(set_to(**key))["api_keys"] == [], "both are set at once"
    for wrong in ({"amount": 10, "currency_code": "EUR"}, {"amount": -1, "currency_code": "USD"}):
        refused = set_to(**key, daily_limit=wrong)
        assert refused.status_code == 400
        assert "daily_limit" in refused.json()["error"]
    assert set_to(**key, dayly_limit=cents).status_code == 400, "a misspelled limit would lift the one that stands"
    assert set_to(api_key_id=shop.account().api_key_id, daily_limit=cents).status_code == 404
    member = member_of(shop, account, "MEMBER")
    assert set_to(member, **key, daily_limit=None).status_code == 403
    with shop.runtime.db.transaction() as tx:
        first = tx.execute(
            select(organizations.c.organization_id).order_by(organizations.c.created_at).limit(1)
        ).scalar_one()
        add_member(tx, first, account.user_id, "ADMIN")
    told = ok(set_to(daily_limit={"amount": 0, "currency_code": "USD"}))
    assert told["organization"]["daily_limit"]["amount"] == 0
    assert told["may_change_organization"] is True
    over = account.http.post(V3_GENERATE, json={"prompt": "tea"})
    assert (over.status_code, over.json()["reject_reason"]) == (402, "daily_limit")
    with shop.runtime.db.read() as tx:
        mine = [one for one in entries(tx, organization_id=account.organization_id) if one.action == "limit.changed"]
    assert [one.object_id for one in mine[::-1]] == [account.api_key_id] * 4 + [account.organization_id]
