"""The verbs that draw over a picture, as a person types them: where the files go, and what is said."""

import json
from pathlib import Path

import pytest
from PIL import Image
from tests.api.pictures import png
from tests.cli.conftest import Typed
from tests.walks.test_editing import mask

VERBS = {
    "remix": ["a red fish"],
    "inpaint": ["mask.png", "a red fish"],
    "reframe": ["1344x640"],
    "replace-background": ["a blue wall"],
    "upscale": [],
}
STEMS = {
    "remix": "cup-remix",
    "inpaint": "cup-inpaint",
    "reframe": "cup-reframe",
    "replace-background": "cup-ground",
    "upscale": "cup-upscaled",
}
SIZES = {
    "remix": (1024, 1024),
    "inpaint": (48, 32),
    "reframe": (1344, 640),
    "replace-background": (48, 32),
    "upscale": (96, 64),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture and a mask of its size."""
    (tmp_path / "cup.png").write_bytes(png(1))
    (tmp_path / "mask.png").write_bytes(mask())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("verb", VERBS)
def test_several_pictures_have_names_of_their_own_and_none_is_overwritten(
    client_typing: Typed, folder: Path, verb: str
) -> None:
    for number in (1, 2):
        code, out, said = client_typing(verb, "cup.png", *VERBS[verb], "--seed", 5, "--num-images", 2, "--out", "drawn")
        assert code == 0, said
        suffix = "" if number == 1 else "-2"
        paths = [f"drawn/{STEMS[verb]}-{seed}{suffix}.png" for seed in (5, 6)]
        assert out.splitlines() == paths
        assert {Image.open(folder / path).size for path in paths} == {SIZES[verb]}


@pytest.mark.parametrize("verb", VERBS)
def test_json_tells_the_paths_and_what_the_server_said(client_typing: Typed, folder: Path, verb: str) -> None:
    code, out, said = client_typing(verb, "cup.png", *VERBS[verb], "--seed", 7, "--json")
    assert code == 0, said
    [one] = json.loads(out)
    assert (one["path"], one["seed"], one["is_image_safe"]) == (f"{STEMS[verb]}-7.png", 7, True)
    notes = one["x_linocut"].get("notes", [])
    assert said.splitlines() == [f"note: {note}" for note in notes]


@pytest.mark.parametrize("verb", VERBS)
def test_what_goes_wrong_has_its_sentence_and_its_code(client_typing: Typed, folder: Path, verb: str) -> None:
    code, out, said = client_typing(verb, "none.png", *VERBS[verb])
    assert (code, out, "none.png" in said) == (2, "", True)
    code, out, said = client_typing(verb, "cup.png", *VERBS[verb], API_KEY="lino_" + "x" * 43)
    assert (code, out) == (3, "")
    (folder / "cup.png").write_bytes(b"GIF89a")
    code, out, said = client_typing(verb, "cup.png", *VERBS[verb])
    assert (code, out, said.startswith(("linocut: image: ", "linocut: image_file: "))) == (1, "", True)
    assert sorted(path.name for path in folder.iterdir()) == ["cup.png", "mask.png"]


def test_options_reach_the_server(client_typing: Typed, folder: Path) -> None:
    code, _, said = client_typing("remix", "cup.png", "tea", "--model", "model/never-was/version/1")
    assert code == 4
    code, _, said = client_typing("remix", "cup.png", "tea", "--aspect-ratio", "5x7")
    assert (code, "aspect_ratio" in said) == (1, True)
    for option in ("--rendering-speed", "--magic-prompt"):
        code, _, said = client_typing("remix", "cup.png", "tea", option, "never")
        assert (code, option.strip("-").replace("-", "_") in said) == (1, True)
    pictures = []
    for weight, speed in ((10, "flash"), (90, "Quality")):
        told = ("--image-weight", weight, "--rendering-speed", speed, "--magic-prompt", "off", "--seed", 1)
        code, out, said = client_typing("remix", "cup.png", "tea", *told)
        assert code == 0, said
        pictures.append(Path(out.strip()).read_bytes())
    assert pictures[0] != pictures[1]
    assert client_typing("remix", "cup.png", "tea", "--image-weight", 0)[0] == 2


def test_a_mask_of_another_size_is_named(client_typing: Typed, folder: Path) -> None:
    (folder / "mask.png").write_bytes(mask(20, 20))
    code, _, said = client_typing("inpaint", "cup.png", "mask.png", "tea")
    assert (code, said.startswith("linocut: mask: ")) == (1, True)


LOOKS = {
    "remix": ("style-type", "style-preset", "style-code", "palette", "style-reference", "negative", "resolution"),
    "inpaint": ("style-type", "style-preset", "style-code", "palette", "style-reference"),
    "reframe": ("style-preset", "style-code", "palette", "style-reference"),
    "replace-background": ("style-preset", "style-code", "palette", "style-reference"),
}
"""What each operation of the contract takes of a look."""
VALUES = {
    "style-type": ("design", "DESIGN"),
    "style-preset": ("art_deco", "ART_DECO"),
    "style-code": ("ABCD1234", "ABCD1234"),
    "palette": ("ember", "color_palette"),
    "style-reference": ("cup.png", "style_reference_images"),
    "negative": ("blue", "blue"),
    "resolution": ("1344x640", ""),
}


@pytest.mark.parametrize("verb", LOOKS)
def test_every_option_of_a_look_reaches_the_server(client_typing: Typed, folder: Path, verb: str) -> None:
    for option in LOOKS[verb]:
        value, told = VALUES[option]
        code, out, said = client_typing(verb, "cup.png", *VERBS[verb], f"--{option}", value)
        assert code == 0, said
        picture = Image.open(out.strip())
        texts = picture.text  # type: ignore[attr-defined]
        assert told in texts.get("linocut:style", "") + texts.get("linocut:negative_prompt", ""), option
        assert option != "resolution" or picture.size == (1344, 640)
    if verb in ("remix", "inpaint"):
        code, _, said = client_typing(verb, "cup.png", *VERBS[verb], "--character-reference", "cup.png")
        assert (code, "character_reference_images" in said) == (1, True)
