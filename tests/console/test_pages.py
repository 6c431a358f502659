"""Every page in both themes and two widths: axe finds nothing serious, and nothing is wider than the screen."""

from pathlib import Path
from typing import Any

import pytest
from tests.api.live import Account, Live
from tests.console.conftest import AXE, Visit, administers, playground
from tests.console.looking import look

from linocut.samples import PICTURES

PAGES = (
    "/", "/account", "/datasets", "/datasets/{dataset}", "/train", "/runs", "/runs/{model}", "/models",
    "/models/{model}", "/team", "/keys", "/usage", "/audit", "/status", "/no-such-page", "/gallery", "/playground",
)  # fmt: skip
FIRST_LOAD_BYTES = 250_000
"""As sent, packed."""


@pytest.fixture(scope="module")
def furnished(browser: Any, live: Live) -> Any:
    """An administrator of the server with a dataset, a trained model, a key that is limited, and a picture."""
    account: Account = live.account()
    administers(live, account)
    limit = {"api_key_id": account.api_key_id, "daily_limit": {"amount": 10_000, "currency_code": "USD"}}
    limits = f"/manage/api/limits?organization_id={account.organization_id}"
    assert account.http.post(limits, json=limit).status_code == 200
    dataset = account.http.post("/datasets", json={"name": "posters"}).json()["dataset_id"]
    files = [("files", (path.name, path.read_bytes())) for path in sorted(PICTURES.iterdir())[:8]]
    assert account.http.post(f"/datasets/{dataset}/upload_assets", files=files).status_code == 200
    body = {"dataset_id": dataset, "model_name": "Posters"}
    model = account.http.post("/v1/ideogram-v3/train-model", json=body).json()["model_id"]
    assert account.http.post("/v1/ideogram-v3/generate", json={"prompt": "tea"}).status_code == 200
    visit = Visit(browser, live.url, account.token)
    visit.open(f"/runs/{model}").get_by_role("link", name="The model").wait_for()
    yield visit, {"dataset": dataset, "model": model}
    visit.close()


def test_the_first_load_is_small(visit: Visit) -> None:
    visit.settled("/")
    sizes = visit.page.evaluate("performance.getEntriesByType('resource').map(one => [one.name, one.encodedBodySize])")
    own = {name: size for name, size in sizes if "/console/" in name}
    assert 0 not in own.values(), "a file whose size is not known"
    assert sum(own.values()) <= FIRST_LOAD_BYTES
    print(f"first load: {sum(own.values())} bytes in {len(own)} files")


def test_every_page_is_for_everybody(furnished: Any) -> None:
    visit, ids = furnished
    found: dict[str, list[str]] = {}
    visit.settled("/").evaluate(AXE.read_text())  # once: pages change behind the #
    for address in PAGES:
        page = visit.settled(address.format(**ids))
        look(page, found, address)
    assert found == {}


def test_what_opens_over_pages_is_too(furnished: Any, browser: Any, live: Live) -> None:
    visit, ids = furnished
    found: dict[str, list[str]] = {}
    page = visit.open(f"/datasets/{ids['dataset']}")
    page.get_by_role("tab", name="Report").click()
    page.get_by_text("What a training sees").wait_for()
    page.evaluate(AXE.read_text())
    look(page, found, "report")
    page.get_by_role("tab", name="pictures").click()
    page.get_by_role("button", name="Structured caption of").first.click()
    page.get_by_role("dialog").wait_for()
    look(page, found, "boxes")
    page = visit.open("/keys")
    page.get_by_role("button", name="New key").first.click()
    page.get_by_role("dialog").wait_for()
    look(page, found, "new key")
    stranger = Visit(browser, live.url)
    stranger.open("/").get_by_role("button", name="Sign in").wait_for()
    stranger.page.evaluate(AXE.read_text())
    look(stranger.page, found, "sign in")
    stranger.close()
    assert found == {}


def test_forms_with_a_picture_and_a_painter_are_too(furnished: Any, picture: Path) -> None:
    visit, _ = furnished
    found: dict[str, list[str]] = {}
    page = playground(visit, "/v1/ideogram-v3/inpaint")
    page.get_by_text("Still missing: Picture, Mask, Prompt.").wait_for()
    page.set_input_files("input[type=file] >> nth=0", picture)
    page.wait_for_selector(".painter canvas")
    page.evaluate(AXE.read_text())
    look(page, found, "inpaint")
    playground(visit, "/v1/ideogram-v4/generate")
    page.click("text=Write a structured prompt")
    page.click("text=Another thing")
    look(page, found, "structured prompt")
    assert found == {}
