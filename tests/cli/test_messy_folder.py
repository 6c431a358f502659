"""A folder as it comes from a camera and a captioning tool: every caption finds its picture, by folder."""

import json
import shutil
from pathlib import Path

from PIL import Image
from tests.cli.conftest import Typed

from linocut.samples import PICTURES

POSTERS = sorted(PICTURES.glob("*.png"))


def test_every_caption_of_a_messy_folder_finds_its_picture(client_typing: Typed, tmp_path: Path) -> None:
    files = {
        "1.png": "1.caption",
        "p1.png": "P1.txt",
        "p2.png": "p2.png.txt",
        "P3.PNG": "p3.txt",
        "a/cup.png": "a/cup.txt",
        "b/cup.png": "b/cup.caption",
        "b/deep/cup.png": "b/deep/cup.txt",
        "日本語.png": "日本語.txt",
    }
    for number, (picture, caption) in enumerate(files.items()):
        (tmp_path / picture).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(POSTERS[number], tmp_path / picture)
        (tmp_path / caption).write_text(f"caption of {picture}", encoding="utf-8")
    Image.open(POSTERS[10]).convert("RGB").save(tmp_path / "16.jfif", format="JPEG")
    (tmp_path / "16.txt").write_text("caption of 16.jfif")
    dataset_id = client_typing("datasets", "create", "From a camera")[1].strip()
    code, out, err = client_typing("datasets", "upload", dataset_id, tmp_path)
    assert (code, out) == (0, "9 pictures taken, 0 files refused\n"), err
    listed = json.loads(client_typing("datasets", "captions", "list", dataset_id, "--json")[1])
    assert sorted(one["caption"] for one in listed) == sorted(f"caption of {name}" for name in [*files, "16.jfif"])
    assert all(Path(one["file_name"]).stem.split()[0] in one["caption"] for one in listed)


def test_a_caption_of_another_folder_takes_no_picture_s_place(client_typing: Typed, tmp_path: Path) -> None:
    captions = {"a/cup.png": "cup", "b/tea.png": "tea", "a/sun.png": None, "b/sun.png": None}
    for number, (picture, caption) in enumerate(captions.items()):
        (tmp_path / picture).parent.mkdir(exist_ok=True)
        shutil.copy(POSTERS[number], tmp_path / picture)
        if caption:
            (tmp_path / picture).with_suffix(".txt").write_text(caption)
    (tmp_path / "old").mkdir()
    for name in ("cup", "sun"):
        (tmp_path / "old" / f"{name}.txt").write_text(f"OLD {name}")
    dataset_id = client_typing("datasets", "create", "Old captions")[1].strip()
    code, out, err = client_typing("datasets", "upload", dataset_id, tmp_path)
    assert (code, out) == (0, "4 pictures taken, 0 files refused, 1 file left out\n"), err
    assert "left out: old/cup.txt: the pictures of its name lie in other folders" in err
    assert "No picture lay beside sun.txt, and several elsewhere have its name" in err
    listed = json.loads(client_typing("datasets", "captions", "list", dataset_id, "--json")[1])
    assert {one["caption"] for one in listed} == {"cup", "tea", None, "OLD sun"}
