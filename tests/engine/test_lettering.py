"""The lettering tool: what it reads, where it says that it is, and in which colours; and that it asks nobody."""

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.engine.lettering_pictures import Written, colour_difference, face, ground, mistakes, overlap, write
from tests.engine.test_scene import drawn as figures_drawn
from tests.marks import long_but

from linocut.engine.tools import lettering
from linocut.engine.tools.catalogue import MIB, TOOLS
from linocut.engine.tools.lettering import EMBEDDED, Lettering, Line, Reader
from linocut.engine.tools.tool import Tool
from linocut.engine.tools.toolbox import Toolbox
from linocut.errors import InvalidRequest, NotReady
from linocut.samples import PICTURES


@lru_cache
def reader() -> Tool:
    return Toolbox("cpu", 1024 * MIB).load("lettering")


def read(picture: Image.Image) -> Lettering:
    found = reader().run(np.asarray(picture))
    assert isinstance(found, Lettering)
    return found


def test_it_reads_text_place_angle_and_colours() -> None:
    picture = ground("plain", 640, 480, "#F2E8D5")
    drawn = [
        write(picture, "Harbour Lights", (320, 90), face("lora", 56), "#1B3A5C"),
        write(picture, "Summer Jazz", (320, 220), face("oswald", 64), "#C0392B", angle=-12),
        write(picture, "every Friday at nine", (320, 400), face("montserrat", 30), "#2E7D32"),
    ]
    found = read(picture)
    assert [line.text for line in found.lines] == [one.text for one in drawn]
    for line, one in zip(found.lines, drawn, strict=True):
        assert overlap(line.bounds, one.bounds) > 0.85, line
        assert abs(line.angle - one.angle) < 1.5, line
        assert colour_difference(line.ink, one.colour) < 6, line
        assert colour_difference(line.ground, "#F2E8D5") < 3, line
        assert 0.8 < line.confidence <= 1.0
    assert (found.doubts, found.read_by) == ((), EMBEDDED)


def test_corners_go_clockwise_from_the_top_left_as_one_reads() -> None:
    picture = ground("plain", 500, 300, "#FFFFFF")
    drawn = write(picture, "Turned", (250, 150), face("roboto", 70), "#000000", angle=15)
    [line] = read(picture).lines
    off = np.linalg.norm(np.array(line.corners) - np.array(drawn.corners), axis=-1)
    assert off.max() < 5, (line.corners, drawn.corners)


@pytest.mark.parametrize(("angle", "said"), long_but([(90, 90)], [(90, 90), (-90, -90), (180, 180)]))
def test_lines_that_run_down_up_or_on_their_heads(angle: int, said: int) -> None:
    picture = ground("plain", 400, 400, "#DDEEFF")
    write(picture, "Gallery West", (200, 200), face("roboto", 44), "#102030", angle=angle)
    [line] = read(picture).lines
    assert line.text == "Gallery West"
    off = (line.angle - said + 180) % 360 - 180
    assert abs(off) < 2


@pytest.mark.parametrize("kind", long_but(["busy"], ["graded", "noisy", "busy"]))
def test_grounds_that_are_not_plain(kind: str) -> None:
    picture = ground(kind, 640, 320, "#4A6FA5", seed=3)
    drawn = write(picture, "Northern Ferry", (320, 160), face("roboto", 60), "#FFF3C4")
    [line] = read(picture).lines
    assert line.text == drawn.text
    assert overlap(line.bounds, drawn.bounds) > 0.85
    assert colour_difference(line.ink, drawn.colour) < 8


def test_letters_on_a_label_are_the_ink_and_the_label_is_the_ground() -> None:
    picture = ground("plain", 500, 200, "#FFFFFF")
    picture.paste("#111111", (90, 60, 410, 140))
    drawn = write(picture, "Open today", (250, 100), face("roboto", 48), "#FFD400")
    [line] = read(picture).lines
    assert (line.text, colour_difference(line.ink, drawn.colour) < 6) == (drawn.text, True)
    assert colour_difference(line.ground, "#111111") < 6


@pytest.mark.parametrize("text", long_but(["Café Noir"], ["SUMMER JAZZ", "Café Noir", "ten o'clock"]))
def test_words_stay_apart(text: str) -> None:
    picture = ground("plain", 700, 160, "#FFFFFF")
    write(picture, text, (350, 80), face("bebas-neue", 80), "#333333")
    [line] = read(picture).lines
    assert line.text.casefold() == text.casefold()


def test_a_small_picture_is_read_too() -> None:
    picture = ground("plain", 128, 128, "#F5F5F5")
    drawn = write(picture, "Tea", (64, 64), face("roboto", 30), "#A01020")
    [line] = read(picture).lines
    assert line.text == "Tea"
    assert overlap(line.bounds, drawn.bounds) > 0.75


@pytest.mark.parametrize("size", [(16, 16), (16, 900), (320, 240)])
def test_without_lettering_there_are_no_lines(size: tuple[int, int]) -> None:
    assert read(ground("busy", *size, "#6080A0")).lines == ()


@pytest.mark.parametrize(
    "given",
    [
        "https://example.org/picture.png",
        Path("picture.png"),
        b"PNG",
        np.zeros((32, 32), np.uint8),
        np.zeros((32, 32, 4), np.uint8),
        np.zeros((32, 32, 3), np.float32),
        np.zeros((15, 32, 3), np.uint8),
    ],
)
def test_only_arrays_of_pictures_go_in(given: object) -> None:
    """Never an address: the library that reads would fetch it."""
    with pytest.raises(InvalidRequest, match="RGB"):
        reader().run(given)


OFFLINE = """
import os, socket, sys
from pathlib import Path
import numpy as np
import rapidocr
folder = Path(rapidocr.__file__).parent
def files():
    return sorted((str(p), p.stat().st_mtime_ns) for p in folder.rglob("*") if "__pycache__" not in p.parts)
before = files()
def refused(*_args, **_more):
    raise AssertionError("the network was asked")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refused
from linocut.engine.tools.catalogue import TOOLS
from PIL import Image, ImageDraw, ImageFont
picture = Image.new("RGB", (400, 120), "white")
ImageDraw.Draw(picture).text((20, 30), "No network", fill="black", font=ImageFont.load_default(60))
tool = TOOLS["lettering"].load("cpu")
lines = tool.run(np.asarray(picture)).lines
assert files() == before, "something was written beside the library"
print(*[line.text for line in lines])
"""


@pytest.mark.long
def test_it_asks_no_network_writes_nothing_and_logs_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("No network", "", 0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_brings_other_networks(tmp_path: Path) -> None:
    """The wheel's own files stand in for larger ones: their names and signatures are the same."""
    import rapidocr

    models = Path(rapidocr.__file__).parent / "models"
    folder = tmp_path / "larger-networks"
    folder.mkdir()
    with pytest.raises(NotReady, match=r"det\.onnx"):
        Reader(folder)
    (folder / "det.onnx").symlink_to(models / "PP-OCRv6_det_small.onnx")
    with pytest.raises(NotReady, match=r"rec\.onnx"):
        Reader(folder)
    (folder / "rec.onnx").write_bytes(b"no network")
    with pytest.raises(NotReady, match="cannot be read"):
        Reader(folder)
    (folder / "rec.onnx").unlink()
    (folder / "rec.onnx").symlink_to(models / "PP-OCRv6_det_small.onnx")  # it lists no signs
    with pytest.raises(NotReady, match=r"keys\.txt"):
        Reader(folder)
    (folder / "keys.txt").write_text("a\nb\n")
    with pytest.raises(NotReady, match="cannot be run"):
        Reader(folder)
    (folder / "keys.txt").unlink()
    (folder / "rec.onnx").unlink()
    (folder / "rec.onnx").symlink_to(models / "PP-OCRv6_rec_small.onnx")
    tool = Toolbox("cpu", 1024 * MIB, weights={"lettering": folder}).load("lettering")
    picture = ground("plain", 300, 100, "#FFFFFF")
    write(picture, "Larger", (150, 50), face("roboto", 50), "#000000")
    found = tool.run(np.asarray(picture))
    assert ([line.text for line in found.lines], found.read_by) == (["Larger"], "larger-networks")


def test_a_drawn_cup_is_no_letter_and_a_letter_that_stands_alone_is_one() -> None:
    """Its shape is a G's, almost; what is erased as lettering must be lettering."""
    found = read(Image.open(PICTURES / "01-cup.png").convert("RGB"))
    assert [line.text for line in found.lines] == ["TEA"]
    assert found.doubts == ()
    alone = ground("plain", 400, 400, "#F2E8D5")
    write(alone, "B", (200, 200), face("montserrat", 160), "#1B3A5C")
    assert [line.text for line in read(alone).lines] == ["B"]


@pytest.mark.parametrize("number", [0, 1, 5, 25])
def test_nothing_is_said_of_lettering_where_there_is_none(number: int) -> None:
    """The networks take stars for letters, dots for signs, and a whole crowded picture for one of them."""
    pixels, _ = figures_drawn(number)
    found = reader().run(np.asarray(Image.fromarray(pixels).resize((512, 512), Image.Resampling.BICUBIC)))
    assert (found.lines, found.doubts) == ((), ())


@pytest.mark.parametrize(("text", "squares"), [("Summer sale", 8), ("TEA", 10), ("Привет мир", 4)])
def test_lettering_that_nobody_can_read_is_told(text: str, squares: int) -> None:
    """Pixelated, or in an alphabet that the networks do not know."""
    picture = ground("plain", 600, 300, "#F2E8D5")
    write(picture, text, (300, 150), face("montserrat" if text == "TEA" else "roboto", 44), "#1B3A5C")
    small = picture.resize((600 // squares, 300 // squares), Image.Resampling.BOX)
    found = reader().run(np.asarray(small.resize((600, 300), Image.Resampling.NEAREST)))
    assert (found.lines, found.doubts) == ((), ("1 place looks like lettering and could not be read.",))


@pytest.mark.parametrize(
    ("text", "confidence", "is_read"),
    [("TEA", 0.5, True), ("TEA", 0.49, False), ("B", 0.9, True), ("G", 0.68, False), ("• a", 0.63, False),
     ("?", 0.95, True), ("●●●", 0.99, False), ("→", 0.99, False), ("5 → 6", 0.8, True), ("$", 0.95, True),
     ("", 0.0, False)],
)  # fmt: skip
def test_what_counts_as_read(text: str, confidence: float, is_read: bool) -> None:
    line = Line(text, ((0, 0), (1, 0), (1, 1), (0, 1)), confidence, 0.0, "#000000", "#FFFFFF")
    assert lettering._is_read(line) is is_read


def test_what_is_hard_to_read_is_said() -> None:
    """Lettering that noise drowns is either told with a doubt, or left out with one."""
    picture = ground("plain", 420, 140, "#808080")
    write(picture, "Xqzj vwk", (210, 70), face("dancing-script", 44), "#9A9A9A")
    pixels = np.asarray(picture).astype(np.int16) + np.random.default_rng(1).integers(-40, 41, (140, 420, 1))
    found = reader().run(np.clip(pixels, 0, 255).astype(np.uint8))
    unsure = [line for line in found.lines if line.confidence < 0.8]
    assert len(found.doubts) >= len(unsure)
    assert all(str(f"{line.confidence:.2f}") in " ".join(found.doubts) for line in unsure)


def test_the_catalogue_names_licence_and_notice() -> None:
    facts = TOOLS["lettering"]
    assert "Apache-2.0" in facts.licence
    assert "NOTICE" in facts.licence
    notice = (Path(__file__).parents[2] / "NOTICE").read_text()
    assert all(name in notice for name in ("rapidocr", "PaddleOCR", "onnxruntime", "opencv"))


def closest(line_bounds: tuple[float, float, float, float], drawn: list[Written]) -> Written:
    return max(drawn, key=lambda one: overlap(line_bounds, one.bounds))


def test_the_measure_of_mistakes_is_one() -> None:
    assert (mistakes("kitten", "sitting"), mistakes("", "abc"), mistakes("abc", "abc")) == (3, 3, 0)
