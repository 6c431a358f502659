"""Image links: signed, expiring, without a key, at the origin that clients can reach."""

import io
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from sqlalchemy import delete, insert
from starlette.requests import Request
from tests.api.live import Live
from tests.api.pictures import png

from linocut import ids
from linocut.api.links import origin_of
from linocut.datasets.garbage import collect_thumbnails
from linocut.db.tables import images
from linocut.files import sha256_hex
from linocut.pictures.thumbnails import Thumbnails
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


def _large(live: Live, number: int = 9) -> str:
    """An image of 900 x 600 pixels, stored; its id."""
    image = ids.new_id()
    sha256 = live.runtime.store.put(png(number, 900, 600))
    with live.runtime.db.transaction() as tx:
        values = {"image_id": image, "job_id": ids.new_id(), "image_sha256": sha256, "created_at": ids.now()}
        tx.execute(insert(images).values(**values))
    return image


def test_a_link_with_a_size_gives_the_picture_small(live: Live) -> None:
    link = _link(live, _large(live))
    for size, pixels in ((256, (256, 171)), (512, (512, 341))):
        answer = live.public.get(f"{link}&size={size}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert Image.open(io.BytesIO(answer.content)).size == pixels
        again = live.public.get(f"{link}&size={size}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert live.public.get(f"{link}&size={size}").content == answer.content
    assert live.public.get(link, headers={"If-None-Match": answer.headers["etag"]}).status_code == 200
    assert live.public.get(f"{link}&size=").headers["content-type"] == "image/png"


@pytest.mark.parametrize("size", ["255", "0", "-256", "1024", "big", "256.5"])
def test_another_size_is_refused_by_name(live: Live, image_id: str, size: str) -> None:
    answer = live.public.get(f"{_link(live, image_id)}&size={size}")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("size must be one of 256, 512")


def test_a_small_picture_takes_what_the_picture_takes(live: Live) -> None:
    """Also once it was made: the shelf is behind the signature, and behind the row."""
    image = _large(live, 10)
    assert live.public.get(f"{_link(live, image)}&size=256").status_code == 200
    assert live.public.get(f"{_link(live, image, seconds=-1)}&size=256").status_code == 403
    assert live.public.get(f"{_link(live, image).partition('&sig')[0]}&size=256").status_code == 403
    with live.runtime.db.transaction() as tx:
        tx.execute(delete(images).where(images.c.image_id == image))
    assert live.public.get(f"{_link(live, image)}&size=256").status_code == 404
    shelf = live.settings.thumbnails
    assert len(list(shelf.iterdir())) > 0
    collect_thumbnails(live.runtime.db, Thumbnails(shelf, 0))
    sha256 = sha256_hex(png(10, 900, 600))
    assert not list(shelf.glob(f"{sha256}*"))


def test_what_cannot_be_made_small_is_told_in_words(live: Live) -> None:
    image = ids.new_id()
    sha256 = live.runtime.store.put(png(11)[:70])
    with live.runtime.db.transaction() as tx:
        values = {"image_id": image, "job_id": ids.new_id(), "image_sha256": sha256, "created_at": ids.now()}
        tx.execute(insert(images).values(**values))
    answer = live.public.get(f"{_link(live, image)}&size=256")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("size: This picture cannot be made small; ask for it without size.")
