"""``linocut inspect``: the texts of a PNG, and a sentence for every file that has none."""

import io
import json
import os
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from linocut.cli import main as command_line
from linocut.cli.inspect import record_of
from linocut.errors import InvalidRequest

TEXTS = {
    "linocut:prompt": "a cat, 猫, with the word “TEA”",
    "linocut:caption": '{"scene": "a cat"}',
    "linocut:seed": "7",
    "linocut:model": "model/house-style/version/1",
    "linocut:base": "ideogram4@0123",
    "linocut:version": "0.1.0",
}


def png(texts: dict[str, str], *, packed: bool = False) -> bytes:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        if text.isascii() and not packed:
            info.add_text(name, text)
        else:
            info.add_itxt(name, text, zip=packed)
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def inspected(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        command_line.main(["inspect", *arguments])
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("packed", [False, True])
def test_what_a_picture_was_drawn_from(tmp_path: Path, capsys: pytest.CaptureFixture[str], packed: bool) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(png({**TEXTS, "Software": "another"}, packed=packed))
    assert list(record_of(path).items()) == [(name.removeprefix("linocut:"), text) for name, text in TEXTS.items()]
    code, out, err = inspected(capsys, str(path))
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "prompt   a cat, 猫, with the word “TEA”"
    assert "seed     7" in out
    assert "another" not in out
    facts = json.loads(inspected(capsys, str(path), "--json")[1])
    assert (facts["seed"], facts["prompt"], facts["path"]) == (7, TEXTS["linocut:prompt"], str(path))


def test_a_text_does_not_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(png({"linocut:prompt": "a\x1b[2Jb\nseed 9\u202ec"}))
    assert inspected(capsys, str(path))[1] == "prompt   a [2Jb seed 9 c\n"


@pytest.mark.parametrize("kept", [0, 7, 40, 0.5, 0.9])
def test_a_file_that_is_cut_off(tmp_path: Path, capsys: pytest.CaptureFixture[str], kept: float) -> None:
    whole = png(TEXTS)
    path = tmp_path / "cut.png"
    path.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    code, out, err = inspected(capsys, str(path))
    assert (code, out) == (1, "")
    assert err.startswith(f"linocut: {path} is ")


def test_files_that_do_not_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "x.jpg")
    Image.new("RGB", (8, 8)).save(tmp_path / "really.png", "WEBP")
    (tmp_path / "bare.png").write_bytes(png({"Comment": "nothing of ours"}))
    (tmp_path / "text.png").write_text("hello")
    os.mkdir(tmp_path / "folder.png")
    for name, sentence in {
        "x.jpg": "is a JPEG;",
        "really.png": "is a WEBP;",
        "bare.png": "does not say what it was drawn from",
        "text.png": "is not a picture",
        "none.png": "There is no file",
        "folder.png": "cannot be read: Is a directory.",
    }.items():
        code, out, err = inspected(capsys, str(tmp_path / name))
        assert (code, out) == (1, ""), name
        assert sentence in err
        assert err.count("\n") == 1


def test_a_picture_too_large_to_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    (tmp_path / "x.png").write_bytes(png(TEXTS))
    with pytest.raises(InvalidRequest, match="larger than any picture"):
        record_of(tmp_path / "x.png")
