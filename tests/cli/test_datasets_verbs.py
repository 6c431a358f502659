"""``linocut datasets`` as a person types it, on a messy folder."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter
from tests.cli.conftest import Type
from tests.cli.shell import typed

from linocut.samples import PICTURES

POSTERS = sorted(PICTURES.glob("*.png"))


@pytest.fixture(scope="session")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good posters, copies of them, a blurred one, strays."""
    folder = tmp_path_factory.mktemp("messy")
    for path in sorted(PICTURES.iterdir())[:8]:
        shutil.copy(path, folder)
    cup = Image.open(POSTERS[0]).convert("RGB")
    cup.resize((400, 400)).save(folder / "cup-again.jpg", quality=60)
    cup.filter(ImageFilter.GaussianBlur(24)).save(folder / "soft.png")
    (folder / "lost.txt").write_text("whose am I")
    (folder / "broken.png").write_bytes(b"not a picture")
    (folder / "notes.md").write_text("not to be sent")
    (folder / ".hidden.png").write_bytes(b"nor this")
    return folder


@pytest.fixture(scope="session")
def filled(linocut: Type, messy: Path) -> str:
    """The id of a dataset with the messy folder in it, after looking at what the upload said."""
    dataset_id = linocut("datasets", "create", "Messy posters").stdout.strip()
    done = linocut("datasets", "upload", dataset_id, str(messy))
    assert done.returncode == 1
    assert done.stdout == "6 pictures taken, 1 file refused, 1 file left out\n"
    assert "not taken: broken.png: This is not a JPEG" in done.stderr
    assert "sent 12 of 12 files" in done.stderr
    assert "left out: notes.md: MD is not a JPEG" in done.stderr
    assert "lost.txt waits for its picture" in done.stderr
    assert ".hidden" not in done.stderr
    return dataset_id


def test_create_list_get(linocut: Type, filled: str) -> None:
    assert f"{filled}  " in linocut("datasets", "list", "--search", "messy").stdout
    assert linocut("datasets", "list", "--search", "no such name").stdout == "No datasets.\n"
    text = linocut("datasets", "get", filled).stdout
    assert "6 pictures" in text
    assert "soft.png" in text
    assert "(no caption)" in text
    assert json.loads(linocut("datasets", "get", filled, "--json").stdout)["file_count"] == 6
    assert linocut("datasets", "get", "none").returncode == 4
    assert linocut("datasets", "create", "x" * 65).returncode == 1


def test_the_report_as_a_person_reads_it(linocut: Type, filled: str) -> None:
    done = linocut("datasets", "report", filled, "--files")
    assert done.returncode == 1  # not ready: too few pictures
    first, *lines = done.stdout.splitlines()
    assert first.startswith("6 pictures, 4 with captions. Not ready to train. The dataset has 6 pictures")
    for title in ("Too few pictures (1)", "Nearly the same picture (", "Blurred (1)", "Without a caption (2)",
                  "Captions without their picture (1)"):  # fmt: skip
        assert any(line.startswith(title) for line in lines), done.stdout
    assert any(line.startswith("  soft.png is blurred") for line in lines)
    assert any(line.split()[:3] == ["soft.png", "512x512", "128x128"] for line in lines)
    found = json.loads(linocut("datasets", "report", filled, "--json").stdout)
    assert found["summary"]["finding_counts"]["blurred"] == 1
    assert linocut("datasets", "report", "none").returncode == 4


def test_a_dataset_that_is_ready(linocut: Type) -> None:
    dataset_id = linocut("datasets", "create", "Kettle and fern").stdout.strip()
    assert linocut("datasets", "upload", dataset_id, str(PICTURES)).returncode == 0
    done = linocut("datasets", "report", dataset_id)
    assert (done.returncode, done.stdout) == (0, "20 pictures, 20 with captions. Ready to train; nothing to remark.\n")


def test_upload_takes_files_folders_and_zips(linocut: Type, tmp_path: Path) -> None:
    archive = tmp_path / "two.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in POSTERS[1:3]:
            zipped.write(path, path.name)
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(POSTERS[3], folder / "same name.png")
    (folder / "same name.txt").write_text("in the folder")
    dataset_id = linocut("datasets", "create", "All kinds").stdout.strip()
    places = (str(POSTERS[0]), str(archive), str(folder))
    done = json.loads(linocut("datasets", "upload", dataset_id, *places, "--json").stdout)
    assert (done["success_count"], done["failure_count"], done["dataset_id"]) == (4, 0, dataset_id)
    again = json.loads(linocut("datasets", "upload", dataset_id, *places, "--json").stdout)
    assert again["success_count"] == 4
    listed = json.loads(linocut("datasets", "captions", "list", dataset_id, "--json").stdout)
    assert len(listed) == 4
    assert {one["file_name"]: one["caption"] for one in listed}["same name.png"] == "in the folder"


def test_upload_says_what_cannot_be_sent(linocut: Type, filled: str, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("x")
    for arguments, sentence in (
        ((filled, str(tmp_path / "none.png")), "is neither a file nor a folder"),
        ((filled, str(tmp_path / "notes.md")), "is not a JPEG, PNG, WebP"),
        ((filled, str(tmp_path)), "holds no JPEG"),
    ):
        done = linocut("datasets", "upload", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert sentence in done.stderr
    assert linocut("datasets", "upload", "none", str(POSTERS[0])).returncode == 4
    assert linocut("datasets", "upload", filled).returncode == 2


def test_captions_out_changed_and_in_again(linocut: Type, tmp_path: Path) -> None:
    dataset_id = linocut("datasets", "create", "Captioned").stdout.strip()
    linocut("datasets", "upload", dataset_id, str(PICTURES))

    def captions() -> dict[str, Any]:
        listed = json.loads(linocut("datasets", "captions", "list", dataset_id, "--json").stdout)
        return {one["file_name"]: one["caption"] for one in listed}

    before = captions()
    assert linocut("datasets", "captions", "export", dataset_id, str(tmp_path / "out")).returncode == 0
    files = sorted((tmp_path / "out").iterdir())
    assert [path.stem for path in files] == [path.stem for path in POSTERS]
    assert {path.suffix for path in files} == {".txt", ".json"}
    refused = linocut("datasets", "captions", "export", dataset_id, str(tmp_path / "out"))
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)

    done = linocut("datasets", "captions", "set", dataset_id, str(tmp_path / "out"))
    assert (done.returncode, done.stdout) == (0, "20 captions written\n")
    assert captions() == before

    one = tmp_path / "any.txt"
    one.write_text("a cup of tea\n")
    assert linocut("datasets", "captions", "set", dataset_id, str(one), "--picture", "01-cup.png").returncode == 0
    assert linocut("datasets", "captions", "get", dataset_id, "01-cup").stdout == "a cup of tea\n"
    one.write_text("")
    assert linocut("datasets", "captions", "set", dataset_id, str(one), "--picture", "01-cup").returncode == 0
    assert captions() == {**before, "01-cup.png": None}


def test_captions_that_name_no_picture_change_nothing(linocut: Type, filled: str, tmp_path: Path) -> None:
    before = linocut("datasets", "captions", "list", filled).stdout
    (tmp_path / "01-cup.txt").write_text("never written")
    (tmp_path / "stray.txt").write_text("whose")
    done = linocut("datasets", "captions", "set", filled, str(tmp_path))
    assert done.returncode == 4
    assert "no picture stray" in done.stderr
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\xfa")
    for name, sentence in (("bad.json", "is not valid JSON"), ("binary.txt", "is not UTF-8")):
        done = linocut("datasets", "captions", "set", filled, str(tmp_path / name), "--picture", "01-cup.png")
        assert (done.returncode, sentence in done.stderr) == (1, True)
    assert linocut("datasets", "captions", "list", filled).stdout == before


def test_pictures_are_removed_all_or_none(linocut: Type) -> None:
    dataset_id = linocut("datasets", "create", "Thinned out").stdout.strip()
    linocut("datasets", "upload", dataset_id, *(str(path) for path in POSTERS[:3]))
    assert linocut("datasets", "remove", dataset_id, "01-cup.png", "nobody.png").returncode == 4
    assert linocut("datasets", "remove", dataset_id, "01-cup.png", "02-leaf").stdout.count("removed ") == 2
    assert json.loads(linocut("datasets", "get", dataset_id, "--json").stdout)["file_count"] == 1


def test_no_server_is_told_before_anything_is_tried_again(key: str, tmp_path: Path) -> None:
    environment = {"LINOCUT_URL": "http://127.0.0.1:1", "LINOCUT_API_KEY": key}
    done = typed("datasets", "upload", "x", str(POSTERS[0]), environment=environment)
    assert done.returncode == 1
    assert "No server answers" in done.stderr
    assert "Trying again" not in done.stderr
