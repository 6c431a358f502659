"""The console's built files: what is sent, how it is packed and kept, what a browser may do with it."""

import gzip
import re
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from tests.api.live import Live

from linocut.api import console_files

SCRIPT = b"console.log('here')\n" * 200


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(console_files, "FOLDER", tmp_path / "console")
    (tmp_path / "secret.txt").write_text("not of the console")
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "index.html").write_text("<script src=./index-AbC1.js></script>")
    (tmp_path / "console" / "index-AbC1.js").write_bytes(SCRIPT)
    (tmp_path / "console" / "inter-1.woff2").write_bytes(b"wOF2")
    return tmp_path / "console"


def test_without_a_console_the_api_says_so_in_one_line(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_files, "FOLDER", tmp_path / "none")
    answer = live.public.get("/console/")
    assert (answer.status_code, answer.json()["error"]) == (404, console_files.NOT_BUILT)
    assert live.public.get("/docs").status_code == 200


def test_its_policy_is_strict_and_nothing_is_sniffed(live: Live, built: Path) -> None:
    for name in ("", "index-AbC1.js", "inter-1.woff2"):
        headers = live.public.get(f"/console/{name}").headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert not re.search(r"https?:|\*|data:", policy), "no other origin"
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_is_always_asked_for_and_its_parts_never_again(live: Live, built: Path) -> None:
    assert live.public.get("/console/").headers["cache-control"] == "no-cache"
    assert "immutable" in live.public.get("/console/index-AbC1.js").headers["cache-control"]


def test_it_is_packed_for_who_takes_it(live: Live, built: Path) -> None:
    plain = live.public.get("/console/index-AbC1.js", headers={"Accept-Encoding": "identity"})
    assert (plain.content, plain.headers["content-type"]) == (SCRIPT, "text/javascript; charset=utf-8")
    with live.public.stream("GET", "/console/index-AbC1.js", headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert gzip.decompress(raw) == SCRIPT
    assert len(raw) < len(SCRIPT) / 5
    font = live.public.get("/console/inter-1.woff2")
    assert ("content-encoding" in font.headers, font.headers["content-type"]) == (False, "font/woff2")


@pytest.mark.parametrize("name", ["..%2Fsecret.txt", "%2e%2e%2fsecret.txt", "secret.txt", "index-AbC1.js.map", "%00"])
def test_no_name_leads_elsewhere(live: Live, built: Path, name: str) -> None:
    assert live.public.get(f"/console/{name}").status_code == 404


def test_one_address_and_a_new_build(live: Live, built: Path) -> None:
    led = live.public.get("/console")
    assert (led.status_code, led.headers["location"]) == (303, "console/")
    assert "index-AbC1.js" in live.public.get("/console/").text
    (built / "index-XyZ2.js").write_text("new")
    (built / "index.html").write_text("<script src=./index-XyZ2.js></script>")
    assert "index-XyZ2.js" in live.public.get("/console/").text
    assert live.public.get("/console/index-XyZ2.js").text == "new"


def test_an_address_of_a_page_leads_to_it(live: Live, built: Path) -> None:
    led = live.public.get("/console/usage")
    assert (led.status_code, led.headers["location"]) == (303, "./#/usage")


def test_the_samples_are_those_of_the_demo(live: Live) -> None:
    account = live.account()
    answer = account.http.get("/samples.zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        names = archive.namelist()
    assert sum(name.endswith(".png") for name in names) == 20
    assert sum(name.endswith((".txt", ".json")) for name in names) == 20
    assert live.public.get("/samples.zip").status_code == 401
