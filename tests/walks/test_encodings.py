"""The same request however a client in the wild writes it (FACTS 11): each row draws the same image."""

import json
from typing import Any

import pytest
from tests.api.live import Account, Live, raw
from tests.walks.steps import V3_GENERATE, V4_GENERATE, ok

CAPTION = {
    "high_level_description": "a pot of tea",
    "compositional_deconstruction": {
        "background": "green",
        "elements": [{"type": "obj", "bbox": [10, 10, 900, 900], "desc": "a teapot", "color_palette": ["#aa3311"]}],
    },
}
CAPTION_TEXT = json.dumps(CAPTION)

Parts = list[tuple[str, str, str | None, str | None]]
"""(name, content, Content-Type, file name) of each part."""


def form(parts: Parts, boundary: str = "b0undary") -> tuple[str, bytes]:
    """(Content-Type, body) of a multipart request, written by hand."""
    body = b""
    for name, content, content_type, file_name in parts:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        body += f'; filename="{file_name}"'.encode() if file_name is not None else b""
        body += f"\r\nContent-Type: {content_type}".encode() if content_type else b""
        body += b"\r\n\r\n" + content.encode() + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def texts(**fields: str) -> Parts:
    """Text parts without a type."""
    return [(name, text, None, None) for name, text in fields.items()]


def as_json(**fields: Any) -> tuple[str, bytes]:
    """(Content-Type, body) of a JSON request."""
    return "application/json", json.dumps(fields).encode()


V3_ROWS: dict[str, tuple[str, bytes]] = {
    "json": as_json(prompt="a pot of tea", seed=7, num_images=2, magic_prompt="OFF"),
    "json, numbers as text": as_json(prompt="a pot of tea", seed="7", num_images="2", magic_prompt="OFF"),
    "json, nulls": as_json(
        prompt="a pot of tea", seed=7, num_images=2, magic_prompt="OFF", resolution=None, style_codes=None
    ),
    "json, what asks for nothing": as_json(
        prompt="a pot of tea", seed=7, num_images=2, magic_prompt="OFF", negative_prompt="", style_codes=[],
        style_type="GENERAL", enable_copyright_detection=False, rendering_speed="DEFAULT",
    ),
    "json, unknown names": as_json(prompt="a pot of tea", seed=7, num_images=2, magic_prompt="OFF", dry_run=True),
    "form": form(texts(prompt="a pot of tea", seed="7", num_images="2", magic_prompt="OFF")),
    "form, boundary of pluses": form(
        texts(prompt="a pot of tea", seed="7", num_images="2", magic_prompt="OFF"), "+++"
    ),
    "form, long boundary": form(
        texts(prompt="a pot of tea", seed="7", num_images="2", magic_prompt="OFF"), "-" * 60 + "8721656041911415653955"
    ),
    "form, parts as text/plain": form(
        [("prompt", "a pot of tea", "text/plain; charset=utf-8", None), ("seed", "7", "text/plain", None),
         ("num_images", "2", "text/plain", None), ("magic_prompt", "OFF", "text/plain;charset=UTF-8", None)]
    ),
    "form, empty parts": form(
        texts(prompt="a pot of tea", seed="7", num_images="2", magic_prompt="OFF", negative_prompt="", resolution="",
              style_codes="", custom_model_uri="", style_preset="")
    ),
    "form, truths of every kind": form(
        texts(prompt="a pot of tea", seed="7", num_images="2", magic_prompt="OFF", enable_copyright_detection="False")
    ),
    "form, unknown parts and files": form(
        [*texts(prompt="a pot of tea", seed="7", num_images="2", magic_prompt="OFF", async_mode="true"),
         ("attachment", "x" * 3000, "application/octet-stream", "blob")]
    ),
    "form, an empty file input": form(
        [*texts(prompt="a pot of tea", seed="7", num_images="2", magic_prompt="OFF"),
         ("style_reference_images", "", "application/octet-stream", "")]
    ),
    "form, called json (clients generated from the contract)": (
        "application/json", form(texts(prompt="a pot of tea", seed="7", num_images="2", magic_prompt="OFF"))[1]
    ),
    "form, the same part twice": form(
        [("seed", "7", None, None), *texts(prompt="a pot of tea", seed="7", num_images="2", magic_prompt="OFF")]
    ),
}  # fmt: skip

V4_ROWS: dict[str, tuple[str, bytes]] = {
    "json": as_json(json_prompt=CAPTION, seed=7, resolution="1024x1024"),
    "json, the prompt as text": as_json(json_prompt=CAPTION_TEXT, seed=7, resolution="1024x1024"),
    "json, keys in another order": as_json(
        resolution="1024x1024", seed=7, json_prompt=dict(reversed(CAPTION.items())) | {"tags": ["tea"]}
    ),
    "form, a json part": form(
        [("json_prompt", CAPTION_TEXT, "application/json", None), *texts(seed="7", resolution="1024x1024")]
    ),
    "form, a text part of json": form(texts(json_prompt=CAPTION_TEXT, seed="7", resolution="1024x1024")),
    "form, a json part with a file name": form(
        [*texts(seed="7", resolution="1024x1024"), ("json_prompt", CAPTION_TEXT, "application/json", "blob")]
    ),
    "form, an empty text prompt beside it": form(
        texts(json_prompt=CAPTION_TEXT, text_prompt="", seed="7", resolution="1024x1024", custom_model_uri="")
    ),
    "form, boundary of pluses, prompt last": form(
        [*texts(seed="7", resolution="1024x1024"), ("json_prompt", json.dumps(CAPTION, indent=2), None, None)], "+++"
    ),
}


def _draw(live: Live, account: Account, path: str, content_type: str, body: bytes) -> list[tuple[Any, ...]]:
    headers = {"Content-Type": content_type}
    data = ok(account.http.post(path, content=body, headers=headers))["data"]
    return [(i["seed"], i["prompt"], i["resolution"], live.public.get(i["url"]).content) for i in data]


@pytest.mark.parametrize("row", V3_ROWS)
def test_v3(live: Live, account: Account, row: str) -> None:
    drawn = _draw(live, account, V3_GENERATE, *V3_ROWS[row])
    assert [(seed, prompt) for seed, prompt, *_ in drawn] == [(7, "a pot of tea"), (8, "a pot of tea")]
    assert drawn == _draw(live, account, V3_GENERATE, *V3_ROWS["json"])


@pytest.mark.parametrize("row", V4_ROWS)
def test_v4(live: Live, account: Account, row: str) -> None:
    drawn = _draw(live, account, V4_GENERATE, *V4_ROWS[row])
    assert [seed for seed, *_ in drawn] == [7]
    assert json.loads(drawn[0][1])["compositional_deconstruction"]["elements"][0]["color_palette"] == ["#AA3311"]
    assert drawn == _draw(live, account, V4_GENERATE, *V4_ROWS["json"])


def test_a_seed_of_zero_is_a_seed(account: Account) -> None:
    for content_type, body in (as_json(prompt="tea", seed=0), form(texts(prompt="tea", seed="0"))):
        answer = account.http.post(V3_GENERATE, content=body, headers={"Content-Type": content_type})
        assert ok(answer)["data"][0]["seed"] == 0


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        (*form(texts(prompt="tea", seed="seven")), "seed must be an integer"),
        (*form(texts(seed="7")), "prompt is required"),
        (*form(texts(prompt="tea", style_codes="ABCD1234,0000FFF")), "style_codes must be a list"),
        (*form(texts(prompt="tea", **{"style_codes[0]": "ABCD123"})), "style_codes must be a list"),
        (*form(texts(prompt="tea", **{"style_codes[]": "[ABCD123]"})), "style_codes must be a list"),
        (*form(texts(prompt="tea", color_palette='{"name":"EMBERS"}')), "color_palette.name must be one of"),
        (*form([*texts(prompt="tea"), ("image", "x", "image/jpeg", "image.jpg")]), "has no field image: "),
        (*form([("prompt", "x" * 10, "text/plain", None)], "a")[:1], b"--z\r\n", "multipart"),
        ("application/x-www-form-urlencoded", b"prompt=tea", "multipart/form-data or application/json"),
        ("application/json", b'{"prompt": "tea"', "not valid JSON"),
        ("application/json", b"--", "multipart"),
        ("application/json", b"--b", "multipart"),
        ("application/json", b"--\r\n", "multipart"),
        ("application/json", b" \n", "The body is empty; send a JSON object."),
        ("application/json", '{"prompt": "tea"}'.encode("utf-16"), "not valid JSON; send it as UTF-8."),
        ("application/json", '{"prompt": "tea"}'.encode("utf-16-le"), "not valid JSON; send it as UTF-8."),
        ("application/json", '{"prompt": "thé"}'.encode("latin-1"), "not valid JSON; send it as UTF-8."),
        (*form(texts(prompt="tea", **{"color_palette[name]": "EMBERS"})), "color_palette.name must be one of"),
        (*form(texts(prompt="tea", **{"color_palette.name": "EMBERS"})), "color_palette.name must be one of"),
    ],
)
def test_what_cannot_be_meant_is_refused(account: Account, content_type: str, body: bytes, words: str) -> None:
    answer = account.http.post(V3_GENERATE, content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_chunked_form_with_every_header_in_capitals(live: Live, account: Account) -> None:
    _, body = form(texts(prompt="tea", seed="3"), "+++")
    pieces = [body[start : start + 7] for start in range(0, len(body), 7)]
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    head = (
        f"POST {V3_GENERATE} HTTP/1.1\r\nHOST: api.ideogram.ai\r\nAPI-KEY: {account.api_key}\r\n"
        "CONTENT-TYPE: Multipart/Form-Data; Boundary=+++\r\nTRANSFER-ENCODING: chunked\r\n\r\n"
    )
    status, _, answer = raw(live, head.encode() + chunked)
    assert status == 200
    assert answer["data"][0]["seed"] == 3
    assert answer["data"][0]["url"].startswith("http://api.ideogram.ai/api/images/ephemeral/")


def test_links_start_with_the_operator_s_origin(live: Live, account: Account) -> None:
    public = live.settings.model_copy(update={"public_url": "https://prints.example.com/"})
    object.__setattr__(live.runtime, "settings", public)
    try:
        image = ok(account.http.post(V3_GENERATE, json={"prompt": "tea"}))["data"][0]
    finally:
        object.__setattr__(live.runtime, "settings", live.settings)
    assert image["url"].startswith("https://prints.example.com/api/images/ephemeral/")
    path = image["url"].removeprefix("https://prints.example.com")
    assert live.public.get(path).status_code == 200


ASYNC = "/v1/ideogram-v4/async/generate"


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        (V3_GENERATE, {"seed": "5"}, "seed belongs in the body; in the address it has no effect."),
        (V3_GENERATE, {"utm_source": "x", "num_images": "2"}, "num_images belongs in the body"),
        (V3_GENERATE, {"webhook_url": "https://x.example"}, "send it to /v1/ideogram-v4/async/generate, or"),
        ("/datasets", {"name": "tea"}, "name belongs in the body"),
        (ASYNC, {"seed": "5", "webhook_url": "https://x.example"}, "seed belongs in the body"),
        (ASYNC, {}, "webhook_url is required: it must be a query parameter of at most 2048 "
         "characters (?webhook_url=https://...)."),
    ],
)  # fmt: skip
def test_what_stands_in_the_address_and_should_not_is_refused(
    account: Account, path: str, query: dict[str, str], words: str
) -> None:
    body = {"text_prompt": "tea", "webhook_url": "https://x.example"} if "v4" in path else {"prompt": "tea"}
    told = account.http.post(path, params=query, json=body)
    assert told.status_code == 400, told.text
    assert words in told.json()["error"]


def test_names_in_the_address_that_nobody_knows_are_ignored(account: Account) -> None:
    ok(account.http.post(V3_GENERATE, params={"utm_source": "x", "prompt2": "y"}, json={"prompt": "tea"}))


def test_a_file_that_was_left_out_is_told_beside_the_image(account: Account) -> None:
    content_type, body = form([*texts(prompt="tea"), ("attachment", "x", "image/png", "a.png")])
    answer = ok(account.http.post(V3_GENERATE, content=body, headers={"Content-Type": content_type}))
    assert answer["data"][0]["x_linocut"]["notes"][0].startswith("attachment was left out: /v1/ideogram-v3/generate")
