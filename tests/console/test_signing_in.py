"""Signing in and out, and a session that ends while somebody types."""

import re
from typing import Any

from tests.api.live import Live
from tests.console.conftest import Visit

from linocut.accounts import links, people, sessions
from linocut.accounts.audit import OPERATOR
from linocut.api.auth import COOKIE

PASSWORD = "correct horse battery"


def test_a_link_sets_a_password_which_opens_it_from_then_on(browser: Any, live: Live) -> None:
    account = live.account()
    with live.runtime.db.transaction() as tx:
        link = links.make(tx, "sign-in", OPERATOR, user_id=account.user_id)
        name = people.get(tx, account.user_id).handle
    visit = Visit(browser, live.url)
    page = visit.page
    page.goto(f"{live.url}/manage/sign_in#link={link}")
    page.get_by_label("Password").fill("short")
    assert page.get_by_label("E-mail address").count() == 0, "no link but the owner's takes an address"
    page.get_by_role("button", name="Go on").click()
    assert "10 to 1,024 characters" in page.get_by_role("alert").inner_text(), "the server's own sentence"
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    menu = page.get_by_role("button", name=re.compile("theme, account"))
    menu.wait_for()
    assert link not in page.url, "the link is not left in the address"
    menu.click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_label("E-mail address or name").fill(name)
    page.get_by_label("Password").fill("wrong horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").first.wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    menu.click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    visit.close()


def test_a_session_that_ends_leaves_what_was_typed(browser: Any, live: Live) -> None:
    account = live.account()
    visit = Visit(browser, live.url, account.token)
    page = visit.open("/datasets")
    page.get_by_role("button", name="New dataset").first.click()
    page.get_by_role("textbox", name="Name", exact=True).fill("typed before it ended")
    account.http.post("/manage/api/sign_out")
    page.get_by_role("dialog").get_by_role("button", name="New dataset").click()
    page.get_by_text("Your session has ended").wait_for()
    page.get_by_role("dialog").get_by_text("linocut users link").wait_for()
    page.get_by_label("Password").click()  # no other window lies over it
    held = page.get_by_role("textbox", name="Name", exact=True, include_hidden=True)
    assert held.input_value() == "typed before it ended"
    with live.runtime.db.transaction() as tx:
        token = sessions.begin(tx, account.user_id, OPERATOR).token
    visit.context.add_cookies([{"name": COOKIE, "value": token, "url": live.url, "sameSite": "Strict"}])
    page.evaluate("dispatchEvent(new Event('focus'))")  # signed in by a link in another tab, and back here
    page.get_by_text("Your session has ended").wait_for(state="detached")
    page.get_by_role("dialog").get_by_role("button", name="New dataset").click()
    page.get_by_role("heading", name="typed before it ended").wait_for()
    visit.close()
