"""What of a folder is sent, what is left out, and that everything left out is named with the way out."""

import os
import zipfile
from pathlib import Path

import pytest

from linocut.cli.gathering import gather
from linocut.errors import InvalidRequest


def made(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def names_of(folder: Path) -> list[str]:
    return [part.name for part in gather([folder]).parts()]


def left_out_of(folder: Path) -> dict[str, str]:
    return dict(gather([folder]).left_out)


def test_pictures_by_all_their_suffixes_captions_and_zips_are_sent(tmp_path: Path) -> None:
    names = ["1.jpg", "2.JPEG", "3.jpe", "4.jfif", "5.png", "6.webp", "7.JFIF", "all.zip"]
    names += ["1.txt", "2.json", "3.caption", "4.CAPTION"]
    assert sorted(names_of(made(tmp_path, *names))) == sorted(names)
    assert left_out_of(tmp_path) == {}


def test_folders_in_folders_are_walked_and_names_carry_them(tmp_path: Path) -> None:
    made(tmp_path, "top.png", "a/cup.png", "a/cup.txt", "b/deep/cup.png", "b/notes.md")
    assert names_of(tmp_path) == ["top.png", "a/cup.png", "a/cup.txt", "b/deep/cup.png"]
    assert list(left_out_of(tmp_path)) == ["b/notes.md"]
    assert [[part.name for part in folder] for folder in gather([tmp_path]).folders] == [
        ["top.png"],
        ["a/cup.png", "a/cup.txt"],
        ["b/deep/cup.png"],
    ]


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("17.HEIC", "save it as JPEG or PNG"),
        ("17.avif", "save it as JPEG or PNG"),
        ("17.gif", "save it as JPEG or PNG"),
        ("17.Tiff", "save it as JPEG or PNG"),
        ("17.bmp", "save it as JPEG or PNG"),
        ("17.CR2", "save it as JPEG or PNG"),
        ("17.dng", "save it as JPEG or PNG"),
        ("17.psd", "save it as JPEG or PNG"),
        ("17.svg", "save it as JPEG or PNG"),
        ("17.pdf", "save it as JPEG or PNG"),
        ("17.mov", "save single pictures"),
        ("17.rar", "pack it as ZIP"),
        ("17.tar.gz", "pack it as ZIP"),
        ("captions.csv", "into a .txt file"),
        ("metadata.jsonl", "into a .txt file"),
        ("17.docx", "is not a JPEG, PNG, WebP, caption (.txt, .json, .caption) or ZIP file"),
        ("17.png.bak", "is not a JPEG"),
        ("17", "end its name in .jpg"),
    ],
)
def test_what_is_left_out_is_named_with_the_way_out(tmp_path: Path, name: str, way_out: str) -> None:
    gathered = gather([made(tmp_path, "1.png", name)])
    assert [part.name for part in gathered.parts()] == ["1.png"]
    assert [left[0] for left in gathered.left_out] == [name]
    assert way_out in gathered.left_out[0][1]
    assert gathered.sentences() == [f"left out: {name}: {gathered.left_out[0][1]}"]
    with pytest.raises(InvalidRequest, match=name):  # one that is named by itself is no remark but a mistake
        gather([tmp_path / name])


def test_one_sentence_a_reason_with_all_its_names(tmp_path: Path) -> None:
    (sentence,) = gather([made(tmp_path, "1.png", "2.heic", "b/3.HEIC")]).sentences()
    assert sentence == "left out: 2.heic, b/3.HEIC: HEIC is not taken; save it as JPEG or PNG."


def test_hidden_files_and_what_systems_leave_behind_go_unmentioned(tmp_path: Path) -> None:
    made(
        tmp_path,
        "1.png",
        ".DS_Store",
        "._1.png",
        ".git/x.png",
        "Thumbs.db",
        "desktop.ini",
        "__MACOSX/1.png",
        "@eaDir/1.png",
    )
    assert names_of(tmp_path) == ["1.png"]
    assert left_out_of(tmp_path) == {}


def test_links_pipes_and_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = made(tmp_path / "elsewhere", "2.png")
    folder = made(tmp_path / "here", "1.png", "locked.png")
    (folder / "2.png").symlink_to(elsewhere / "2.png")
    (folder / "gone.png").symlink_to(elsewhere / "none.png")
    (folder / "more").symlink_to(elsewhere)
    (folder / "circle").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "locked.png" and allowed(path, mode))
    assert names_of(folder) == ["1.png", "2.png"]  # a link to a file is the file
    told = left_out_of(folder)
    assert {name: why.split(";")[0] for name, why in told.items()} == {
        "circle": "this is a link to a folder",
        "gone.png": "this link leads nowhere",
        "locked.png": "this file cannot be read",
        "more": "this is a link to a folder",
        "pipe.png": "this is not a file that holds anything.",
    }


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, "1.png", "locked/2.png")
    scan = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    with monkeypatch.context() as locked:
        locked.setattr(os, "scandir", scandir)
        assert names_of(tmp_path) == ["1.png"]
        assert left_out_of(tmp_path) == {"locked": "this folder cannot be read; change its rights."}


def test_nothing_to_send_names_what_was_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="holds no JPEG"):
        gather([tmp_path])
    made(tmp_path, "a/1.heic", "b/notes.md")
    with pytest.raises(InvalidRequest, match=r"holds no JPEG.* left out: a/1\.heic: HEIC is not taken"):
        gather([tmp_path])
    with pytest.raises(InvalidRequest, match="neither a file nor a folder"):
        gather([tmp_path / "none"])


def test_files_of_equal_names_that_are_named_one_by_one_stay_apart(tmp_path: Path) -> None:
    made(tmp_path, "a/cup.png", "b/cup.png", "a/cup.txt")
    places = [tmp_path / name for name in ("a/cup.png", "b/cup.png", "a/cup.txt")]
    folders = gather(places).folders
    assert [[part.path.parent.name for part in folder] for folder in folders] == [["a", "a"], ["b"]]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["a/cup.png", "a/cup.txt", "old/cup.txt"], "put it beside its picture."),
        (["a/cup.png", "a/cup.png.txt", "old/Cup.txt"], "put it beside its picture."),
        (["a/cup.png", "a/cup.txt", "old/cup.heic", "old/cup.txt"], "its picture is not sent; send both together."),
        (["a/cup.png", "old/cup.HEIC", "old/cup.txt"], "its picture is not sent; send both together."),
        (["images/cup.png", "old/cup.txt"], ""),
        (["a/cup.png", "a/cup.txt", "b/cup.png", "old/cup.txt"], ""),
        (["a/cup.png", "a/cup.txt", "old/cup.heic", "old/cup.jpg", "old/cup.txt"], ""),
        (["a/cup.png", "a/cup.txt", "old/cup.txt", "more.zip"], ""),
        (["old/cup.txt"], ""),
    ],
)
def test_a_caption_that_would_be_another_picture_s_is_left_out(tmp_path: Path, names: list[str], why: str) -> None:
    told = {name: left for name, left in left_out_of(made(tmp_path, *names)).items() if name.endswith(".txt")}
    caption = next(name for name in names if name in ("old/cup.txt", "old/Cup.txt"))
    assert (caption in names_of(tmp_path)) is not bool(why)
    assert list(told) == ([caption] if why else [])
    assert told.get(caption, "").endswith(why)


def test_pictures_are_counted_inside_zips_too(tmp_path: Path) -> None:
    made(tmp_path, "1.png", "1.txt", "a/2.jfif")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        for name in ("3.png", "x/4.JPG", "x/4.txt", "__MACOSX/3.png", ".hidden.png"):
            archive.writestr(name, b"x")
    assert gather([tmp_path]).count() == 4
    (tmp_path / "bad.zip").write_bytes(b"PK not a zip")
    assert gather([tmp_path]).count() is None
