"""What "Show the call" gives, run in a shell: each language's answer is the one that the page got."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image
from tests.api.live import Account, Live
from tests.console.conftest import Visit, playground, stroke

from linocut.api.discovery import OPERATIONS
from linocut.api.operation import Draws

ANSWERS = [one for one in OPERATIONS if one.method == "POST" and one.tag in ("generate", "vision")]
CALLS = sorted(one.path for one in ANSWERS if "/async/" not in one.path)


@pytest.fixture(scope="module")
def caller(live: Live) -> Account:
    return live.account()


@pytest.fixture(scope="module")
def pages(browser: Any, live: Live, caller: Account) -> Iterator[Visit]:
    """One page for all operations, as somebody goes from one to the next."""
    made = Visit(browser, live.url, caller.token)
    yield made
    made.close()


def filled(page: Any, picture: Path) -> bool:
    """What must be said, said, by the kind of each control; and a seed, if there is one (False: there is none)."""
    has_mask = page.locator("label:text-is('Mask *')").count() > 0
    pictures = page.locator("label:text-matches('^Pictures?')")
    if pictures.count():
        page.locator("input[type=file]").first.set_input_files(picture)
    if has_mask:
        page.wait_for_selector(".painter canvas")
        stroke(page)
    for field in page.locator(".field:has(> label:has-text('*'))").all():
        if field.locator("select").count():
            if "unless said" not in field.locator("option").first.evaluate("one => one.text"):
                field.locator("select").select_option(index=1)
        elif field.locator("textarea").count():
            field.locator("textarea").fill('it\'s a "red" fish & <b> in $HOME; make the background blue')
    first = page.locator("form textarea").first
    if first.count() and first.is_visible() and not first.input_value():
        first.fill("it's a red fish")
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    seed = page.locator("input[placeholder=random]")
    if seed.count():
        seed.first.fill("7")
    return bool(seed.count())


def without_links(answer: Any, *, seeded: bool) -> Any:
    """What an answer says, with the content behind each link instead of the link. Where an operation takes no seed, its
    pictures are others each time."""
    if isinstance(answer, dict):
        chance = () if seeded else ("seed",)
        told = {name: one for name, one in answer.items() if name != "created" and name not in chance}
        return {name: without_links(one, seeded=seeded) for name, one in told.items()}
    if isinstance(answer, list):
        return [without_links(one, seeded=seeded) for one in answer]
    if isinstance(answer, str) and re.match(r"http://[^ ]+\.png\?", answer):
        content = httpx2.get(answer).content
        return hashlib.sha256(content).hexdigest() if seeded else Image.open(BytesIO(content)).size
    return answer


@pytest.mark.parametrize("path", CALLS)
def test_the_call_that_is_shown_gives_the_same_answer(
    pages: Visit, caller: Account, picture: Path, tmp_path: Path, path: str
) -> None:
    node = shutil.which("node", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert node is not None
    page = playground(pages, path)
    seeded = filled(page, picture)
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.click("button[type=submit]")
    assert sent.value.status == 200, sent.value.text()
    seen = without_links(sent.value.json(), seeded=seeded)
    page.click("text=Show the call")
    calls = {}
    for language in ("curl", "Python", "JavaScript"):
        page.click(f".dialog button:text-is('{language}')")
        calls[language] = page.locator(".dialog pre").inner_text()
    for button in page.locator(".dialog button:text-matches('\\\\.(png|jpg|webp)$')").all():
        with page.expect_download() as file:
            button.click()
        file.value.save_as(tmp_path / button.inner_text())
    page.keyboard.press("Escape")
    (tmp_path / "call.mjs").write_text(calls["JavaScript"])
    (tmp_path / "call.py").write_text(calls["Python"])
    environment = {**os.environ, "LINOCUT_API_KEY": caller.api_key, "PYTHONSAFEPATH": "1"}
    commands = (["bash", "-c", calls["curl"]], [sys.executable, "call.py"], [node, "call.mjs"])
    pipe = subprocess.PIPE
    begun = [
        subprocess.Popen(one, cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True) for one in commands
    ]
    for command, process in zip(commands, begun, strict=True):
        said, complained = process.communicate(timeout=120)
        assert process.returncode == 0, complained
        assert without_links(json.loads(said), seeded=seeded) == seen, command[0]


def test_every_drawing_operation_has_a_page(visit: Visit) -> None:
    page = visit.open("/playground")
    page.wait_for_selector("a.card")
    listed = sorted(one.inner_text() for one in page.locator("a.card span").all())
    assert listed == CALLS
    drawing = {one.path for one in OPERATIONS if isinstance(one.does, Draws)}
    assert drawing <= set(CALLS)
