"""``linocut generate`` with a look, as a person types it."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from tests.api.pictures import png
from tests.cli.conftest import Typed

from linocut.cli.looks import palette_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.png").write_bytes(png(3))
    monkeypatch.chdir(tmp_path)
    return tmp_path


WAYS = [
    ("--negative", "red"), ("--style-type", "realistic"), ("--style-preset", "art_deco"), ("--style-code", "ABCD1234"),
    ("--style-code", "ABCD1234", "--style-code", "00FF00FF"), ("--palette", "ember"),
    ("--palette", "#102060:0.7, #fc0:0.3"), ("--style-reference", "a.png"), ("--style-reference", "a.png") * 2,
    ("--negative-prompt", "red"),
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_every_option_of_a_look_reaches_the_server(client_typing: Typed, folder: Path, way: tuple[str, ...]) -> None:
    code, out, said = client_typing(
        "generate", "a cat", "--seed", 5, "--num-images", 2, *way, "--json", "--out", "drawn"
    )
    assert code == 0, said
    pictures = json.loads(out)
    assert [one["path"] for one in pictures] == ["drawn/linocut-5.png", "drawn/linocut-6.png"]
    texts = Image.open(pictures[0]["path"]).text  # type: ignore[attr-defined]
    asked = texts.get("linocut:style", "") + texts.get("linocut:negative_prompt", "")
    field = {
        "--negative": "red",
        "--negative-prompt": "red",
        "--palette": "color_palette",
        "--style-reference": "style_reference_images",
    }
    assert field.get(way[0], way[1].upper()) in asked
    assert said.splitlines() == [f"note: {note}" for note in pictures[0]["x_linocut"].get("notes", [])]


@pytest.mark.parametrize(
    ("way", "code", "words"),
    [
        (("--style-preset", "bauhuas"), 1, "style_preset must be one of 62"),
        (("--style-code", "XYZ"), 1, "style_codes"),
        (("--palette", "#12"), 1, "color_palette.members[0].color_hex"),
        (("--palette", "#123456:7"), 1, "color_palette.members[0].color_weight"),
        (("--palette", "autumn"), 1, "color_palette.name must be one of EMBER"),
        (("--style-code", "ABCD1234", "--style-type", "design"), 1, "cannot be sent together"),
        (("--character-reference", "a.png"), 1, "character_reference_images: The base that is served cannot"),
        (("--style-reference", "none.png"), 2, "none.png"),
    ],
)
def test_a_wrong_option_has_its_sentence(
    client_typing: Typed, folder: Path, way: tuple[str, ...], code: int, words: str
) -> None:
    ended, out, said = client_typing("generate", "a cat", *way)
    assert (ended, out, words in said) == (code, "", True), said
    assert sorted(path.name for path in folder.iterdir()) == ["a.png"]


def test_a_palette_as_it_is_typed() -> None:
    assert palette_of(None) is None
    assert palette_of("ember") == {"name": "EMBER"}
    assert palette_of("#fff") == {"members": [{"color_hex": "#fff"}]}
    assert palette_of("#fff:0.5,#000") == {
        "members": [{"color_hex": "#fff", "color_weight": "0.5"}, {"color_hex": "#000"}]
    }


def test_a_picture_has_the_size_that_was_asked_for(client_typing: Typed, folder: Path) -> None:
    code, out, said = client_typing("generate", "a cat", "--seed", 5, "--resolution", "1344x640")
    assert (code, Image.open(out.strip()).size) == (0, (1344, 640)), said
    code, out, said = client_typing("generate", "a cat", "--resolution", "1344x640", "--aspect-ratio", "1x1")
    assert (code, "resolution" in said) == (1, True)


STRUCTURED = {
    "high_level_description": "A red cup on a white ground.",
    "compositional_deconstruction": {"background": "white", "elements": [{"type": "obj", "desc": "a red cup"}]},
}


def test_a_structured_prompt_is_drawn_from_a_file_or_from_stdin(
    client_typing: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "cup.json").write_text(json.dumps(STRUCTURED))
    for file in ("cup.json", "-"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(STRUCTURED).encode())))
        told = ("--seed", 7, "--resolution", "2048x2048", "--rendering-speed", "turbo", "--out", f"to{file}")
        code, out, said = client_typing("generate", "--json-prompt", file, *told)
        assert code == 0, said
        picture = Image.open(out.strip())
        assert picture.size == (2048, 2048)
        assert "a red cup" in picture.text["linocut:caption"]  # type: ignore[attr-defined]


def test_what_describe_tells_is_drawn_again(client_typing: Typed, folder: Path) -> None:
    code, told, said = client_typing("describe", "a.png", "--json")
    assert code == 0, said
    (folder / "a.json").write_text(told)
    code, _, said = client_typing("generate", "--json-prompt", "a.json")
    assert code == 0, said


def test_a_prompt_is_written_out_and_drawn(client_typing: Typed, folder: Path) -> None:
    code, told, said = client_typing("magic-prompt", 'a cat with the word "TEA"', "--aspect-ratio", "16x9")
    assert code == 0, said
    assert told.count("\n") > 5, "it is for an editor"
    (folder / "cat.json").write_text(told)
    code, out, said = client_typing("generate", "--json-prompt", "cat.json")
    assert code == 0, said
    assert "TEA" in Image.open(out.strip()).text["linocut:caption"]  # type: ignore[attr-defined]
    code, line, _ = client_typing("magic-prompt", 'a cat with the word "TEA"', "--aspect-ratio", "16x9", "--json")
    assert (code, line.count("\n"), json.loads(line)) == (0, 1, json.loads(told))
    for way, words in ((("a cat", "--aspect-ratio", "5x7"), "aspect_ratio"), ((" ",), "text_prompt")):
        code, out, said = client_typing("magic-prompt", *way)
        assert (code, out, words in said) == (1, "", True), said


@pytest.mark.parametrize(
    ("way", "code", "words"),
    [
        ((), 2, "Say what to draw, once"),
        (("a cat", "--json-prompt", "cup.json"), 2, "Say what to draw, once"),
        (("--json-prompt", "none.json"), 2, "none.json"),
        (("--json-prompt", "a.png"), 2, "a.png is no JSON"),
        (("--json-prompt", "twice.json"), 2, "the name 'a' stands twice"),
        (("--json-prompt", "cup.json", "--negative", "red"), 2, "Beside --json-prompt only --model"),
        (("--json-prompt", "cup.json", "--num-images", "2"), 2, "Beside --json-prompt only --model"),
        (("--json-prompt", "list.json"), 1, "json_prompt"),
        (("--json-prompt", "cup.json", "--resolution", "7x7"), 1, "resolution"),
    ],
)
def test_a_wrong_structured_prompt_has_its_sentence(
    client_typing: Typed, folder: Path, way: tuple[str, ...], code: int, words: str
) -> None:
    (folder / "cup.json").write_text(json.dumps(STRUCTURED))
    (folder / "twice.json").write_text('{"a": 1, "a": 2}')
    (folder / "list.json").write_text("[]")
    ended, out, said = client_typing("generate", *way)
    assert (ended, out, words in " ".join(said.split())) == (code, "", True), said
