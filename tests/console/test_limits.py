"""What may be spent: seen by members, changed by admins, and the organisation's own by who runs the server."""

import re
from typing import Any

from tests.api.live import Account, Live
from tests.console.conftest import AXE, Visit, administers, member_of
from tests.console.looking import faults

REFUSED = {"status": 503, "json": {"error": "The database is busy; try again in a minute."}}


def limits(page: Any) -> Any:
    """The section, once it shows what it has to show."""
    section = page.get_by_role("region", name="Limits")
    section.get_by_text("Images in progress").wait_for()
    return section


def drawn(account: Account) -> None:
    assert account.http.post("/v1/ideogram-v3/generate", json={"prompt": "tea"}).status_code == 200


def test_an_admin_limits_a_key_and_sees_what_is_used_of_it(visit: Visit, owner: Account) -> None:
    drawn(owner)
    page = visit.open("/usage")
    section = limits(page)
    section.get_by_text("$0.06, no limit").first.wait_for()
    section.get_by_text("No key has a limit of its own.").wait_for()
    assert section.get_by_role("button", name="Change the limit").count() == 0, "the organisation's is not theirs"
    section.get_by_text("set by an administrator of the server").wait_for()
    section.get_by_role("button", name="Limit a key").click()
    page.get_by_label("In a day, USD").fill("0.24")
    page.get_by_role("button", name="Save").click()
    section.get_by_text("$0.06 of $0.24").wait_for()
    assert section.get_by_role("meter", name="Today").evaluate("one => one.value") == 0.25
    assert section.get_by_role("button", name="Limit a key").count() == 0, "no key is left without one"
    section.get_by_role("button", name="Change the limit").click()
    assert page.get_by_label("In a day, USD").input_value() == "0.24"
    page.get_by_label("In a month, USD").fill("-1")
    assert not page.get_by_label("In a month, USD").evaluate("one => one.checkValidity()"), "said by the field"
    page.get_by_label("In a month, USD").fill("1e15")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("dialog").get_by_role("alert").get_by_text("it takes an amount of 0 to").wait_for()
    page.evaluate(AXE.read_text())
    assert faults(page) == []
    page.get_by_label("In a month, USD").fill("0.05")
    page.get_by_role("button", name="Save").click()
    section.get_by_text("Used up").wait_for()
    assert faults(page) == []
    for label in ("In a day, USD", "In a month, USD"):
        section.get_by_role("button", name="Change the limit").click()
        page.get_by_label(label).fill("")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("dialog").wait_for(state="detached")
    section.get_by_text("No key has a limit of its own.").wait_for()


def test_who_runs_the_server_limits_the_organisation(visit: Visit, live: Live, owner: Account) -> None:
    administers(live, owner)
    page = visit.open("/usage")
    limits(page).get_by_role("button", name=re.compile("^Change the limit of org")).click()
    page.get_by_label("In a month, USD").fill("300")
    page.get_by_role("button", name="Save").click()
    limits(page).get_by_text("$0.00 of $300.00").wait_for()


def test_a_member_sees_limits_and_that_they_cannot_be_loaded(browser: Any, live: Live, owner: Account) -> None:
    key = {"api_key_id": owner.api_key_id, "daily_limit": {"amount": 100, "currency_code": "USD"}}
    path = f"/manage/api/limits?organization_id={owner.organization_id}"
    assert owner.http.post(path, json=key).status_code == 200
    visit = Visit(browser, live.url, member_of(live, owner, f"member of {owner.user_id}"))
    visit.page.route("**/manage/api/limits?*", lambda route: route.fulfill(**REFUSED))
    page = visit.open("/usage")
    section = page.get_by_role("region", name="Limits")
    section.get_by_text(REFUSED["json"]["error"]).wait_for()
    page.get_by_text("Spent in this time").wait_for()
    visit.page.unroute("**/manage/api/limits?*")
    section.get_by_role("button", name="Try again").click()
    limits(page).get_by_text("No key of yours has a limit of its own.").wait_for()
    assert section.get_by_role("button").count() == 0
    visit.close()
