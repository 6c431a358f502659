"""Typefaces: the family that lettering is set in, among all that are installed; what is said where there is none."""

import shutil
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from tests.engine.lettering_pictures import face

from linocut.engine.tools.catalogue import MIB
from linocut.engine.tools.font_files import faces_of
from linocut.engine.tools.toolbox import Toolbox
from linocut.engine.tools.typefaces import Found, Sample, Typefaces
from linocut.errors import InvalidRequest

FAMILIES = {
    "abril-fatface": "Abril Fatface", "anton": "Anton", "bebas-neue": "Bebas Neue", "caveat": "Caveat",
    "dancing-script": "Dancing Script", "libre-baskerville": "Libre Baskerville", "lobster": "Lobster", "lora": "Lora",
    "montserrat": "Montserrat", "oswald": "Oswald", "pacifico": "Pacifico", "permanent-marker": "Permanent Marker",
    "playfair-display": "Playfair Display", "raleway": "Raleway", "roboto": "Roboto", "roboto-slab": "Roboto Slab",
    "space-mono": "Space Mono", "alfa-slab-one": "Alfa Slab One",
}  # fmt: skip


@lru_cache
def tool() -> Typefaces:
    loaded = Toolbox("cpu", 1024 * MIB).load("typefaces")
    assert isinstance(loaded, Typefaces)
    return loaded


def sample(text: str, font: ImageFont.FreeTypeFont, spaced: int = 0, blur: float = 0.6, noise: int = 12) -> Sample:
    """A line's ink as it comes from a picture: softened and noisy."""
    sheet = Image.new("L", (1600, 240), 0)
    pen = ImageDraw.Draw(sheet)
    at = 20.0
    for sign in text if spaced else [text]:
        pen.text((at, 140), sign, fill=255, font=font, anchor="ls")
        at += font.getlength(sign) + spaced
    close = sheet.crop(sheet.getbbox()).filter(ImageFilter.GaussianBlur(blur))
    grain = np.random.default_rng(len(text)).integers(-noise, noise + 1, (close.height, close.width))
    return Sample(text, np.clip(np.asarray(close).astype(int) + grain, 0, 255).astype(np.uint8))


def found(*samples: Sample) -> Found:
    return tool().run(samples)


def test_every_family_that_comes_with_the_server_is_found_first() -> None:
    """Seen softly and with grain; by chance one in twenty would be."""
    firsts = {}
    for package, family in FAMILIES.items():
        matches = found(sample("Harbour Lights", face(package, 40))).matches
        firsts[family] = matches[0].family
        assert family in [match.family for match in matches[:3]], (family, matches)
    right = sum(family == first for family, first in firsts.items())
    print(f"\nfirst: {right} of {len(FAMILIES)}")
    assert right >= 17


def test_the_score_tells_the_same_from_the_alike() -> None:
    best, second = found(sample("Harbour Lights", face("lora", 60))).matches[:2]
    assert best.family == "Lora"
    assert best.score > 0.85
    assert second.score < best.score - 0.05


def test_weight_slant_and_size_are_told() -> None:
    bold = found(sample("Summer Festival", face("montserrat", 48, 700))).matches[0]
    light = found(sample("Summer Festival", face("montserrat", 48, 400))).matches[0]
    assert (bold.family, bold.weight >= 600) == ("Montserrat", True)
    assert (light.family, light.weight < 600) == ("Montserrat", True)
    assert bold.em == pytest.approx(48, rel=0.05)
    files = [file for file in distribution("fontpkg-lora").files or () if "Italic" in file.name]
    slanted = found(sample("Summer Festival", ImageFont.truetype(str(files[0].locate()), 48))).matches[0]
    assert (slanted.family, slanted.is_italic) == ("Lora", True)


def test_lettering_that_is_set_apart_is_found_too() -> None:
    best = found(sample("OPEN LATE", face("montserrat", 40, 700), spaced=18)).matches[0]
    assert best.family == "Montserrat"
    assert best.score > 0.7


def test_several_lines_speak_together() -> None:
    lines = [sample(text, face("libre-baskerville", 20), blur=1.0) for text in ("every Friday", "at the old harbour")]
    assert found(*lines).matches[0].family == "Libre Baskerville"


def test_fonts_of_a_folder_are_added(tmp_path: Path) -> None:
    """A font of a folder counts like the others; files that are none are passed over."""
    mine = tmp_path / "fonts" / "deep"
    mine.mkdir(parents=True)
    file = next(file for file in distribution("fontpkg-anton").files or () if file.suffix == ".ttf")
    renamed = (mine / "mine.ttf", Path(str(file.locate())).read_bytes().replace(b"A\0n\0t\0o\0n", b"M\0i\0n\0e\0d"))
    renamed[0].write_bytes(renamed[1].replace(b"\0A\0n\0t\0o\0n", b"\0M\0i\0n\0e\0d").replace(b"Anton", b"Mined"))
    (mine / "broken.ttf").write_bytes(b"no font")
    (mine / "notes.txt").write_text("no font either")
    families = {one.family for one in faces_of(tmp_path / "fonts")[0]}
    assert "Mined" in families
    assert {"Lora", "Roboto", "Mined"} <= families
    tool = Toolbox("cpu", 1024 * MIB, weights={"typefaces": tmp_path / "fonts"}).load("typefaces")
    assert "Mined" in {match.family for match in tool.run([sample("BIG SALE", face("anton", 60))]).matches}
    shutil.rmtree(tmp_path / "fonts")
    assert "Mined" not in {one.family for one in faces_of(tmp_path / "fonts")[0]}


def test_signs_that_no_font_has_are_told() -> None:
    ink = sample("Lights", face("lora", 40)).ink_HW
    assert found(Sample("\U0001f9c0\U0001f9ff", ink)) == Found(
        (), ('No installed font has all signs of "\U0001f9c0\U0001f9ff", so its typeface is not told.',)
    )


def test_of_too_many_fonts_some_are_left_out_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linocut.engine.tools.font_files.MOST_FACES", 5)
    assert "the first 5 faces were" in Typefaces().run([sample("Lights", face("lora", 40))]).notes[0]


@pytest.mark.parametrize("given", [[], ["text"], [Sample("a", np.zeros((0, 4), np.uint8))]])
def test_what_is_no_lettering_is_refused(given: object) -> None:
    with pytest.raises(InvalidRequest, match="ink"):
        tool().run(given)
