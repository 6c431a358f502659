"""``linocut remove-background``, ``replace-background`` and ``generate-transparent``: files with names that tell."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.api.pictures import png

Typed = Any


@pytest.fixture
def cup(tmp_path: Path) -> Path:
    path = tmp_path / "cup.png"
    path.write_bytes(png(1))
    return path


def test_the_object_of_a_file_is_saved_beside_its_name(client_typing: Typed, cup: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, said, remarks = client_typing("remove-background", cup, "--out", out)
    assert (code, said, remarks) == (0, f"{out / 'cup-cutout.png'}\n", "")
    with Image.open(out / "cup-cutout.png") as picture:
        assert (picture.mode, picture.size) == ("RGBA", (48, 32))
    _, said, _ = client_typing("remove-background", out / "cup-cutout.png", "--out", out, "--json")
    [one] = json.loads(said)
    assert Path(one["path"]).name == "cup-cutout-cutout.png"
    _, said, remarks = client_typing("remove-background", cup, "--out", out)
    assert said == f"{out / 'cup-cutout-2.png'}\n"


def test_another_ground_and_a_transparent_one(client_typing: Typed, cup: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ("replace-background", cup, "--prompt", "plain navy", "--seed", "5", "--num-images", "2", "--out", out)
    code, said, _ = client_typing(*asked)
    assert (code, said.split()) == (0, [str(out / "cup-ground-5.png"), str(out / "cup-ground-6.png")])
    code, said, remarks = client_typing(
        "generate-transparent", "a red circle on a navy ground", "--seed", "7", "--upscale-factor", "x2",
        "--aspect-ratio", "3x1", "--out", out, "--json",
    )  # fmt: skip
    [one] = json.loads(said)
    assert (code, Path(one["path"]).name, one["upscaled_resolution"]) == (0, "linocut-transparent-7.png", "3072x1024")
    assert "note: The ground" in remarks
    with Image.open(one["path"]) as picture:
        assert (picture.mode, picture.size) == ("RGBA", (3072, 1024))


def test_what_cannot_be_done_ends_with_a_sentence(client_typing: Typed, cup: Path, tmp_path: Path) -> None:
    (tmp_path / "cup.txt").write_text("no picture")
    assert client_typing("remove-background", tmp_path / "cup.txt")[0] == 1
    assert client_typing("remove-background", tmp_path / "absent.png")[0] == 2
    for words in ((), ("a wall", "--prompt", "a wall")):
        assert client_typing("replace-background", cup, *words)[0] == 2
    code, _, remarks = client_typing("generate-transparent", "a cup", "--rendering-speed", "FLASH")
    assert code == 1
    assert "rendering_speed FLASH is not available" in remarks
