"""The console in a browser: bytes of the first load, a gallery of 10,000 pictures, and a chart of eight runs with
10,000 points each.

`python benchmarks/console.py`; it needs Chromium, playwright and a built console (`make console`).
"""

import json
import tempfile
import time
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Route, sync_playwright
from sqlalchemy import insert
from tests.api.live import Account, Live, running
from tests.console.conftest import CHROMIUM, FLAGS, Visit

from linocut import ids
from linocut.db.tables import images

PICTURES, DISTINCT, SIDE = 10_000, 200, 1024
FRAMES = """async far => {
    let last = performance.now(), slow = 0, longest = 0, cells = 0
    for (let i = 0; i < 120; i++) {
        scrollBy(0, far)
        await new Promise(requestAnimationFrame)
        const now = performance.now()
        if (now - last > 50) slow++
        longest = Math.max(longest, now - last)
        last = now
        cells = Math.max(cells, document.querySelectorAll('.cell').length)
    }
    return { slow, longest: Math.round(longest), cells }
}"""
THERE = (
    "() => { const all = [...document.querySelectorAll('.cell img')]; return all.length && all.every(i => i.complete) }"
)
RUNS, POINTS = 8, 10_000
FIRST_LOAD_BYTES = 250_000
RESOURCES = "performance.getEntriesByType('resource').map(one => [one.name, one.encodedBodySize])"


def first_load(visit: Visit) -> dict[str, Any]:
    """Bytes as sent (packed) until the start page is there, of the console's own files."""
    started = time.perf_counter()
    visit.open("/").locator("main h1").wait_for()
    seconds = time.perf_counter() - started
    sizes = {name: size for name, size in visit.page.evaluate(RESOURCES) if "/console/" in name}
    return {"files": len(sizes), "bytes": sum(sizes.values()), "seconds": round(seconds, 2)}


def chart(visit: Visit) -> dict[str, Any]:
    """Seconds from the last tick to eight drawn lines, and to one redraw."""
    models = [
        {
            "model_id": f"m{i}", "custom_model_uri": None, "name": f"Run {i}", "status": "COMPLETED",
            "dataset_id": None, "creation_time": "2026-11-28T00:00:00+00:00", "last_update_time": None,
            "is_available_for_generation": True, "is_owned": True,
        }
        for i in range(RUNS)
    ]  # fmt: skip
    end = 'event: status\ndata: {"status": "COMPLETED"}\n\n'

    def answer(route: Route) -> None:
        if "/events" not in route.request.url:
            route.fulfill(json={"models": models})
            return
        told = ({"step": n, "total_steps": POINTS, "loss": 1 / (1 + n / 500), "eta_seconds": 0} for n in range(POINTS))
        lines = (f"id: {i}\nevent: progress\ndata: {json.dumps(one)}\n\n" for i, one in enumerate(told))
        route.fulfill(content_type="text/event-stream", body="".join(lines) + end)

    visit.page.route("**/models**", answer)
    page = visit.open("/runs")
    boxes = page.get_by_role("checkbox")
    boxes.first.wait_for()
    started = time.perf_counter()
    for i in range(RUNS):
        boxes.nth(i).check()
    page.wait_for_function(f"document.querySelectorAll('figcaption .key').length === {RUNS}")
    page.wait_for_function("[...document.querySelectorAll('figcaption .number')].every(one => one.innerText !== '–')")
    drawn = time.perf_counter() - started
    redraw = page.evaluate(
        "async () => { const start = performance.now(); document.documentElement.dataset.theme = 'dark';"
        " dispatchEvent(new Event('resize')); await new Promise(requestAnimationFrame);"
        " await new Promise(requestAnimationFrame); return performance.now() - start }"
    )
    return {"runs": RUNS, "points": POINTS, "seconds": round(drawn, 2), "two_frames_ms": round(redraw)}


def drawn(live: Live, account: Account) -> None:
    """Rows of 10,000 pictures, of 200 that differ."""
    shas = []
    for number in range(DISTINCT):
        made = BytesIO()
        window = (-2 + number / 400, -1.5, 1, 1.5)
        Image.effect_mandelbrot((SIDE, SIDE), window, 40).convert("RGB").save(made, "PNG", compress_level=1)
        shas.append(live.runtime.store.put(made.getvalue()))
    begun = ids.now() - timedelta(days=1)
    common = {"job_id": ids.new_id(), "organization_id": account.organization_id, "user_id": account.user_id}
    common |= {"operation": "generate", "search": "tea", "width": SIDE, "height": SIDE}
    rows = [
        {**common, "image_id": ids.new_id(), "image_sha256": shas[n % DISTINCT], "seed": n,
         "created_at": begun + timedelta(seconds=n)}
        for n in range(PICTURES)
    ]  # fmt: skip
    with live.runtime.db.transaction() as tx:
        tx.execute(insert(images), rows)


def gallery(visit: Visit, live: Live, account: Account) -> dict[str, Any]:
    """Milliseconds to the first picture, and frames over 50 ms: flung (400 pixels a frame), and read (40 a frame), each
    twice: the second time the small pictures are there."""
    drawn(live, account)
    page = visit.page
    page.goto("about:blank")
    visit.open("/gallery")
    page.wait_for_selector(".cell img")
    first = page.evaluate("performance.now()")
    page.wait_for_function(THERE)
    told: dict[str, Any] = {"first_picture_ms": round(first)}
    for time_ in ("first", "again"):
        for name, far in (("flung", 400), ("read", 40)):
            page.evaluate("scrollTo(0, 0)")
            page.wait_for_timeout(300)
            page.wait_for_function(THERE)
            told[f"{name} {time_}"] = page.evaluate(FRAMES, far)
            page.wait_for_timeout(300)
            page.wait_for_function(THERE)
    small = list(live.settings.thumbnails.iterdir())
    told["small_pictures"] = {"made": len(small), "bytes_each": sum(p.stat().st_size for p in small) // len(small)}
    return told


def control(visit: Visit) -> Any:
    """The same frames on a page with nothing in it: what the machine alone costs."""
    visit.page.goto("about:blank")  # the console's policy allows no style in markup
    visit.page.set_content("<div style='height: 60000px'></div>")
    return visit.page.evaluate(FRAMES, 400)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as live, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        account = live.account()
        visit = Visit(browser, live.url, account.token)
        visit.page.set_default_timeout(120_000)
        loaded = first_load(visit)
        scrolled = gallery(visit, live, account)
        told = {"first_load": loaded, "gallery": scrolled, "chart": chart(visit), "empty_page": control(visit)}
        print(json.dumps(told, indent=1))
        visit.close()
        browser.close()
    assert loaded["bytes"] <= FIRST_LOAD_BYTES


if __name__ == "__main__":
    main()
