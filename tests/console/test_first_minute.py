"""The first minute, as a stranger would click it: the link, a password, the sample posters, a training, its model."""

import re
from typing import Any

import pytest
from tests.api.live import Live, running
from tests.console.conftest import Visit

from linocut.accounts import links
from linocut.accounts.audit import OPERATOR

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server that nobody owns."""
    with running(tmp_path_factory.mktemp("first"), min_training_images=15) as server, server.working():
        yield server


def test_the_link_leads_to_a_model_by_clicking_only(browser: Any, empty: Live) -> None:
    with empty.runtime.db.transaction() as tx:
        link = links.make(tx, "owner", OPERATOR)
    visit = Visit(browser, empty.url)
    page = visit.page
    page.goto(f"{empty.url}/manage/sign_in#link={link}")
    page.get_by_role("button", name="Set a password").click()
    assert link not in page.url, "the link is not left in the address"
    page.get_by_text("linocut users link").wait_for()
    page.get_by_label("E-mail address").fill("ada@example.org")
    password = page.get_by_label("Password", exact=True)
    password.fill("short")
    page.get_by_role("button", name="Set a password").click()
    page.get_by_text("10 to 1,024 characters").wait_for()
    password.fill(PASSWORD)
    page.get_by_role("button", name="Set a password").click()
    page.get_by_text("From now on your password opens the console.").wait_for()
    page.get_by_role("button", name="Set a password").wait_for(state="detached")  # the card is for who has none
    page.get_by_role("button", name="Use the sample posters").click()
    page.get_by_text("Ready: 20 pictures").wait_for()
    page.get_by_role("link", name="Train on it").click()
    page.get_by_text("Held out to score it").wait_for()
    assert page.get_by_label("Name of the model").input_value() == "Kettle and Fern"
    page.get_by_role("button", name="Start the training").click()
    page.get_by_role("link", name="The model").click()
    uri = page.get_by_label("Name for drawing").input_value()
    assert re.fullmatch(r"model/kettle-and-fern/version/1", uri)
    draw = page.get_by_role("link", name="Draw with it").get_attribute("href")
    assert draw is not None
    assert "kettle-and-fern" in draw
    page.get_by_role("link", name="Start").click()
    page.get_by_text("kettle-and-fern").first.wait_for()
    assert page.get_by_text("Use the sample posters").count() == 0, "the card is for who has no model"
    visit.close()


def test_a_password_opens_it_from_then_on_and_signing_out_shuts_it(browser: Any, empty: Live) -> None:
    visit = Visit(browser, empty.url)
    page = visit.open("/")
    page.get_by_label("E-mail address or name").fill("ada@example.org")
    page.get_by_label("Password").fill("wrong horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").first.wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=re.compile("theme, account")).click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    visit.close()
