"""The gallery, as somebody with a mouse meets it."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import insert, select
from tests.api.live import Account, Live
from tests.console.conftest import Visit

from linocut import ids
from linocut.db.tables import images

MANY = 10_000
CELLS_AT_MOST = 150
SCROLL = """async () => {
    let last = performance.now(), slow = 0, count = 0, most = 0
    for (let i = 0; i < 120; i++) {
        scrollBy(0, 400)
        await new Promise(requestAnimationFrame)
        const now = performance.now()
        if (now - last > 50) slow++
        last = now; count++
        most = Math.max(most, document.querySelectorAll('.cell').length)
    }
    return { slow, count, most }
}"""
LOADED = """() => {
    const cells = [...document.querySelectorAll('.cell')]
    return cells.length > 0 && cells.every((one) => one.firstElementChild)
}"""


def test_the_gallery_is_searched_recalled_drawn_again_and_deleted(visit: Visit, owner: Account, tmp_path: Path) -> None:
    for seed in (1, 2):
        sent = {"prompt": f"a violet kettle {seed}", "seed": seed, "aspect_ratio": "1x1", "negative_prompt": "steam"}
        assert owner.http.post("/v1/ideogram-v3/generate", json=sent).status_code == 200
    pg = visit.open("/gallery")
    pg.wait_for_selector(".cell img")
    pg.fill("input[type=search]", "VIOLET kettle")
    pg.wait_for_function("() => location.hash.includes('search=VIOLET')")
    assert pg.evaluate("document.activeElement.type") == "search", "whoever types goes on typing"
    pg.wait_for_selector("text='2 pictures'")
    pg.click("[aria-label='Open: a violet kettle 1']")
    with pg.expect_download() as file:
        pg.click(".dialog button:text-is('Download')")
    file.value.save_as(tmp_path / "one.png")
    told = json.loads(Image.open(tmp_path / "one.png").text["linocut"])  # type: ignore[attr-defined]
    assert told["path"] == "/v1/ideogram-v3/generate"
    assert told["parameters"]["negative_prompt"] == "steam"
    pg.click(".dialog button:text-is('Draw again')")
    pg.wait_for_selector("text='3 pictures'")
    pg.click(".dialog button:text-is('Delete')")
    pg.click(".dialog:has-text('Delete this picture?') button:text-is('Delete')")
    pg.wait_for_selector("text='2 pictures'")
    pg.click("[aria-label='Open: a violet kettle 2']")
    pg.click(".dialog button:text-is('Recall all of it')")
    pg.wait_for_selector("form")
    pg.wait_for_function("() => document.querySelector('textarea')?.value === 'a violet kettle 2'")
    assert pg.locator("input[placeholder=random]").input_value() == "2"
    pg.click("summary")
    assert pg.locator(".field:has-text('Negative prompt') textarea").input_value() == "steam"
    visit.open("/gallery")
    pg.click(".cell button >> nth=0")
    pg.click(".dialog button[aria-label='Send to']")
    pg.click("[role=menuitem]:has-text('/v1/ideogram-v3/inpaint')")
    pg.wait_for_selector(".painter canvas")


def test_a_picture_that_cannot_be_made_small_is_shown_whole(visit: Visit, owner: Account) -> None:
    assert owner.http.post("/v1/ideogram-v3/generate", json={"prompt": "tea"}).status_code == 200
    refused = []

    def fail(route: Any) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503, body="")

    visit.page.route(re.compile("[?&]size="), fail)
    page = visit.open("/gallery")
    page.wait_for_function("() => document.querySelector('.cell img')?.naturalWidth > 512")
    assert refused, "a small one was asked for first"


def test_ten_thousand_pictures_are_scrolled(visit: Visit, owner: Account, live: Live) -> None:
    """Never more in the page than are near the view; and the last is the oldest."""
    assert owner.http.post("/v1/ideogram-v3/generate", json={"prompt": "tea"}).status_code == 200
    with live.runtime.db.transaction() as tx:
        mine = select(images).where(images.c.organization_id == owner.organization_id)
        one = tx.execute(mine).one()._asdict()
        begun = one["created_at"] - timedelta(days=2)
        rows = [
            one | {"image_id": ids.new_id(), "seed": number, "created_at": begun + timedelta(seconds=number)}
            for number in range(MANY)
        ]
        tx.execute(insert(images), rows)
    page = visit.open("/gallery")
    page.wait_for_selector(".cell img")
    first = page.evaluate("performance.now()")
    assert int(re.sub(r"\D", "", page.locator("[role=status]").inner_text())) == MANY + 1
    frames = page.evaluate(SCROLL)
    print(f"first picture after {first:.0f} ms; {frames}")
    assert frames["most"] < CELLS_AT_MOST
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function(LOADED)
    assert page.locator(".cell").count() < CELLS_AT_MOST
    page.locator(".cell button").last.click()
    page.wait_for_selector(".dialog dl")
    assert page.locator(".dialog dl dt:text-is('seed') + dd").inner_text() == "0", "the oldest"
