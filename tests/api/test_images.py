"""Image links: signed, expiring, without a key, at the origin that clients can reach."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import insert
from starlette.requests import Request
from tests.api.live import Live
from tests.api.pictures import png

from linocut import ids
from linocut.api.links import origin_of
from linocut.db.tables import images
from linocut.settings import Settings
from linocut.storage.links import image_url


@pytest.fixture
def image_id(live: Live) -> str:
    """A stored image."""
    image = ids.new_id()
    sha256 = live.runtime.store.put(png(7))
    with live.runtime.db.transaction() as tx:
        values = {"image_id": image, "job_id": ids.new_id(), "image_sha256": sha256, "created_at": ids.now()}
        tx.execute(insert(images).values(**values))
    return image


def _link(live: Live, image_id: str, seconds: float = 60) -> str:
    return image_url(live.url, image_id, ids.now() + timedelta(seconds=seconds), live.runtime.link_secret)


def test_a_link_gives_the_picture_without_a_key(live: Live, image_id: str) -> None:
    answer = live.public.get(_link(live, image_id))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.history == []
    assert answer.content == png(7)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert 0 < int(answer.headers["cache-control"].partition("max-age=")[2]) <= 60


def test_head_says_the_same_without_the_picture(live: Live, image_id: str) -> None:
    answer = live.public.head(_link(live, image_id))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(png(7)))


def test_a_copy_that_is_still_good_is_not_sent_again(live: Live, image_id: str) -> None:
    etag = live.public.get(_link(live, image_id)).headers["etag"]
    answer = live.public.get(_link(live, image_id), headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_a_link_ends(live: Live, image_id: str) -> None:
    assert live.public.get(_link(live, image_id, seconds=-1)).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda exp, sig: "",
        lambda exp, sig: f"exp={exp}",
        lambda exp, sig: f"sig={sig}",
        lambda exp, sig: f"exp={int(exp) + 3600}&sig={sig}",
        lambda exp, sig: f"exp={exp}&sig={'0' * 64}",
        lambda exp, sig: f"exp={exp}&sig={sig.upper()}",
        lambda exp, sig: f"exp=%2B{exp}&sig={sig}",
        lambda exp, sig: f"exp=1e99&sig={sig}",
        lambda exp, sig: f"exp={exp}&sig=é",
    ],
)
def test_a_changed_link_is_refused(live: Live, image_id: str, change: object) -> None:
    url = urlsplit(_link(live, image_id))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    changed = url._replace(query=change(query["exp"], query["sig"])).geturl()  # type: ignore[operator]
    assert live.public.get(changed).status_code == 403


def test_one_image_s_signature_opens_no_other(live: Live, image_id: str) -> None:
    changed = _link(live, image_id).replace(image_id, ids.new_id())
    assert live.public.get(changed).status_code == 403


def test_a_good_signature_of_no_image_is_404(live: Live) -> None:
    assert live.public.get(_link(live, ids.new_id())).status_code == 404


def _request(host: str | None, scheme: str = "http") -> Request:
    headers = [] if host is None else [(b"host", host.encode("latin-1"))]
    return Request({"type": "http", "scheme": scheme, "headers": headers, "server": ("127.0.0.1", "8731")})


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8731", "http://localhost:8731"),
        ("api.ideogram.ai", "http://api.ideogram.ai"),
        ("[::1]:8731", "http://[::1]:8731"),
        (None, "http://127.0.0.1:8731"),
        ("", "http://127.0.0.1:8731"),
        ("evil.example/path?", "http://127.0.0.1:8731"),
        ('a" onload="x', "http://127.0.0.1:8731"),
        ("a b", "http://127.0.0.1:8731"),
        ("user@host", "http://127.0.0.1:8731"),
    ],
)
def test_the_origin_is_the_one_that_the_client_asked(host: str | None, origin: str) -> None:
    assert origin_of(_request(host), Settings(data=Path("x"))) == origin


@pytest.mark.parametrize("public", ["https://images.example.com", "https://images.example.com/"])
def test_the_operator_s_origin_comes_first(public: str) -> None:
    assert origin_of(_request("localhost"), Settings(public_url=public)) == "https://images.example.com"
