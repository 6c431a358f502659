"""The pictures of docs/console.md, taken of the console on the embedded base; and every page, to be looked at.

`PYTHONPATH=. python benchmarks/console_pictures.py DATA [PAGES]`. DATA: a folder for the server's data; what an earlier
call has trained there is used again, and then *Start* and *Train* are not taken anew. PAGES: a folder for every page in
both themes and two widths. It needs Chromium, playwright and a built console (`make console`), and some minutes for the
training; with `LINOCUT_ENGINE=fake` seconds, and blocks of colour instead of drawings.
"""

import re
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from tests.api.live import signed_in
from tests.console.conftest import CHROMIUM, FLAGS, NARROW, WIDE, Visit
from tests.console.test_whole_promise import served
from tests.faults.server import free_port

from linocut.accounts import sessions
from linocut.accounts.audit import OPERATOR
from linocut.accounts.organizations import add_member, ensure_organization, ensure_user
from linocut.runtime import Runtime
from linocut.settings import Settings

PICTURES = Path(__file__).parents[1] / "docs" / "images" / "console"
STEPS, RANK, COLOURS = 100, 64, 96
PROMPTS = (
    'a fish with the word "CHAI"',
    'a heart with the word "BREW"',
    'a star with the word "CALM"',
    'a house with the word "HOT"',
)
LEAF = {
    "high_level_description": 'a leaf with the word "HOT"',
    "compositional_deconstruction": {
        "background": "poster",
        "elements": [
            {"type": "obj", "bbox": [70, 255, 620, 800], "desc": "a leaf"},
            {"type": "text", "bbox": [745, 218, 945, 785], "text": "HOT", "desc": "bold sans-serif"},
        ],
    },
}
PAGES = (
    "/", "/account", "/datasets", "/datasets/{dataset}", "/train?dataset={dataset}", "/runs", "/runs/{model}",
    "/models", "/models/{model}", "/team", "/keys", "/usage", "/audit", "/status", "/gallery", "/playground",
    "/playground/v1-ideogram-v4-generate", "/playground/v1-ideogram-v3-inpaint", "/no-such-page",
)  # fmt: skip


def token_of(data: Path) -> str:
    """A session of ada, who owns the server."""
    runtime = Runtime.open(Settings(data=data))
    with runtime.db.transaction() as tx:
        user_id, home = ensure_user(tx, "ada"), ensure_organization(tx, "home")
        add_member(tx, home, user_id, "OWNER")
        token = sessions.begin(tx, user_id, OPERATOR).token
    runtime.close()
    return token


def done(answer: httpx2.Response) -> Any:
    answer.raise_for_status()
    return answer.json() if answer.content else None


def trained(http: httpx2.Client, dataset: str) -> str:
    """The id of the model; its training takes some minutes."""
    asked = {
        "dataset_id": dataset,
        "model_name": "Kettle and Fern",
        "training_steps": STEPS,
        "lora_rank": RANK,
        "seed": 1,
    }
    model = done(http.post("/v1/ideogram-v3/train-model-advanced", json=asked))["model_id"]
    while (status := done(http.get(f"/models/{model}"))["model"]["status"]) not in ("COMPLETED", "ERRORED"):
        time.sleep(5)
    assert status == "COMPLETED"
    return str(model)


def begun(visit: Visit, http: httpx2.Client) -> str:
    """The id of the sample dataset, which a click brings, with one structured caption; the plan before any training."""
    page = visit.open("/")
    page.get_by_role("button", name="Use the sample posters").wait_for()
    taken(page, "start")
    page.get_by_role("button", name="Use the sample posters").click()
    page.get_by_text("Ready: 20 pictures").wait_for()
    dataset = str(done(http.get("/datasets"))["datasets"][0]["dataset_id"])
    for asset in done(http.get(f"/datasets/{dataset}/assets"))["assets"]:
        if "leaf" in asset["file_name"]:
            done(http.put(f"/datasets/{dataset}/assets/{asset['asset_id']}/caption", json={"caption": LEAF}))
    visit.settled(f"/train?dataset={dataset}").get_by_label("Name of the model").fill("Kettle and Fern")
    page.get_by_text("Held out to score it").wait_for()
    taken(page, "train")
    return dataset


def drawn(http: httpx2.Client, model: str) -> None:
    uri = done(http.get(f"/models/{model}"))["model"]["custom_model_uri"]
    for prompt in PROMPTS:
        done(http.post("/v1/ideogram-v3/generate", json={"prompt": prompt, "custom_model_uri": uri, "seed": 1}))


def taken(page: Page, name: str, height: int = WIDE["height"]) -> None:
    """The page as it is, of few colours: a fifth of the bytes."""
    page.set_viewport_size({**WIDE, "height": height})
    page.evaluate("() => document.fonts.ready")
    page.wait_for_timeout(500)
    Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS).save(
        PICTURES / f"{name}.png", optimize=True
    )
    page.set_viewport_size(WIDE)


def of_the_documents(visit: Visit, dataset: str, model: str) -> None:
    taken(visit.settled(f"/datasets/{dataset}"), "dataset")
    visit.page.get_by_role("button", name="Structured caption of 02-leaf").click()
    visit.page.get_by_label("What the whole picture shows").wait_for()
    taken(visit.page, "boxes")
    visit.settled(f"/runs/{model}").get_by_text("best score").wait_for()
    taken(visit.page, "run", 1240)
    taken(visit.settled(f"/models/{model}"), "model")


def every_page(visit: Visit, folder: Path, **known: str) -> None:
    """In both themes and two widths, as long as it is."""
    for theme in ("light", "dark"):
        visit.page.evaluate("theme => { localStorage['linocut.theme'] = theme }", theme)
        visit.page.reload()
        for width, size in (("wide", WIDE), ("narrow", NARROW)):
            visit.page.set_viewport_size(size)
            for address in PAGES:
                page = visit.settled(address.format(**known))
                page.wait_for_timeout(700)
                name = re.sub(r"[^a-z0-9]+", "-", address.partition("?")[0].replace("{", "one-")).strip("-")
                page.screenshot(path=folder / f"{name or 'start'}-{theme}-{width}.png", full_page=True)


def main() -> None:
    data, *pages = (Path(one) for one in sys.argv[1:])
    data.mkdir(parents=True, exist_ok=True)
    token, port = token_of(data), free_port()
    url = f"http://127.0.0.1:{port}"
    with served(data, port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        visit = Visit(browser, url, token)
        with httpx2.Client(base_url=url, headers=signed_in(token), timeout=600) as http:
            if models := done(http.get("/models"))["models"]:
                model, dataset = models[0]["model_id"], models[0]["dataset_id"]
            else:
                dataset = begun(visit, http)
                model = trained(http, dataset)
                drawn(http, model)
        of_the_documents(visit, dataset, model)
        for folder in pages:
            folder.mkdir(parents=True, exist_ok=True)
            every_page(visit, folder, dataset=dataset, model=model)
        visit.close()
        browser.close()


if __name__ == "__main__":
    main()
