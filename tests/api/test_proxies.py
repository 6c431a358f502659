"""Behind a proxy: whose X-Forwarded headers count, what links and pages make of them, and who hears of it otherwise."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from starlette.requests import Request
from tests.api.live import Live, running

from linocut.api.links import origin_of
from linocut.api.proxies import client_of, is_trusted
from linocut.cli import checks
from linocut.observe import set_up_logs
from linocut.settings import Settings

PROXY = "10.0.0.2"


def _asked(headers: dict[str, str], peer: str = PROXY) -> Request:
    pairs = [(b"host", b"inside:8731"), *((name.lower().encode(), value.encode()) for name, value in headers.items())]
    scope = {"type": "http", "scheme": "http", "headers": pairs, "server": ("127.0.0.1", "8731"), "client": (peer, "5")}
    return Request(scope)


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({"X-Forwarded-Proto": "https"}, "https://inside:8731"),
        ({"X-Forwarded-Proto": "HTTPS"}, "https://inside:8731"),
        ({"X-Forwarded-Proto": "https, http"}, "https://inside:8731"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "img.example.org"}, "https://img.example.org"),
        ({"X-Forwarded-Host": "img.example.org:8443"}, "http://img.example.org:8443"),
        ({"X-Forwarded-Host": "a.example.org, b.internal"}, "http://a.example.org"),
        ({"X-Forwarded-Host": "[2001:db8::1]:8443"}, "http://[2001:db8::1]:8443"),
        ({"X-Forwarded-Prefix": "/img"}, "http://inside:8731/img"),
        ({"X-Forwarded-Prefix": "/img/"}, "http://inside:8731/img"),
        ({"X-Forwarded-Prefix": "/a/b-c.d"}, "http://inside:8731/a/b-c.d"),
        ({"X-Forwarded-Prefix": "/"}, "http://inside:8731"),
        ({"X-Forwarded-Prefix": ""}, "http://inside:8731"),
        ({"X-Forwarded-Prefix": "img"}, "http://inside:8731"),
        ({"X-Forwarded-Prefix": "//evil.example"}, "http://inside:8731"),
        ({"X-Forwarded-Prefix": "/../x"}, "http://inside:8731"),
        ({"X-Forwarded-Prefix": '/"onload'}, "http://inside:8731"),
        ({"X-Forwarded-Proto": "javascript"}, "http://inside:8731"),
        ({"X-Forwarded-Proto": "wss"}, "http://inside:8731"),
        ({"X-Forwarded-Host": "evil.example/path?"}, "http://inside:8731"),
        ({"X-Forwarded-Host": "user@evil.example"}, "http://inside:8731"),
    ],
)
def test_what_a_trusted_proxy_says_goes_into_links(headers: dict[str, str], origin: str) -> None:
    assert origin_of(_asked(headers), Settings(trusted_proxies=PROXY)) == origin
    assert origin_of(_asked(headers), Settings(trusted_proxies="10.0.0.0/8, ::1")) == origin
    for proxies in ("", "10.0.0.3", "192.168.0.0/16"):
        assert origin_of(_asked(headers), Settings(trusted_proxies=proxies)) == "http://inside:8731"


def test_the_operator_s_own_origin_comes_before_all() -> None:
    settings = Settings(trusted_proxies=PROXY, public_url="https://img.example.org/img")
    request = _asked({"X-Forwarded-Proto": "http", "X-Forwarded-Host": "other", "X-Forwarded-Prefix": "/other"})
    assert origin_of(request, settings) == "https://img.example.org/img"


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        (PROXY, "203.0.113.5", "203.0.113.5"),
        (PROXY, "203.0.113.5:4711", "203.0.113.5"),
        (PROXY, "[2001:db8::1]:4711", "2001:db8::1"),
        (PROXY, "198.51.100.1, 203.0.113.5", "203.0.113.5"),  # the first was the client's own invention
        (PROXY, "203.0.113.5, 10.0.0.9", "203.0.113.5"),  # two proxies of ours
        (PROXY, "nonsense", PROXY),
        (PROXY, "", PROXY),
        ("203.0.113.7", "203.0.113.5", "203.0.113.7"),
    ],
)
def test_the_address_is_the_last_that_no_proxy_of_ours_has(peer: str, told: str, client: str) -> None:
    scope = _asked({"X-Forwarded-For": told}, peer).scope
    assert client_of(scope, Settings(trusted_proxies="10.0.0.0/8")) == client
    assert client_of(scope, Settings()) == peer


@pytest.mark.parametrize(
    ("address", "proxies", "trusted"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("::1", "127.0.0.1", False),
        ("::1", "::1", True),
        ("10.1.2.3", "10.0.0.1/8", True),
        ("10.1.2.3", "", False),
        ("10.1.2.3", "0.0.0.0/0,::/0", True),
        ("", "0.0.0.0/0", False),
        ("/run/socket", "0.0.0.0/0", False),
    ],
)
def test_who_is_trusted(address: str, proxies: str, trusted: bool) -> None:
    assert is_trusted(address, proxies) is trusted


@pytest.mark.parametrize(
    "value", ["nginx", "*", "10.0.0.0/33", "127.0.0.1:80", "http://127.0.0.1", "10.0.0.1 10.0.0.2", "::g"]
)
def test_a_proxy_that_is_no_address_is_refused_with_a_sentence(value: str) -> None:
    with pytest.raises(ValueError, match=r"LINOCUT_TRUSTED_PROXIES has .* no address and no network; it takes"):
        Settings(trusted_proxies=value)


@pytest.mark.parametrize(
    "value",
    ["img.example.org", "//img.example.org", "ftp://img.example.org", "https://", "https:/img", "https://a b", "https://a?x=1",
     "https://a#x", "https://user:secret@a", "https://a:99999", "https://a\n", "localhost:8731", "/img"],
)  # fmt: skip
def test_a_public_url_that_is_none_is_refused_with_a_sentence(value: str) -> None:
    with pytest.raises(ValueError, match=r"LINOCUT_PUBLIC_URL is .* it takes a scheme, a host") as told:
        Settings(public_url=value)
    assert "https://img.example.org" in str(told.value)


@pytest.mark.parametrize("value", ["", "http://a", "https://a.b:8443/", "https://[::1]:1/x/y", "HTTPS://a"[0:0]])
def test_a_public_url_is_taken(value: str) -> None:
    assert Settings(public_url=value).public_url == value


@pytest.fixture
def logging_json() -> Iterator[None]:
    set_up_logs(logging.getLevelName(logging.INFO), as_json=True)
    yield
    structlog.reset_defaults()


def test_headers_of_a_stranger_are_told_once(
    tmp_path: Path, logging_json: None, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path) as live:
        assert checks.proxy(live.url).ok
        live.public.get("/healthz")
        assert "X-Forwarded" not in capfd.readouterr().err
        for _ in range(3):
            live.public.get("/healthz", headers={"X-Forwarded-Proto": "https"})
        said = [line for line in capfd.readouterr().err.splitlines() if "X-Forwarded" in line]
        assert len(said) == 1
        assert "LINOCUT_TRUSTED_PROXIES" in said[0]
        assert '"address": "127.0.0.1"' in said[0]
        found = checks.proxy(live.url)
        assert not found.ok
        assert "LINOCUT_TRUSTED_PROXIES" in found.mend


@pytest.mark.parametrize("settings", [{"trusted_proxies": "127.0.0.0/8"}, {"public_url": "https://img.example.org"}])
def test_nothing_is_said_where_all_is_well(
    tmp_path: Path, logging_json: None, capfd: pytest.CaptureFixture[str], settings: dict[str, str]
) -> None:
    with running(tmp_path, **settings) as live:
        live.public.get("/healthz", headers={"X-Forwarded-Proto": "https"})
        assert checks.proxy(live.url).ok
    assert "X-Forwarded" not in capfd.readouterr().err


def test_doctor_says_when_there_is_nothing_to_ask() -> None:
    assert checks.proxy("http://127.0.0.1:1").ok


def test_the_reference_works_under_a_path(live: Live) -> None:
    """No link of the page begins with a slash, so that it leads to the right place under any prefix."""
    page = live.public.get("/docs").text
    assert 'href="openapi.json"' in page
    assert 'href="/' not in page
    assert 'src="/' not in page
    answer = live.public.get("/docs/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "../docs")


def test_pages_are_small(live: Live) -> None:
    for path in ("/docs", "/openapi.json"):
        plain = live.public.get(path, headers={"Accept-Encoding": "identity"})
        packed = live.public.get(path, headers={"Accept-Encoding": "gzip;q=0.5, br"})
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == plain.content
        assert int(packed.headers["content-length"]) < len(plain.content) / 3
        assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
        refused = live.public.get(path, headers={"Accept-Encoding": "gzip;q=0, *;q=1"})
        assert "content-encoding" not in refused.headers
