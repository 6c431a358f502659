"""Nothing is accepted and ignored: fields that ask for what a route does not do (DECISIONS 41 and 13)."""

import time
from typing import Any

import pytest

from linocut.api.body import Texts
from linocut.api.discovery import OPERATIONS
from linocut.api.fields import read
from linocut.api.multipart import Part
from linocut.api.translate import asks
from linocut.api.translate.refusals import acted_on, left_out
from linocut.api.translate.versions import V3
from linocut.errors import InvalidRequest
from linocut.generation.types import GenerateAsk
from linocut.wire import GenerateImageRequestV3, GenerateImageRequestV4

URI = "model/tea/version/1"
CAPTION: dict[str, Any] = {
    "high_level_description": "x",
    "compositional_deconstruction": {"background": "b", "elements": []},
}


def ask_v3(values: dict[str, Any]) -> GenerateAsk:
    """As the runner reads a request."""
    kept = acted_on(values, "/v1/ideogram-v3/generate", GenerateImageRequestV3)
    return asks.ask_v3(read(GenerateImageRequestV3, kept))


def ask_v4(values: dict[str, Any]) -> GenerateAsk:
    """As the runner reads a request."""
    kept = acted_on(values, "/v1/ideogram-v4/generate", GenerateImageRequestV4)
    return asks.ask_v4(read(GenerateImageRequestV4, kept))


PICTURE = Texts([Part("image", "a.png", bytearray(b"\x89PNG"), size=4)])


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("style_type", "auto-ish", "style_type must be one of AUTO, CUSTOM, DESIGN"),
        ("style_type", 3, "style_type must be one of"),
        ("style_preset", "BAUHUAS", "style_preset must be one of 62 values"),
        ("style_codes", ["ABCD123"], "style_codes must be a list, and each of its entries must be 8"),
        ("style_codes", Texts(["ABCD1234", "ABCD12345"]), "style_codes must be a list"),
        ("style_codes", {"code": "ABCD1234"}, "style_codes must be a list"),
        ("style_codes", Texts(["ABCD1234,XYZ"]), "must be 8 hexadecimal digits; style_codes[1] is 'XYZ'."),
        ("style_codes", ["ABCD1234", "x" * 41], "must be 8 hexadecimal digits; style_codes[1] is wrong."),
        ("color_palette", "EMBER", 'color_palette must be a JSON object, such as {"name":"EMBER"}; you sent'),
        ("color_palette", Texts(['{"name": NaN}']), "what you sent is not valid JSON: invalid character (byte 9)."),
        ("color_palette", Texts(["[]"]), "color_palette must be a JSON object"),
        ("color_palette", {"name": "ember"}, "color_palette.name must be one of EMBER, FRESH"),
        ("color_palette", {"colours": []}, "color_palette must have a name or members"),
        ("color_palette", {"name": "EMBER", "members": [{"color_hex": "#FFF"}]}, "name or members, not both"),
        ("color_palette", {"members": []}, "color_palette.members must be a list of 1 to 8 colours"),
        ("color_palette", {"members": [{"color_hex": "#FFF"}] * 9}, "must be a list of 1 to 8 colours"),
        ("color_palette", {"members": [{"color_hex": "#FFFF"}]}, "members[0].color_hex must be a colour of 3 or 6"),
        ("color_palette", {"members": [{"color_hex": "FFFFFF"}]}, "members[0].color_hex"),
        ("color_palette", {"members": ["#FFF"]}, "members[0].color_hex"),
        ("color_palette", {"members": [{"color_hex": "#FFF", "color_weight": 0.049}]}, "a number from 0.05 to 1"),
        ("color_palette", {"members": [{"color_hex": "#FFF", "color_weight": 1.01}]}, "a number from 0.05 to 1"),
        ("color_palette", {"members": [{"color_hex": "#FFF", "color_weight": True}]}, "a number from 0.05 to 1"),
        ("enable_copyright_detection", "maybe", "enable_copyright_detection must be true or false"),
        ("negative_prompt", 3, "negative_prompt must be text"),
        ("style_reference_images", "a.png", "style_reference_images must be sent as a file part of that name, or as"),
        ("style_reference_images", ["http://x/a.png", "a.png"], "must be sent as a file part of that name"),
        ("style_reference_images", {"url": "http://x"}, "must be sent as a file part of that name"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_its_rule(field: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ask_v3({"prompt": "p", field: value})
    assert words in refused.value.message
    assert refused.value.details["field"] == field


def test_a_look_is_taken_up_in_one_spelling() -> None:
    members = [{"color_hex": "#abc", "color_weight": 0.05}, {"color_hex": "#00ff7F", "color_weight": 1}]
    look = ask_v3(
        {"prompt": "p", "style_codes": Texts(["abcd1234,0000ffff"]), "color_palette": {"members": members}}
    ).look
    assert look.style_codes == ("ABCD1234", "0000FFFF")
    assert look.palette == (("#00FF7F", 1.0), ("#AABBCC", 0.05))
    assert (look.style_type, look.style_preset) == (None, None)
    shared = ask_v3({"prompt": "p", "color_palette": {"members": [{"color_hex": "#111"}, {"color_hex": "#222222"}]}})
    assert shared.look.palette == (("#111111", 0.5), ("#222222", 0.5))
    preset = ask_v3({"prompt": "p", "color_palette": Texts(['{"name":"EMBER"}'])}).look.palette
    assert [weight for _, weight in preset] == sorted((weight for _, weight in preset), reverse=True)
    asked = ask_v3({"prompt": "p", "style_type": "GENERAL", "style_preset": "BAUHAUS", "negative_prompt": "blurry"})
    assert (asked.look.style_type, asked.look.style_preset, asked.negative_prompt) == ("GENERAL", "BAUHAUS", "blurry")
    assert ask_v3({"prompt": "p", "enable_copyright_detection": Texts(["True"])}).detects_copyright


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text_prompt", "p"), ("json_prompt", CAPTION), ("image", PICTURE), ("mask", PICTURE), ("image_weight", 70),
        ("upscale_factor", "X2"), ("model", "V_2"), ("magic_prompt_option", "ON"), ("image_request", {"prompt": "p"}),
        ("transparent_background", True), ("resemblance", "90"), ("images", PICTURE), ("image_urls", ["http://x"]),
    ],
)  # fmt: skip
def test_another_route_s_field_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=f"^/v1/ideogram-v3/generate has no field {field}: "):
        ask_v3({"prompt": "p", field: value})


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("prompt", "p", "send text_prompt or json_prompt"),
        ("aspect_ratio", "1x1", "send resolution"),
        ("num_images", 2, "one image a call"),
        ("magic_prompt", "ON", "always runs with text_prompt"),
        ("negative_prompt", "blurry", "leave it out"),
        ("style_type", "FICTION", "leave it out"),
    ],
)
def test_v4_says_what_to_send_instead(field: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        ask_v4({"text_prompt": "p", field: value})


NOTHING = [
    ("negative_prompt", ""), ("negative_prompt", Texts([""])), ("style_type", "GENERAL"), ("style_codes", []),
    ("style_type", Texts(["GENERAL"])), ("style_codes", Texts(["[]"])), ("color_palette", None), ("color_palette", {}),
    ("style_reference_images", []), ("enable_copyright_detection", False), ("enable_copyright_detection", None),
    ("enable_copyright_detection", Texts(["False"])), ("style_preset", None), ("image_weight", 50), ("mask", None),
    ("image_weight", Texts(["50"])), ("upscale_factor", "X1"), ("transparent_background", False), ("image_urls", []),
    ("magic_prompt_system_prompt_config_id", ""), ("num_images", 1), ("num_images", Texts(["1"])),
    ("style_type", "AUTO"), ("style_type", Texts(["AUTO"])), ("num_images", 1.0), ("image_weight", 50.0),
    ("enable_copyright_detection", Texts(["None"])), ("color_palette", Texts(["null"])),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), NOTHING)
def test_what_asks_for_nothing_passes(field: str, value: Any) -> None:
    assert ask_v3({"prompt": "p", field: value}).prompt == "p"
    assert ask_v4({"text_prompt": "p", field: value}).prompt == "p"


def test_what_no_route_knows_is_ignored() -> None:
    assert ask_v3({"prompt": "p", "wandb_project": "x", "x": PICTURE}).prompt == "p"
    assert ask_v4({"text_prompt": "p", "brush": [1]}).prompt == "p"


POST = {one.path: one.body for one in OPERATIONS if one.method == "POST" and one.body is not None}


def told(path: str, **sent: Any) -> str:
    """The refusal of a request."""
    with pytest.raises(InvalidRequest) as refused:
        acted_on(sent, path, POST[path])
    return refused.value.message.removeprefix(f"{path} has no field ")


@pytest.mark.parametrize(
    ("path", "sent", "words"),
    [
        ("/v1/ideogram-v3/remix", {"image_file": PICTURE}, "image_file: send it as image."),
        ("/v1/ideogram-v3/remix", {"images": PICTURE}, "images: send it as image."),
        ("/v1/ideogram-v4/describe", {"image": PICTURE}, "image: send it as image_file."),
        ("/describe", {"image": PICTURE}, "image: send it as image_file."),
        ("/v1/ideogram-v4/remix", {"prompt": "p"}, "prompt: send it as text_prompt."),
        ("/v1/edit", {"image": PICTURE}, "image: send it as images."),
        ("/edit", {"magic_prompt": "ON"}, "magic_prompt: send it as magic_prompt_option."),
        ("/generate", {"image_request": {"magic_prompt": "ON"}}, "magic_prompt: send it as magic_prompt_option."),
        ("/generate", {"magic_prompt": "ON"}, "magic_prompt: put it into image_request as magic_prompt_option."),
        ("/v1/ideogram-v3/generate", {"text_prompt": "p"}, "text_prompt: send it as prompt."),
        ("/v1/ideogram-v3/generate", {"prompt": "p", "text_prompt": "q"}, "text_prompt: leave it out."),
        ("/v1/ideogram-v4/magic-prompt", {"prompt": "p"}, "prompt: send it as text_prompt."),
        ("/v1/ideogram-v4/magic-prompt", {"resolution": "1024x1024"}, "resolution: send aspect_ratio."),
    ],
)
def test_a_field_under_another_name_is_told_its_own(path: str, sent: dict[str, Any], words: str) -> None:
    assert told(path, **sent) == words


@pytest.mark.parametrize("name", ["style_reference_image", "reference", "style_references"])
def test_a_file_whose_name_is_much_like_a_field_s_is_told_which(name: str) -> None:
    path = "/v1/ideogram-v3/generate"
    for more in ({}, {"style_reference_images": PICTURE}):
        values = {"prompt": "p", **more, name: PICTURE}
        (note,) = left_out(values, path, GenerateImageRequestV3)
        assert note == f"{name} was left out: {path} has no such field; send it as style_reference_images."
        assert name not in acted_on(values, path, GenerateImageRequestV3), "a name that no route knows (DECISIONS 41)"


def test_a_misspelled_name_is_told_and_another_unknown_one_is_not() -> None:
    path = "/v1/ideogram-v3/generate"
    values = {"prompt": "p", "style_presets": "BAUHAUS", "utm_source": "mail", "seeds": None}
    assert left_out(values, path, GenerateImageRequestV3) == (
        f"style_presets was left out: {path} has no such field; send it as style_preset.",
    )


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("/v1/ideogram-v3/reframe", "the files it takes are image, style_reference_images"),
        ("/v1/ideogram-v4/generate", "it takes no file"),
    ],
)
def test_a_file_whose_name_nobody_knows_is_said_to_be_left_out(path: str, files: str) -> None:
    sent = {"x": PICTURE, "y": Texts(["text"]), "z": Texts([Part("z", "empty.png")])}
    assert left_out(sent, path, POST[path]) == (f"x was left out: {path} has no such field, and {files}.",)
    assert left_out({"y": "text"}, path, POST[path]) == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("color_palette[name]", "color_palette[name]: leave it out."),
        ("color_palette.name", "color_palette.name: leave it out."),
        ("text_prompt[en]", "text_prompt[en]: text_prompt must be text."),
    ],
)
def test_what_is_named_inside_a_field_that_holds_nothing_is_refused(name: str, words: str) -> None:
    assert told("/v1/ideogram-v4/generate", **{name: Texts(["EMBER"])}) == words


def test_very_many_unknown_names_are_looked_at_in_a_moment() -> None:
    names = {f"style_reference_imag{number}": "x" for number in range(100_000)}
    began = time.process_time()
    for look_at in (acted_on, left_out):
        look_at(names, "/v1/ideogram-v3/generate", GenerateImageRequestV3)
    assert time.process_time() - began < 1


def test_the_config_id_is_ignored_with_a_json_prompt_only() -> None:
    assert ask_v4({"json_prompt": CAPTION, "magic_prompt_system_prompt_config_id": "abc"}).writer_config is None
    assert ask_v4({"text_prompt": "p", "magic_prompt_system_prompt_config_id": "abc"}).writer_config == "abc"
    assert ask_v4({"text_prompt": "p", "magic_prompt_system_prompt_config_id": ""}).writer_config is None


def test_exactly_one_prompt_on_v4() -> None:
    for values in ({}, {"text_prompt": ""}, {"text_prompt": "p", "json_prompt": CAPTION}, {"text_prompt": None}):
        with pytest.raises(InvalidRequest, match="exactly one"):
            ask_v4(values)
    assert ask_v4({"text_prompt": "", "json_prompt": CAPTION}).json_prompt == CAPTION


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ({}, "json_prompt"),
        ({"high_level_description": "x"}, "compositional_deconstruction"),
        (
            {**CAPTION, "compositional_deconstruction": {"background": "b", "elements": [{"type": "dog"}]}},
            "obj or text",
        ),
        ("a plain text", "must be a JSON object"),
        ([1], "must be a JSON object"),
    ],
)
def test_a_json_prompt_that_is_none(prompt: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        ask_v4({"json_prompt": prompt})


def test_the_ask_of_a_v3_request() -> None:
    ask = ask_v3(
        {"prompt": "p", "seed": "0", "num_images": "3", "aspect_ratio": "16x9", "rendering_speed": "BALANCED",
         "magic_prompt": "OFF", "custom_model_uri": URI}
    )  # fmt: skip
    assert (ask.seed, ask.num_images, ask.aspect_ratio, ask.rendering_speed) == (0, 3, "16x9", "BALANCED")
    assert (ask.magic_prompt, ask.custom_model_uri, ask.rules, ask.resolution) == ("OFF", URI, V3, None)
    assert ask_v3({"prompt": "p", "resolution": "1312x736"}).resolution == (1312, 736)
