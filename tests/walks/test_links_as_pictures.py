"""Where a picture may be sent, a link may stand that this server issued: valid, and to the organisation's own image."""

import base64
import json
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from tests.api.live import Account, Live
from tests.api.pictures import png
from tests.walks.steps import V3_GENERATE, ok
from tests.walks.test_editing import INPAINT, REMIX, REMIX_V4, mask
from tests.walks.test_options import CHARACTER, STYLE, newest

from linocut import ids
from linocut.api.links import is_own
from linocut.settings import Settings
from linocut.storage.links import image_url


def drawn(account: Account, prompt: str = "a cat") -> str:
    return str(ok(account.http.post(V3_GENERATE, json={"prompt": prompt}))["data"][0]["url"])


def form(account: Account, path: str, parts: list[tuple[str, Any]]) -> httpx2.Response:
    return account.http.post(path, files=parts)


def text(name: str, value: str) -> tuple[str, Any]:
    return name, (None, value)


def test_a_drawn_image_is_drawn_over_by_its_link(live: Live, account: Account) -> None:
    link = drawn(account)
    for path, prompt in ((REMIX, "prompt"), (REMIX_V4, "text_prompt")):
        for spelled in (text("image", link), text("image", f" {link}\n"), ("image", ("blob", link.encode()))):
            ok(form(account, path, [spelled, text(prompt, "a dog")]))
    black = mask(1024, 1024, (0, 0, 500, 500))
    answer = ok(form(account, INPAINT, [text("image", link), ("mask", ("m.png", black)), text("prompt", "a dog")]))
    assert answer["data"][0]["resolution"] == "1024x1024"


@pytest.mark.parametrize("way", ["parts", "numbered", "commas", "brackets", "json in a form", "json", "mixed"])
def test_links_as_style_references_however_they_are_written(live: Live, account: Account, way: str) -> None:
    one, two = drawn(account, "a cat"), drawn(account, "a dog")
    prompt = text("prompt", "a house")
    ways: dict[str, list[tuple[str, Any]]] = {
        "parts": [text(STYLE, one), text(STYLE, two)],
        "numbered": [text(f"{STYLE}[1]", two), text(f"{STYLE}[0]", one)],
        "commas": [text(STYLE, f"{one}, {two}")],
        "brackets": [text(STYLE, f"[{one},{two}]")],
        "json in a form": [text(STYLE, json.dumps([one, two]))],
        "mixed": [text(STYLE, one), (STYLE, ("image.jpg", png(3), "image/jpeg"))],
    }
    if way == "json":
        ok(account.http.post(V3_GENERATE, json={"prompt": "a house", STYLE: [one, two]}))
    else:
        ok(form(account, V3_GENERATE, [prompt, *ways[way]]))
    styles = newest(live).styles
    assert [style.width for style in styles] == [1024, 48 if way == "mixed" else 1024]
    assert styles[0].sha256 != styles[1].sha256


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("expired", "image: The link has expired or was changed"),
        ("forged", "image: The link has expired or was changed"),
        ("foreign", "image: The image behind the link is not your organisation's"),
        ("gone", "image: The image behind the link is not your organisation's, or is no longer kept"),
        ("elsewhere", "image: Only links to images that this server drew are followed"),
        ("unsigned", "image: Only links to images that this server drew are followed"),
        ("file", 'image holds the text "file:///etc/passwd", not a picture; send the file itself'),
    ],
    ids=["expired", "forged", "foreign", "gone", "elsewhere", "unsigned", "file"],
)
def test_any_other_link_is_refused_with_a_sentence(live: Live, account: Account, how: str, words: str) -> None:
    link = drawn(live.account() if how == "foreign" else account)
    secret = live.runtime.link_secret
    image_id = link.rpartition("/")[2].partition(".")[0]
    links = {
        "expired": image_url(live.url, image_id, ids.now().replace(year=2001), secret),
        "forged": link.replace("sig=", "sig=0")[:-1],
        "foreign": link,
        "gone": image_url(live.url, ids.new_id(), ids.now().replace(year=2099), secret),
        "elsewhere": "https://example.com/cat.png?exp=1&sig=2",
        "unsigned": link.partition("?")[0],
        "file": "file:///etc/passwd",
    }
    told = form(account, REMIX, [text("image", links[how]), text("prompt", "a dog")])
    assert told.status_code == 400, told.text
    assert words in told.json()["error"]


def test_a_link_under_another_address_is_no_link_of_this_server(live: Live, account: Account) -> None:
    """Also with a signature that is valid. The address that the request asks for is this server's."""
    link = drawn(account)
    path = link[link.index("/api/images/") :]
    host = live.url.removeprefix("http://")
    elsewhere = [f"https://{host}", "http://127.0.0.1:1", "http://prints.example.com", f"http://{host}@evil.example"]
    for address in (*elsewhere, "http://prints.example.com:99999"):
        told = form(account, REMIX, [text("image", address + path), text("prompt", "a dog")])
        assert told.status_code == 400
        assert told.json()["error"] == (
            f"image: Only links that begin with this server's own address are followed ({live.url}); "
            "send the picture as a file."
        )
        assert form(account, "/v1/edit", [text("image_urls", address + path), text("prompt", "x")]).status_code == 400
    named = account.http.post(
        REMIX,
        files=[text("image", f"http://Prints.example.com:80{path}"), text("prompt", "a dog")],
        headers={"Host": "prints.example.com"},
    )
    ok(named)


def test_the_public_address_is_its_own_beside_the_one_that_is_asked_for() -> None:
    request = Request({"type": "http", "scheme": "http", "headers": [(b"host", b"inside:8731")], "server": ("x", 1)})
    settings = Settings(public_url="https://prints.example.com/studio")
    own = ["https://prints.example.com/a", "https://prints.example.com:443/a", "http://inside:8731/a"]
    foreign = ["http://prints.example.com/a", "https://inside:8731/a", "http://inside/a", "//inside:8731/a", ""]
    assert [link for link in own + foreign if is_own(link, request, settings)] == own


def test_more_links_than_references_are_too_many(account: Account) -> None:
    link = drawn(account)
    told = form(account, V3_GENERATE, [text("prompt", "a house"), text(STYLE, ",".join([link] * 11))])
    assert "at most 10 files are taken, and 11 were sent" in told.json()["error"]
    told = account.http.post(V3_GENERATE, json={"prompt": "a house", CHARACTER: [link, link]})
    assert "character_reference_images: one file is taken, and 2 were sent" in told.json()["error"]


BASE64 = "base64 text; send its own bytes, as a file."


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("pics/o.png", 'image holds the text "pics/o.png", not a picture; send the file itself '
         "(curl: -F image=@pics/o.png) or a link of this server."),
        ("x" * 100, f'holds the text "{"x" * 64}", not a picture'),
        ("é" * 12_000, "This is not a JPEG, PNG or WebP picture"),
        ("<svg>", "This is an SVG"),
        ("data:image/png;base64,iVBORw0K", BASE64),
        (base64.b64encode(png(1)).decode(), BASE64),
        (base64.encodebytes(png(1) * 300).decode(), BASE64),
    ],
    ids=["path", "long", "very long", "svg", "data url", "base64", "long base64"],
)  # fmt: skip
def test_a_text_where_a_picture_is_meant_is_told_what_it_is(account: Account, sent: str, words: str) -> None:
    told = form(account, REMIX, [text("image", sent), text("prompt", "a dog")])
    assert told.status_code == 400, told.text
    assert words in told.json()["error"]
