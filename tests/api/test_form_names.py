"""What a form names inside an object, as axios, qs and PHP write it, and in which charset its texts are."""

import json
from typing import Any

import pytest
from tests.api.test_refusals import ask_v3

from linocut.api.body import Fields, Texts, form_values
from linocut.api.discovery import OPERATIONS
from linocut.api.fields import read
from linocut.api.multipart import FormReader, Part
from linocut.errors import InvalidRequest
from linocut.wire import RemixImageRequest

OBJECTS = frozenset({"color_palette", "image_request", "json_prompt"})
LOST = 'send color_palette as one JSON text, such as {"name":"EMBER"}.'


def values(*texts: tuple[str, str]) -> dict[str, Any]:
    """The fields of a form of these texts."""
    return form_values([Part(name, None, bytearray(text.encode())) for name, text in texts], OBJECTS)


def test_the_objects_are_the_operation_s_own() -> None:
    found = {one.path: one.objects for one in OPERATIONS if one.method == "POST"}
    assert found["/v1/ideogram-v3/generate"] == {"color_palette"}
    assert found["/v1/ideogram-v4/generate"] == {"json_prompt"}
    assert found["/remix"] == {"image_request"}


@pytest.mark.parametrize("name", ["color_palette[name]", "color_palette.name"])
def test_a_preset_is_taken_by_its_name(name: str) -> None:
    assert values((name, "EMBER")) == {"color_palette": {"name": "EMBER"}}
    assert ask_v3({"prompt": "p", **values((name, "EMBER"))}).look.palette


@pytest.mark.parametrize(
    ("first", "second"),
    [("[members][0]", "[members][1]"), (".members[0]", ".members[1]"), (".members.0", ".members.10")],
)
def test_members_are_a_list_in_the_order_of_their_numbers(first: str, second: str) -> None:
    hexes = [f"color_palette{place}{'[color_hex]' if '[' in place else '.color_hex'}" for place in (second, first)]
    found = values((hexes[0], "#00FF00"), (hexes[1], "#FF0000"), (f"color_palette{first}[color_weight]", "0.7"))
    members = [{"color_hex": "#FF0000", "color_weight": "0.7"}, {"color_hex": "#00FF00"}]
    assert found == {"color_palette": {"members": members}}
    assert ask_v3({"prompt": "p", **found}).look.palette[0] == ("#FF0000", 0.7)


def test_an_image_request_is_taken_by_its_members() -> None:
    found = values(
        ("image_request[prompt]", "5"), ("image_request[seed]", "5"), ("image_request[color_palette][name]", "EMBER")
    )
    request = read(RemixImageRequest, {**found, "image_file": [Part("image_file", "a", size=1)]}).image_request
    assert (request.prompt, request.seed, request.color_palette) == ("5", 5, {"name": "EMBER"})


def test_a_structured_prompt_is_taken_by_its_members() -> None:
    box = [("[bbox][]", text) for text in ("10", "20", "900", "910")]
    element = [("[type]", "text"), ("[text]", "2026"), ("[color_palette][0]", "#AA3311"), *box]
    found = values(
        ("json_prompt[high_level_description]", "x"),
        *[(f"json_prompt[compositional_deconstruction][elements][0]{step}", text) for step, text in element],
    )["json_prompt"]
    assert found["compositional_deconstruction"]["elements"] == [
        {"type": "text", "text": "2026", "color_palette": ["#AA3311"], "bbox": [10, 20, 900, 910]}
    ]


@pytest.mark.parametrize(
    "names",
    [
        ["color_palette", "color_palette[name]"],
        ["color_palette[members][][color_hex]"],
        ["color_palette[name]", "color_palette[name][first]"],
        ["color_palette[name][first]", "color_palette[name]"],
        ["color_palette" + "[members]" * 9],
        ["color_palette" + "[a]" * 20_000],
    ],
)
def test_what_could_be_meant_in_two_ways_is_refused_with_an_example(names: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        values(*[(name, "EMBER") for name in names])
    assert refused.value.message.endswith(LOST)
    assert refused.value.details["field"] == "color_palette"
    assert len(refused.value.message) < 200


def test_two_values_of_one_member_are_refused_and_one_twice_is_one() -> None:
    name = "color_palette[name]"
    assert values((name, "EMBER"), (name, "EMBER")) == {"color_palette": {"name": "EMBER"}}
    with pytest.raises(InvalidRequest, match=r"^color_palette\[name\]: send color_palette as one JSON text"):
        values((name, "EMBER"), (name, "FRESH"))


def test_a_file_inside_an_object_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^color_palette\[name\]: "):
        form_values([Part("color_palette[name]", "a.png", bytearray(b"x"), size=1)], OBJECTS)


def test_other_names_stay_as_they_are() -> None:
    told = values(("style_codes[0]", "a"), ("x[y]", "b"), ("u.v", "c"), ("color_palette[]", '{"name":"EMBER"}'))
    assert told == {"style_codes": ["a"], "x[y]": ["b"], "u.v": ["c"], "color_palette": ['{"name":"EMBER"}']}


def test_two_spellings_of_one_form_are_one_request() -> None:
    one, two = values(("color_palette[name]", "EMBER")), values(("color_palette.name", "EMBER"))
    assert Fields(one).sha256 == Fields(two).sha256


def _form(headers: str, content: bytes, before: bytes = b"") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="prompt"\r\n{headers}\r\n'
    return before + head.encode() + content + b"\r\n--b--\r\n"


def _read(body: bytes, step: int = 0) -> list[Part]:
    reader = FormReader(b"b", None)
    for start in range(0, len(body), step or len(body)):
        reader.feed(body[start : start + (step or len(body))])
    return reader.parts()


@pytest.mark.parametrize(
    ("charset", "content"),
    [
        ("iso-8859-1", b"caf\xe9"), ("ISO-8859-1", b"caf\xe9"), ('"windows-1252"', b"caf\xe9"),
        ("iso-8859-1", "café".encode()), ("us-ascii", "café".encode()), ("utf-8", "café".encode()),
        ("klingon", "café".encode()), ("utf-16", "café".encode("utf-16")),
    ],
)  # fmt: skip
def test_a_text_is_read_in_the_charset_that_its_part_names(charset: str, content: bytes) -> None:
    parts = _read(_form(f"Content-Type: text/plain; charset={charset}\r\n", content))
    assert form_values(parts) == {"prompt": ["café"]}


@pytest.mark.parametrize(
    ("charset", "named"), [("", "UTF-8"), ("utf-8", "UTF-8"), ("klingon", "UTF-8"), ("utf-16", "utf-16")]
)
def test_a_text_that_cannot_be_read_is_told_what_to_send(charset: str, named: str) -> None:
    parts = _read(_form(f"Content-Type: text/plain; charset={charset}\r\n", b"caf\xe9!"))
    with pytest.raises(InvalidRequest, match=rf"^prompt is not {named} text; send it as UTF-8\.$"):
        form_values(parts)


def test_json_in_a_file_is_read_in_its_charset_too() -> None:
    data = '{"prompt": "café"}'.encode("latin-1")
    part = Part("image_request", "blob", bytearray(data), size=len(data), charset="iso-8859-1")
    found = read(RemixImageRequest, {"image_request": Texts([part]), "image_file": [Part("image_file", "a", size=1)]})
    assert found.image_request.prompt == "café"


@pytest.mark.parametrize("encoding", ["base64", "Quoted-Printable", "x-uue"])
def test_an_encoded_part_is_refused_by_name(encoding: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        _read(_form(f"Content-Transfer-Encoding: {encoding}\r\n", b"YSByZWQgZm94"))
    assert refused.value.message == (
        f"prompt is encoded (Content-Transfer-Encoding: {encoding.lower()}), and nothing is decoded here; send it as "
        "it is, without that header."
    )


@pytest.mark.parametrize("encoding", ["7bit", "8BIT", "binary", ""])
def test_a_part_that_says_it_is_not_encoded_is_taken(encoding: str) -> None:
    [part] = _read(_form(f"Content-Transfer-Encoding: {encoding}\r\n", b"a fox"))
    assert part.data == b"a fox"


@pytest.mark.parametrize("step", [0, 1, 7])
@pytest.mark.parametrize("before", [b"This is a multi-part message.\r\n", b"x\n", b"\r\n", b"a --b c\r\n", b"-\r\n"])
def test_what_stands_before_the_first_boundary_is_skipped(before: bytes, step: int) -> None:
    [part] = _read(_form("", b"a fox\r\nThis is a fox.", before), step)
    assert part.data == b"a fox\r\nThis is a fox."


def test_a_body_without_its_boundary_is_not_waited_for() -> None:
    reader = FormReader(b"b", None)
    with pytest.raises(InvalidRequest, match="with the boundary it names"):
        reader.feed(bytes(65 * 1024))
    with pytest.raises(InvalidRequest, match="with the boundary it names"):
        _read(json.dumps({"prompt": "json after all"}).encode())
