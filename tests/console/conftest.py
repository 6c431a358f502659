"""A real browser (Debian's Chromium) before a real server. Where there is none, the tests say NOT RUN and why.

One browser and one server (fake engine, a worker beside it) for everything: each test has an organisation of its own,
and a browser context of its own. Servers of their own have test_first_minute.py (which nobody owns yet) and
test_whole_promise.py (on the embedded base).
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.api.live import Account, Live, running

from linocut.accounts import organizations, sessions
from linocut.accounts.audit import OPERATOR
from linocut.api import console_files
from linocut.api.auth import COOKIE
from linocut.db.tables import organizations as organizations_table
from linocut.samples import PICTURES

sync_api = pytest.importorskip("playwright.sync_api", reason="NOT RUN: playwright is not installed")

CHROMIUM = os.environ.get("CONSOLE_TEST_BROWSER", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 30_000
LEAST_PICTURES = 3
"""What a training takes here: decoding fifteen pictures in each test would be most of its time."""
NARROW, WIDE = {"width": 375, "height": 760}, {"width": 1280, "height": 800}
A_MOMENT = "() => new Promise((go) => requestAnimationFrame(() => setTimeout(go)))"
SETTLED = """() => document.querySelector('main :is(h1, h2)') !== null
    && document.querySelector('.skeleton, [aria-busy=true]') === null"""
AXE = Path(__file__).parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"


def why_not() -> str:
    """Why no page can be opened here; empty where they can."""
    if not os.access(CHROMIUM, os.X_OK):
        return f"NOT RUN: there is no {CHROMIUM}; apt-get install chromium"
    return "" if console_files.is_built() else "NOT RUN: the console is not built; make console"


@pytest.fixture(scope="session")
def browser() -> "Iterator[sync_api.Browser]":
    if why_not():
        pytest.skip(why_not())
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def live(browser: "sync_api.Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with a worker on the fake engine, which counts what its work costs and asks for no credit."""
    settings = {"min_training_images": LEAST_PICTURES, "prices": "published", "credit": "invoiced"}
    with running(tmp_path_factory.mktemp("console"), **settings) as server, server.working():
        server.account()  # its organisation is the first: nobody else administers the server
        yield server


def administers(live: Live, account: Account) -> None:
    """From now on the account is an administrator of the server."""
    with live.runtime.db.transaction() as tx:
        first = select(organizations_table.c.organization_id).order_by(organizations_table.c.created_at).limit(1)
        organizations.add_member(tx, tx.execute(first).scalar_one(), account.user_id, "ADMIN")


class Visit:
    """Pages of one person. ``faults`` are what no page may do: throw, break the policy, ask another origin."""

    def __init__(self, browser: "sync_api.Browser", origin: str, token: str = "", **options: object) -> None:
        self.origin = origin
        self.faults: list[str] = []
        self.context = browser.new_context(**{"viewport": WIDE, **options})  # type: ignore[arg-type]
        if token:
            self.context.add_cookies([{"name": COOKIE, "value": token, "url": origin, "sameSite": "Strict"}])
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.faults.append(f"thrown: {error}"))
        self.page.on("console", self._hear)
        self.page.on("request", self._look)

    def _hear(self, message: "sync_api.ConsoleMessage") -> None:
        # An answer that is no 2xx, and a server that is gone, are said by the browser itself.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.faults.append(message.text)

    def _look(self, request: "sync_api.Request") -> None:
        if not request.url.startswith((self.origin, "blob:", "data:")):
            self.faults.append(f"asked {request.url}")

    def open(self, page: str) -> "sync_api.Page":
        """A page of the console by its address behind the #."""
        self.page.goto(f"{self.origin}/console/#{page}")
        return self.page

    def settled(self, page: str) -> "sync_api.Page":
        """The same, once it shows what it has to show."""
        self.open(page)
        self.page.evaluate(A_MOMENT)  # where only the # changes, the page hears of it a moment later
        self.page.wait_for_function(SETTLED)
        return self.page

    def close(self) -> None:
        self.context.close()
        assert self.faults == []


@pytest.fixture
def owner(live: Live) -> Account:
    return live.account()


@pytest.fixture
def visit(browser: "sync_api.Browser", live: Live, owner: Account) -> Iterator[Visit]:
    """The owner's browser, signed in."""
    made = Visit(browser, live.url, owner.token)
    yield made
    made.close()


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to work on: two ramps of colour, 128 pixels wide and high."""
    import numpy as np
    from PIL import Image

    ramp = np.linspace(0, 255, 128, dtype=np.uint8)
    across, down = np.tile(ramp, (128, 1)), np.tile(ramp[:, None], (1, 128))
    file = tmp_path_factory.mktemp("picture") / "picture.png"
    Image.fromarray(np.stack([across, down, np.full((128, 128), 90, np.uint8)], -1)).save(file)
    return file


def member_of(live: Live, owner: Account, name: str) -> str:
    """The session of a new MEMBER of the owner's organisation."""
    with live.runtime.db.transaction() as tx:
        user_id = organizations.ensure_user(tx, name)
        organizations.add_member(tx, owner.organization_id, user_id, "MEMBER")
        return sessions.begin(tx, user_id, OPERATOR).token


def trained(account: Account) -> str:
    """The id of a model that somebody trains; it may not be ready yet."""
    dataset = account.http.post("/datasets", json={"name": "posters"}).json()["dataset_id"]
    files = [("files", (path.name, path.read_bytes())) for path in sorted(PICTURES.glob("*.png"))[:4]]
    assert account.http.post(f"/datasets/{dataset}/upload_assets", files=files).status_code == 200
    body = {"dataset_id": dataset, "model_name": "Posters"}
    return str(account.http.post("/v1/ideogram-v3/train-model", json=body).json()["model_id"])


def playground(visit: Visit, path: str) -> "sync_api.Page":
    """The page of one operation."""
    page = visit.open(f"/playground/{path.strip('/').replace('/', '-')}")
    page.wait_for_selector("form")
    return page


def stroke(page: "sync_api.Page") -> None:
    """A thick line across the middle of the mask, by mouse."""
    canvas = page.locator(".painter canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5, steps=6)
    page.mouse.up()
