"""The options of generate, remix and inpaint over HTTP, on the fake engine: each taken up, or refused by its rule."""

import json
import os
from io import BytesIO
from typing import Any

import httpx2
import pytest
from PIL import Image
from sqlalchemy import func, select
from tests.api.live import Account, Live
from tests.api.pictures import jpeg, png
from tests.walks.steps import V3_GENERATE, V4_GENERATE, ok
from tests.walks.test_editing import mask

from linocut.client import Client
from linocut.db.tables import job_inputs, jobs
from linocut.errors import InvalidRequest
from linocut.orders import GenerateOrder, order_from_json

REMIX, INPAINT = "/v1/ideogram-v3/remix", "/v1/ideogram-v3/inpaint"
V3_ROUTES = {V3_GENERATE: [], REMIX: ["image"], INPAINT: ["image", "mask"]}
STYLE, CHARACTER, CHARACTER_MASK = (
    "style_reference_images", "character_reference_images", "character_reference_images_mask",
)  # fmt: skip

Files = list[tuple[str, bytes]]


def sent(account: Account, path: str, fields: dict[str, str], files: Files = ()) -> httpx2.Response:  # type: ignore[assignment]
    """A form with the files that the route needs, and more."""
    needed = [(name, png(1) if name == "image" else mask()) for name in V3_ROUTES[path]]
    parts: Any = [(name, ("blob", data, "application/octet-stream")) for name, data in [*needed, *files]]
    return account.http.post(path, files=[*parts, *((name, (None, text)) for name, text in fields.items())])


def newest(live: Live) -> GenerateOrder:
    with live.runtime.db.read() as tx:
        order = order_from_json(tx.execute(select(jobs.c.order).order_by(jobs.c.created_at.desc())).scalars().first())
    assert isinstance(order, GenerateOrder)
    return order


def counts(live: Live) -> tuple[int, int, int]:
    """How many jobs, input pictures and stored files there are."""
    blobs = sum(len(files) for _, _, files in os.walk(live.settings.data / "store"))
    with live.runtime.db.read() as tx:
        return (
            int(tx.scalar(select(func.count()).select_from(jobs)) or 0),
            int(tx.scalar(select(func.count()).select_from(job_inputs)) or 0),
            blobs,
        )


def notes(answer: dict[str, Any]) -> str:
    return " ".join(answer["data"][0]["x_linocut"].get("notes", []))


TAKEN = [
    {"style_preset": "BAUHAUS"}, {"style_preset": "80S_ILLUSTRATION", "style_type": "GENERAL"},
    {"style_type": "REALISTIC"}, {"style_type": "CUSTOM"}, {"style_codes": "ABCD1234"},
    {"style_codes": "abcd1234,0000ffff"}, {"color_palette": '{"name":"EMBER"}'},
    {"color_palette": '{"members":[{"color_hex":"#abc","color_weight":0.05}]}'},
    {"style_preset": "POP_ART", "color_palette": '{"name":"MELON"}'},
]  # fmt: skip


@pytest.mark.parametrize("path", V3_ROUTES)
@pytest.mark.parametrize("fields", TAKEN, ids=str)
def test_a_look_changes_what_is_drawn_and_says_what_it_keeps(
    live: Live, account: Account, path: str, fields: dict[str, str]
) -> None:
    plain = ok(sent(account, path, {"prompt": "a cat", "seed": "5"}))
    before = newest(live)
    answer = ok(sent(account, path, {"prompt": "a cat", "seed": "5", **fields}))
    after = newest(live)
    if fields.get("style_type") == "CUSTOM":
        assert "CUSTOM names a style of your own" in notes(answer)
        assert after.caption == before.caption
    else:
        assert after.caption != before.caption
        assert notes(answer) != notes(plain) or "color_palette" in fields
    assert answer["data"][0]["style_type"] == fields.get("style_type", "GENERAL")


def test_codes_are_stable_and_several_are_one_look(live: Live, account: Account) -> None:
    captions = []
    for codes in ("ABCD1234", "abcd1234", "ABCD1235", "ABCD1234,00FF00FF", "[ABCD1234, 00FF00FF]"):
        ok(sent(account, V3_GENERATE, {"prompt": "a cat", "style_codes": codes}))
        captions.append(newest(live).caption)
    assert captions[0] == captions[1] != captions[2]
    assert captions[3] == captions[4] not in captions[:3]


def test_a_negative_prompt_is_a_text_of_the_order(live: Live, account: Account) -> None:
    for path in (V3_GENERATE, REMIX):
        ok(sent(account, path, {"prompt": "a cat", "negative_prompt": "blue dots"}))
        order = newest(live)
        assert '"blue dots"' in order.negative
        assert order.provenance["negative_prompt"] == "blue dots"
        for nothing in ("", " ", "None", "null"):
            ok(sent(account, path, {"prompt": "a cat", "negative_prompt": nothing}))
            assert newest(live).negative == ""


def test_a_negative_prompt_that_the_base_does_not_know_says_so(account: Account) -> None:
    answer = ok(sent(account, V3_GENERATE, {"prompt": "a cat", "negative_prompt": "a wombat"}))
    assert 'negative_prompt: The base does not know "wombat"' in notes(answer)


def test_colours_that_are_to_be_left_out_are_not_made_up(live: Live, account: Account) -> None:
    ok(sent(account, V3_GENERATE, {"prompt": "a cat"}))
    made_up = newest(live).caption
    named = next(name for name in ("mint", "white", "sky", "beige", "cream") if f"plain {name}" in made_up)
    ok(sent(account, V3_GENERATE, {"prompt": "a cat", "negative_prompt": f"{named} and red"}))
    assert f"plain {named}" not in newest(live).caption
    ok(sent(account, V3_GENERATE, {"prompt": f"a cat on a {named} background", "negative_prompt": named}))
    assert f"plain {named}" in newest(live).caption  # the prompt wins


def test_style_references_are_measured_and_kept_as_inputs(live: Live, account: Account) -> None:
    for path in V3_ROUTES:
        answer = ok(sent(account, path, {"prompt": "a cat"}, [(STYLE, png(3)), (STYLE, jpeg(4))]))
        order = newest(live)
        assert "style_reference_images: the base draws flat posters only" in notes(answer)
        assert notes(answer).count("style_reference_images") == 1, "two of them are named once"
        assert (len(order.styles), order.references) == (2 if path == V3_GENERATE else 0, ())
        assert "#6F11C5" in order.caption  # picture 3's colour


WRONG: list[tuple[dict[str, str], Files, str]] = [
    ({"style_type": "PAINTED"}, [], "style_type must be one of"),
    ({"style_preset": "bauhaus"}, [], "style_preset must be one of 62 values"),
    ({"style_codes": "ABCD123"}, [], "style_codes must be a list"),
    ({"style_codes": "ABCD123G"}, [], "style_codes must be a list"),
    ({"style_codes": "ABCD1234", "style_type": "GENERAL"}, [], "style_codes and style_type cannot be sent together"),
    ({"style_codes": "ABCD1234", "style_type": "AUTO"}, [], "style_codes and style_type cannot be sent together"),
    ({"style_codes": "ABCD1234"}, [(STYLE, png(1))], "style_codes and style_reference_images cannot be sent together"),
    ({"style_codes": "ABCD1234", "style_preset": "AURA"}, [], "style_preset and style_codes cannot be sent together"),
    ({"style_preset": "AURA"}, [(STYLE, png(1))], "style_preset and style_reference_images cannot be sent together"),
    ({"color_palette": '{"name":"EMBER","members":[{"color_hex":"#fff"}]}'}, [], "name or members, not both"),
    ({"color_palette": '{"members":[]}'}, [], "a list of 1 to 8 colours"),
    ({"color_palette": '{"members":[{"color_hex":"#ffff"}]}'}, [], "members[0].color_hex must be a colour"),
    ({"color_palette": "EMBER"}, [], "color_palette must be a JSON object"),
    ({"num_images": "9"}, [], "num_images must be an integer from 1 to 8"),
    ({"seed": "-1"}, [], "seed must be an integer from 0"),
    ({"rendering_speed": "FAST"}, [], "rendering_speed must be one of"),
    ({"magic_prompt": "MAYBE"}, [], "magic_prompt must be one of"),
    ({"magic_prompt_system_prompt_config_id": "abc"}, [], "magic_prompt_system_prompt_config_id: "),
    ({}, [(STYLE, png(n)) for n in range(11)], "style_reference_images: at most 10 files are taken, and 11 were sent"),
    ({}, [(CHARACTER, png(1))], "character_reference_images: The base that is served cannot look at a picture of"),
    ({}, [(CHARACTER, png(1)), (CHARACTER, png(2))], "character_reference_images: one file is taken, and 2 were sent"),
    ({}, [(CHARACTER_MASK, mask())], "character_reference_images_mask: Send as many masks as"),
    ({"prompt": " "}, [(STYLE, png(1))], "prompt must not be empty"),
]  # fmt: skip


@pytest.mark.parametrize("path", V3_ROUTES)
@pytest.mark.parametrize(("fields", "files", "words"), WRONG, ids=[words for *_, words in WRONG])
def test_a_wrong_option_leaves_nothing_behind(
    live: Live, account: Account, path: str, fields: dict[str, str], files: Files, words: str
) -> None:
    before = counts(live)
    told = sent(account, path, {"prompt": "a cat", **fields}, files)
    assert (told.status_code, words in told.json()["error"]) == (400, True), told.text
    assert counts(live) == before


def test_where_the_operator_wants_notes_it_is_done_without(live: Live, account: Account) -> None:
    noted = live.settings.model_copy(update={"unsupported": "note"})
    object.__setattr__(live.runtime, "settings", noted)
    try:
        fields = {"prompt": "a cat", "magic_prompt_system_prompt_config_id": "abc"}
        answer = ok(sent(account, V3_GENERATE, fields, [(CHARACTER, png(1)), (CHARACTER_MASK, mask())]))
    finally:
        object.__setattr__(live.runtime, "settings", live.settings)
    assert "character_reference_images was left out: the base that is served cannot look at" in notes(answer)
    assert "A base of FLUX.2" in notes(answer)
    assert "magic_prompt_system_prompt_config_id was left out" in notes(answer)


def test_no_detector_is_claimed(account: Account) -> None:
    for value in ("true", "True", "1"):
        answer = ok(sent(account, V3_GENERATE, {"prompt": "a cat", "enable_copyright_detection": value}))
        assert "this server has no detector of copyrighted material" in notes(answer)
    assert "detector" not in str(ok(account.http.post(V3_GENERATE, json={"prompt": "a cat"})))
    told = ok(account.http.post(V4_GENERATE, json={"text_prompt": "a cat", "enable_copyright_detection": True}))
    assert "this server has no detector of copyrighted material" in notes(told)
    remixed = account.http.post(
        "/v1/ideogram-v4/remix", files={"image": ("a.png", png(1))},
        data={"text_prompt": "make it blue", "enable_copyright_detection": "true"},
    )  # fmt: skip
    assert "this server has no detector" in notes(ok(remixed))


def test_each_image_has_its_own_seed_and_is_the_same_alone(live: Live, account: Account) -> None:
    fields = {"prompt": "a cat", "style_preset": "AURA", "negative_prompt": "red", "seed": "2147483646"}
    four = ok(sent(account, V3_GENERATE, {**fields, "num_images": "4"}))["data"]
    assert [one["seed"] for one in four] == [2147483646, 2147483647, 0, 1]
    for one in four:
        [alone] = ok(sent(account, V3_GENERATE, {**fields, "seed": str(one["seed"])}))["data"]
        assert _pixels(live, alone["url"]) == _pixels(live, one["url"])


def test_an_edit_says_in_its_file_how_it_was_made(live: Live, account: Account) -> None:
    fields = {"prompt": "a cat", "style_preset": "AURA", "negative_prompt": "red", "seed": "5"}
    url = ok(sent(account, REMIX, fields))["data"][0]["url"]
    told = Image.open(BytesIO(live.public.get(url).content)).text  # type: ignore[attr-defined]
    assert told["linocut:operation"] == "remix"
    assert len(told["linocut:picture"]) == 64
    assert (told["linocut:negative_prompt"], told["linocut:style"]) == ("red", "style_preset AURA")
    assert (told["linocut:prompt"], told["linocut:seed"]) == ("a cat", "5")


def _pixels(live: Live, url: str) -> bytes:
    return Image.open(BytesIO(live.public.get(url).content)).convert("RGB").tobytes()


PALETTE = '{"members":[{"color_hex":"#102060","color_weight":0.7},{"color_hex":"#F0C020","color_weight":0.3}]}'
JSON = "application/json"
COLOURS = ("color_palette", (None, PALETTE))
SPELLINGS: dict[str, list[tuple[str, tuple[Any, ...]]]] = {
    "parts": [("style_codes", (None, "ABCD1234")), ("style_codes", (None, "00FF00FF")), COLOURS],
    "commas": [("style_codes", (None, "ABCD1234,00FF00FF")), ("color_palette", (None, PALETTE, "text/plain"))],
    "brackets": [("style_codes", (None, "[ABCD1234,00FF00FF]")), ("color_palette", (None, PALETTE, JSON))],
    "json": [("style_codes", (None, '["abcd1234", "00ff00ff"]', JSON)), ("color_palette", ("blob", PALETTE, JSON))],
    "numbers": [("style_codes[1]", (None, "00FF00FF")), ("style_codes[0]", (None, "ABCD1234")), COLOURS],
    "empty brackets": [("style_codes[]", (None, "ABCD1234")), ("style_codes[]", (None, "00FF00FF")), COLOURS],
    "what asks for nothing": [
        ("style_codes", (None, "ABCD1234,00FF00FF")), COLOURS, ("style_preset", (None, "")), ("style_type", (None, "")),
        ("character_reference_images", ("", b"")), ("custom_model_uri", (None, "")), ("num_images", (None, "1")),
        ("rendering_speed", (None, "DEFAULT")), ("unknown", (None, "x")),
    ],
}  # fmt: skip


@pytest.mark.parametrize("path", V3_ROUTES)
def test_the_same_request_however_a_client_writes_it(live: Live, account: Account, path: str) -> None:
    """Parts before and after the files, pictures under wrong names and types: one and the same order."""
    orders = []
    names = {"image": ("image.jpg", png(1), "image/jpeg"), "mask": ("image.jpg", mask(), "application/octet-stream")}
    files: list[tuple[str, Any]] = [(name, names[name]) for name in V3_ROUTES[path]]
    texts: list[tuple[str, Any]] = [("prompt", (None, "a cat")), ("seed", (None, "7"))]
    for parts in SPELLINGS.values():
        for form in ([*texts, *parts, *files], [*files, *parts, *texts]):
            ok(account.http.post(path, files=form))
            orders.append(newest(live))
    assert all(order == orders[0] for order in orders)
    assert '"#102060"' in orders[0].caption
    if path == V3_GENERATE:
        codes, palette = ["ABCD1234", "00FF00FF"], json.loads(PALETTE.replace(":0.7", ':"0.7"'))
        for colours in (PALETTE, json.loads(PALETTE), palette):
            body: dict[str, Any] = {"prompt": "a cat", "seed": "7", "style_codes": codes, "color_palette": colours}
            ok(account.http.post(path, json=body))
            assert newest(live) == orders[0]


def test_the_client_sends_pictures_and_texts_as_they_are(live: Live, account: Account, tmp_path: Any) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(png(3))
    with Client(account.api_key, str(account.http.base_url)) as client:
        link = client.generate("a cat", style_codes=["ABCD1234"], color_palette={"name": "EMBER"})["data"][0]["url"]
        assert newest(live).styles == ()
        with file.open("rb") as stream:
            client.generate("a cat", style_reference_images=[file, png(4), stream, link], num_images=2, seed=None)
        assert [one.width for one in newest(live).styles] == [48, 48, 48, 1024]
        client.remix(link, "a dog", style_reference_images=[file], negative_prompt="red")
        assert '"red"' in newest(live).negative or "red" in newest(live).negative
        client.inpaint(png(1), mask(), "a dog", style_preset="AURA", color_palette={"name": "FRESH"})
        with pytest.raises(InvalidRequest, match="character_reference_images: The base that is served cannot"):
            client.generate("a cat", character_reference_images=file)
