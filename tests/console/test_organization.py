"""Team, keys and what a member must not see."""

import re
from typing import Any

from tests.api.live import Account, Live
from tests.console.conftest import Visit, administers, member_of

from linocut.accounts import keys, organizations


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


def test_somebody_leaves_alone_and_the_last_owner_does_not(
    browser: Any, visit: Visit, live: Live, owner: Account
) -> None:
    name = f"leaver of {owner.user_id}"
    token = member_of(live, owner, name)
    other = Visit(browser, live.url, token)
    page = other.open("/team")
    own = page.get_by_role("button", name=re.compile(f"^{name}: role"))
    own.click()
    assert page.get_by_role("menuitem").all_inner_texts() == ["Leave this organisation"]
    page.get_by_role("menuitem").click()
    page.get_by_role("dialog").get_by_text("stop working at once and for good").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Leave this organisation").click()
    own.wait_for(state="detached")
    page.get_by_text("You are in no organisation.").wait_for()
    assert page.get_by_role("link", name="Team").count() == 0
    page.get_by_role("link", name="Datasets").click()
    page.get_by_role("heading", name="Datasets").wait_for()
    with live.runtime.db.transaction() as tx:
        assert organizations.organizations_of(tx, organizations.ensure_user(tx, name)) == []
    other.close()

    page = visit.open("/team")
    page.get_by_text("Owner", exact=True).first.wait_for()
    page.get_by_role("button", name=re.compile(": role")).first.click()
    page.get_by_role("menuitem", name="Leave this organisation").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave this organisation").click()
    page.get_by_text("You are the last owner of this organisation").wait_for()


def test_the_key_of_somebody_else_is_renamed_or_deleted_but_not_replaced(
    visit: Visit, live: Live, owner: Account
) -> None:
    with live.runtime.db.transaction() as tx:
        user_id = organizations.ensure_user(tx, f"colleague of {owner.user_id}")
        organizations.add_member(tx, owner.organization_id, user_id, "MEMBER")
        keys.create_key(tx, user_id=user_id, organization_id=owner.organization_id, label="colleague's")
        keys.create_key(tx, user_id=owner.user_id, organization_id=owner.organization_id, label="own")
    page = visit.open("/keys")

    def entries(name: str) -> list[str]:
        page.get_by_role("button", name=re.compile(f"^{name}:")).click()
        found = page.get_by_role("menuitem").all_inner_texts()
        page.keyboard.press("Escape")
        page.get_by_role("menu").wait_for(state="detached")
        return found

    assert entries("own") == ["Name", "Replace by a new one", "Delete"]
    assert entries("colleague's") == ["Name", "Delete"]


def test_a_chart_says_which_lines_it_leaves_out(visit: Visit, live: Live, owner: Account) -> None:
    page = visit.settled("/")
    with live.runtime.db.transaction() as tx:
        made = [
            keys.create_key(tx, user_id=owner.user_id, organization_id=owner.organization_id, label=f"key {number}")
            for number in range(9)
        ]
    for key in made:
        answer = live.public.post("/v1/ideogram-v3/generate", headers={"Api-Key": key.api_key}, json={"prompt": "tea"})
        assert answer.status_code == 200
    visit.open("/usage")
    page.get_by_label("By").select_option("key")
    page.get_by_text("The chart shows the 8 most used of 9").wait_for()
    names = page.get_by_role("region", name="Usage").get_by_role("row").all_inner_texts()
    assert len(names) == 10
    assert all("key " in one for one in names[1:]), "keys by their names, also those made since the console was opened"


def test_a_server_that_cannot_be_looked_at_says_why(visit: Visit, live: Live, owner: Account) -> None:
    administers(live, owner)
    refused = {"status": 503, "json": {"error": "The disk of the database is full."}}
    visit.page.route("**/manage/api/health", lambda route: route.fulfill(**refused))
    page = visit.open("/status")
    page.get_by_role("alert").get_by_text("The disk of the database is full.").wait_for()
    visit.page.unroute("**/manage/api/health")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="Queue").wait_for()
    visit.page.route("**/manage/api/health", lambda route: route.fulfill(**refused))
    page.get_by_text("What you see may be out of date.").wait_for()  # it looks again after five seconds
    page.get_by_role("heading", name="Queue").wait_for()


def test_what_a_member_must_not_see(browser: Any, live: Live, owner: Account) -> None:
    visit = Visit(browser, live.url, member_of(live, owner, f"zoe of {owner.user_id}"))
    page = visit.open("/team")
    page.get_by_role("heading", name="Team").wait_for()
    links = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    assert "Audit" not in links
    assert "Server" not in links
    acting = page.get_by_role("button", name=re.compile(": role"))
    acting.wait_for()
    assert acting.count() == 1, "on their own row, to leave"
    assert str(acting.get_attribute("aria-label")).startswith(f"zoe of {owner.user_id}:")
    assert page.locator(".menu-button").count() == 2, "and their own menu"
    for hidden, sentence in (
        ("/audit", "Your role in this organisation"),
        ("/status", "for administrators of the server"),
    ):
        visit.open(hidden).get_by_text(sentence).wait_for()
    page = visit.open("/keys")
    page.get_by_text("No key yet").wait_for()
    assert owner.api_key[:9] not in page.content(), "the owner's key is not theirs to see"
    visit.close()
