"""/docs and /openapi.json: whole, and without the network."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from tests.api.every import ALL, OPERATIONS
from tests.api.live import Live

from linocut import __version__
from linocut.api import console_files, openapi, reference


def test_the_reference_names_every_operation_and_fetches_nothing(live: Live) -> None:
    answer = live.public.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.text
    for operation in ALL:
        assert operation.path in page
        assert (f'id="{operation.name}"' in page) or not operation.is_built
    assert "<script" not in page
    assert set(re.findall(r'(?:src|href)="(?!#)([^"]*)"', page)) == {"openapi.json"}, "relative: it may have a prefix"
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links <= set(re.findall(r'id="([^"]+)"', page))
    assert len(page) < 3_500 * len(OPERATIONS), "pages stay small: so much for each operation"


def test_a_link_leads_into_a_row_so_that_the_row_opens(live: Live) -> None:
    """A browser opens a row when a link goes to an element inside it; one on the row itself stays closed."""
    page = live.public.get("/docs").text
    assert "<details id" not in page
    for name in set(re.findall(r'href="#([^"]+)"', page)):
        assert page.count(f'</summary><div id="{name}">') == 1


def test_every_operation_shows_a_request_and_its_answer(live: Live) -> None:
    page = live.public.get("/docs").text
    for operation in OPERATIONS:
        row = _row(page, operation.name)
        assert "<pre>curl " in row
        assert "$URL/" in row
        assert ("Api-Key: $KEY" in row) == operation.key_needed
        if operation.answer is not None and not isinstance(operation.answer, str):
            assert row.count("<pre>") == 2
    assert "-F files=@picture.png" in _row(page, "upload_dataset_assets")


def test_every_option_of_a_drawing_is_acted_on(live: Live) -> None:
    row = _row(live.public.get("/docs").text, "post_generate_image_v3")
    assert "Not supported yet" not in row
    for name in ("prompt", "seed", "negative_prompt", "style_type", "color_palette", "character_reference_images_mask"):
        assert f"<code>{name}</code>" in row


def test_fields_that_are_not_acted_on_stand_apart_with_what_to_do() -> None:
    mark = {"sentence": "Leave it out.", "unless": ""}
    fields = {"prompt": {"type": "string"}, "version": {"type": "string", "x-not-supported-yet": mark}}
    acted_on, _, later = reference._object({"properties": fields}).partition("<h4>Not supported yet</h4>")
    assert ("<code>prompt</code>" in acted_on, "<code>version</code>" in acted_on) == (True, False)
    assert "<tr><td><code>version</code></td><td>Leave it out." in later


def _row(page: str, name: str) -> str:
    return page.partition(f'<div id="{name}">')[2].partition("</div></details>")[0]


def test_the_pages_are_written_once(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    first = {path: live.public.get(path).content for path in ("/docs", "/openapi.json")}
    monkeypatch.setattr(openapi, "describe", lambda _: 1 / 0)
    monkeypatch.setattr(reference, "render", lambda *_: 1 / 0)
    assert {path: live.public.get(path).content for path in first} == first


@pytest.mark.parametrize("accept", ["text/html", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "*/*, Text/HTML"])
def test_a_browser_at_the_root_is_led_to_the_console_or_the_reference(
    live: Live, accept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for built, leads_to in ((False, "docs"), (True, "console/")):
        monkeypatch.setattr(console_files, "FOLDER", tmp_path)
        if built:
            (tmp_path / "index.html").write_text("a console")
        for method in ("GET", "HEAD"):
            answer = live.public.request(method, "/", headers={"Accept": accept})
            assert (answer.status_code, answer.headers["location"], answer.headers["vary"]) == (303, leads_to, "Accept")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/html;q=0, */*"])
def test_anybody_else_at_the_root_is_told_what_this_is(live: Live, accept: str) -> None:
    assert live.public.get("/", headers={"Accept": accept}).json() == {
        "name": "linocut",
        "version": __version__,
        "docs": f"{live.url}/docs",
        "openapi": f"{live.url}/openapi.json",
    }


def test_the_reference_has_one_address_so_that_its_links_hold(live: Live) -> None:
    answer = live.public.get("/docs/")
    assert (answer.status_code, answer.headers["location"]) == (303, "../docs")
    assert live.public.get(urljoin(f"{live.url}/docs/", "../docs")).status_code == 200


def test_the_description_is_whole(live: Live) -> None:
    document = live.public.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    described = {(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
    assert described == {(operation.method, operation.path) for operation in OPERATIONS}
    references = set(re.findall(r'"\$ref": ?"#/components/schemas/(\w+)"', live.public.get("/openapi.json").text))
    assert references <= set(document["components"]["schemas"])


def test_counters_are_public_and_hold_no_names(live: Live) -> None:
    account = live.account()
    account.http.post("/datasets", json={"name": "a very private name"})
    page = live.public.get("/metrics").text
    assert 'linocut_requests_total{operation="create_dataset",status="200"}' in page
    assert "linocut_ready 0" in page
    assert "private" not in page
    assert account.user_id not in page
    assert all(re.fullmatch(r"#.*|[a-z_]+(\{[^}]*\})? [0-9.e+-]+", line) for line in page.splitlines())
