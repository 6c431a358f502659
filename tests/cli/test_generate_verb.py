"""``linocut generate`` with a look, as a person types it."""

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
    field = {"--negative": "red", "--palette": "color_palette", "--style-reference": "style_reference_images"}
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
