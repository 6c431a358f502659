"""``linocut layerize``: text on stdout, a PNG file on the disk."""

import json
from pathlib import Path
from typing import Any

from tests.api.pictures import png

Typed = Any


def test_a_picture_in_its_text_and_the_picture_without_it_out(client_typing: Typed, tmp_path: Path) -> None:
    picture = tmp_path / "poster.png"
    picture.write_bytes(png(1))
    code, said, remarks = client_typing("layerize", picture, "--out", tmp_path / "out", "--prompt", "sand")
    first, second = said.splitlines()
    assert code == 0
    assert first == "heading: Nobody / read this   (Lora, 8 pt, #102030, bold; 24x16 at 12,8)"
    assert second == str(tmp_path / "out" / "poster-without-lettering.png")
    assert (tmp_path / "out" / "poster-without-lettering.png").read_bytes()[:4] == b"\x89PNG"
    assert remarks.startswith("note: prompt was not used")
    code, said, _ = client_typing("layerize", picture, "--out", tmp_path / "out", "--seed", "7", "--json")
    told = json.loads(said)
    assert (code, told["seed"], Path(told["path"]).name) == (0, 7, "poster-without-lettering-2.png")


def test_what_is_no_picture_is_told(client_typing: Typed, tmp_path: Path) -> None:
    (tmp_path / "poster.txt").write_text("no picture")
    code, said, remarks = client_typing("layerize", tmp_path / "poster.txt", "--out", tmp_path)
    assert (code, said) == (1, "")
    assert "image: " in remarks
    assert client_typing("layerize", tmp_path / "absent.png")[0] == 2
