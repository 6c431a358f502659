"""What the console promises, clicked as a stranger would: the printed link, the sample posters, a training on the
embedded base (with the whole server killed in between), a picture with its model, a painted mask, a second member."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from tests.api.live import signed_in
from tests.console.conftest import Visit, stroke
from tests.faults.server import free_port

from linocut.api.auth import COOKIE

PASSWORD = "correct horse battery"
BANNER_SECONDS = 3.0
KILLED_AFTER = 10
"""Steps."""
PATIENCE_MS = 150_000
TRAINED_WITHIN_MS = 900_000
"""A training takes a minute on a quiet machine, and many times that beside other tests on a slow one."""
MODEL = "model/kettle-and-fern/version/1"
AT_STEP = "least => Number((/Step (\\d+) of/.exec(document.querySelector('main')?.innerText) ?? [0, 0])[1]) >= least"


@contextmanager
def served(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """``linocut serve`` with the embedded base, ready; whoever kills it leaves nothing behind."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "LINOCUT_WORKERS": "1", "LINOCUT_SAFETY_PICTURES": "off"}
    command = [sys.executable, "-m", "linocut.cli.main", "serve", "--port", str(port), "--data", str(data)]
    with (data / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        ready(f"http://127.0.0.1:{port}")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(120)


def ready(url: str) -> None:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the server did not become ready")


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def in_by_the_printed_link(page: Any, data: Path) -> None:
    """The one thing that is read in the terminal."""
    [link] = re.findall(r"http\S+#link=\S+", (data / "serve.log").read_text())
    page.goto(link)
    page.get_by_role("button", name="Use the sample posters").wait_for()
    assert link.partition("#")[2] not in page.url, "the link is not left in the address"


def trained_on_the_samples(page: Any) -> None:
    """Starts the shortest training that there is."""
    page.get_by_role("button", name="Use the sample posters").click()
    page.get_by_text("Ready: 20 pictures").wait_for()
    page.get_by_role("link", name="Train on it").click()
    page.get_by_text("Held out to score it").wait_for()
    assert page.get_by_label("Name of the model").input_value() == "Kettle and Fern"
    page.get_by_role("radio", name="Advanced").check()
    for label, number in (("Steps", "100"), ("Seed", "1")):
        page.get_by_label(label, exact=True).fill(number)
    page.get_by_label("Rank").select_option("64")
    page.get_by_text("100 × ").wait_for()
    page.get_by_role("button", name="Start the training").click()
    page.get_by_role("progressbar", name="Progress").wait_for()


def watched_until_killed(page: Any, form: Any, server: subprocess.Popen[bytes]) -> None:
    page.wait_for_function(AT_STEP, arg=KILLED_AFTER, timeout=TRAINED_WITHIN_MS)
    form.get_by_role("button", name="New key").first.click()
    form.get_by_role("textbox", name="Name").fill("typed before")
    assert children_of(server.pid), "the server has processes, which die with it"
    server.kill()
    server.wait()
    killed = time.monotonic()
    page.get_by_text("The server does not answer").wait_for(timeout=BANNER_SECONDS * 1000)
    print(json.dumps({"banner_seconds": round(time.monotonic() - killed, 2)}))


def watched_to_its_end(page: Any, form: Any) -> None:
    page.get_by_text("The server does not answer").wait_for(state="hidden")
    form.get_by_text("The server does not answer").wait_for(state="hidden")
    assert form.get_by_role("textbox", name="Name").input_value() == "typed before"
    form.get_by_role("dialog").get_by_role("button", name="New key").click()
    assert form.get_by_role("textbox", name="The new key").input_value().startswith("lino_")
    page.get_by_role("link", name="The model").wait_for(timeout=TRAINED_WITHIN_MS)
    page.get_by_text("Step 100 of 100").wait_for()
    assert page.locator(".previews img").count() >= 1
    assert page.locator(".chart canvas").count() == 1


def drawn_with_the_model(page: Any, prompt: str) -> dict[str, Any]:
    """From the model's page: its name is chosen already; what the server answered."""
    page.get_by_role("link", name="Draw with it").click()
    page.get_by_label("Prompt *").fill(prompt)
    assert page.get_by_label("Model", exact=True).input_value() == MODEL
    return drawn(page)


def drawn(page: Any) -> dict[str, Any]:
    page.get_by_label("Rendering speed").select_option("FLASH")
    with page.expect_response(lambda answer: answer.request.method == "POST", timeout=PATIENCE_MS) as sent:
        page.get_by_role("button", name="Draw", exact=True).click()
    assert sent.value.status == 200, sent.value.text()
    page.locator(".results img").first.wait_for()
    return dict(sent.value.json())


def pixels(content: bytes) -> Any:
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"))


def repainted_under_a_mask(page: Any, http: httpx2.Client, before: Any) -> None:
    """Outside of the mask not one value has changed, and inside most have."""
    page.get_by_role("button", name="Send to").first.click()
    page.get_by_role("menuitem", name="/v1/ideogram-v3/inpaint").click()
    stroke(page)
    page.get_by_label("Prompt *").fill("a yellow star")
    page.get_by_label("Model", exact=True).select_option(MODEL)
    after = pixels(httpx2.get(drawn(page)["data"][0]["url"]).content)
    newest = http.get("/images").json()["images"][0]
    assert newest["parameters"]["custom_model_uri"] == MODEL
    [painted] = [http.get(one["url"]).content for one in newest["inputs"] if one["field"] == "mask"]
    mask = np.asarray(Image.open(BytesIO(painted)).convert("L"))
    changed = (before != after).any(axis=-1)
    inside, outside = changed[mask == 0].mean(), changed[mask == 255].mean()
    print(f"repainted {(mask == 0).mean():.3f} of the picture; changed inside {inside:.3f}, outside {outside:.3f}")
    assert before.shape == after.shape == (*mask.shape, 3)
    assert set(np.unique(mask)) == {0, 255}
    assert 0.02 < (mask == 0).mean() < 0.2
    assert mask[mask.shape[0] // 2, mask.shape[1] // 2] == 0
    assert not changed[mask == 255].any()
    assert inside > 0.5


def shared_and_invited(page: Any) -> str:
    """The link of an invite, and the model shared with the organisation."""
    page.get_by_role("link", name="Models").click()
    page.get_by_role("link", name="Kettle and Fern").click()
    page.get_by_role("button", name="Share").click()
    page.get_by_role("dialog").get_by_role("button", name="Share with").click()
    page.get_by_text("Whoever joins may draw with it.").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Team").click()
    page.get_by_role("button", name="Add or invite").click()
    page.get_by_label("E-mail address or name").fill("grace@example.org")
    page.get_by_role("dialog").get_by_role("button", name="Add or invite").click()
    link = page.get_by_role("textbox", name="Invite link").input_value()
    page.keyboard.press("Escape")  # the dialog stands before the page's links
    return str(link)


def drawn_by_the_second_member(page: Any, link: str) -> None:
    page.goto(link)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Shared (1)").click()
    page.get_by_role("link", name="Kettle and Fern").click()
    page.get_by_role("link", name="Draw with it").wait_for()
    assert page.get_by_role("button", name="Share").count() == 0, "only the owner shares it further"
    answer = drawn_with_the_model(page, "a teapot under a lamp")
    assert answer["data"][0]["is_image_safe"]


@pytest.mark.timeout(1800)
def test_the_printed_link_is_enough(browser: Any, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with served(tmp_path, port) as first:
        owner = Visit(browser, url)
        page = owner.page
        page.set_default_timeout(PATIENCE_MS)
        in_by_the_printed_link(page, tmp_path)
        trained_on_the_samples(page)
        second = owner.context.new_page()
        second.goto(f"{url}/console/#/keys")
        watched_until_killed(page, second, first)
    with served(tmp_path, port):
        watched_to_its_end(page, second)
        page.get_by_role("link", name="The model").click()
        assert page.get_by_label("Name for drawing").input_value() == MODEL
        answer = drawn_with_the_model(page, "a teapot under a lamp")
        [token] = [one["value"] for one in owner.context.cookies() if one["name"] == COOKIE]
        with httpx2.Client(base_url=url, headers=signed_in(token), timeout=60) as http:
            assert http.get("/images").json()["images"][0]["parameters"]["custom_model_uri"] == MODEL
            repainted_under_a_mask(page, http, pixels(httpx2.get(answer["data"][0]["url"]).content))
        member = Visit(browser, url)
        drawn_by_the_second_member(member.page, shared_and_invited(page))
        page.get_by_role("link", name="Start").click()
        page.get_by_text("Kettle and Fern").first.wait_for()
        assert page.get_by_text("Use the sample posters").count() == 0, "the card is for who has no model"
        owner.close()
        member.close()
