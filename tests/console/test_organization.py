"""Team, keys and what a member must not see."""

import re
from typing import Any

from tests.api.live import Account, Live
from tests.console.conftest import Visit, member_of


def test_a_key_is_shown_once_and_works(visit: Visit, live: Live) -> None:
    page = visit.open("/keys")
    page.get_by_role("button", name="New key").first.click()
    page.get_by_role("textbox", name="Name").fill("website")
    page.get_by_label("It may not do everything").check()
    for scope in ("draw", "datasets", "train", "models"):
        page.get_by_role("checkbox", name=scope).uncheck()
    page.get_by_role("dialog").get_by_role("button", name="New key").click()
    key = page.get_by_role("textbox", name="The new key").input_value()
    assert key.startswith("lino_")
    headers = {"Api-Key": key}
    assert live.public.get("/datasets", headers=headers).status_code == 200
    assert live.public.post("/datasets", headers=headers, json={"name": "no"}).status_code == 403
    page.keyboard.press("Escape")
    page.get_by_text("website", exact=True).wait_for()
    page.reload()
    page.get_by_text("website", exact=True).wait_for()
    assert key not in page.content()
    page.get_by_role("button", name=re.compile("^website:")).click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("website", exact=True).wait_for(state="detached")
    assert live.public.get("/datasets", headers=headers).status_code == 401


def test_a_second_member_is_invited_and_gets_a_model_shared(browser: Any, visit: Visit, live: Live) -> None:
    page = visit.open("/team")
    page.get_by_role("button", name="Add or invite").click()
    page.get_by_label("E-mail address or name").fill("grace@example.org")
    page.get_by_role("dialog").get_by_role("button", name="Add or invite").click()
    link = page.get_by_role("textbox", name="Invite link").input_value()
    page.keyboard.press("Escape")
    page.get_by_text("grace@example.org", exact=True).first.wait_for()
    other = Visit(browser, live.url)
    other.page.goto(link)
    other.page.get_by_label("Password").fill("correct horse battery")
    other.page.get_by_role("button", name="Go on").click()
    other.page.get_by_role("link", name="Team").click()
    other.page.get_by_role("heading", name="Team").wait_for()
    assert other.page.get_by_role("button", name="Add or invite").count() == 0
    other.close()
    page.reload()
    page.get_by_role("button", name=re.compile("^grace: role")).click()
    page.get_by_role("menuitem", name="Make an admin").click()
    page.get_by_text("Admin", exact=True).wait_for()


def test_what_a_member_must_not_see(browser: Any, live: Live, owner: Account) -> None:
    visit = Visit(browser, live.url, member_of(live, owner, f"zoe of {owner.user_id}"))
    page = visit.open("/team")
    page.get_by_role("heading", name="Team").wait_for()
    links = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    assert "Audit" not in links
    assert "Server" not in links
    assert page.locator(".menu-button").count() == 1, "only their own menu"
    for hidden in ("/audit", "/status"):
        visit.open(hidden).get_by_text("Your role in this organisation").wait_for()
    page = visit.open("/keys")
    page.get_by_text("No key yet").wait_for()
    assert owner.api_key[:9] not in page.content(), "the owner's key is not theirs to see"
    visit.close()
