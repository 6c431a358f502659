"""Captions written to files: each file names one picture, and is read back as that picture's."""

from pathlib import Path

import pytest

from linocut.cli.dataset_captions import asset_called, caption_files


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["a.png", "b.jpg"], ["a.txt", "b.txt"]),
        (["f.png", "f.jpg"], ["f.jpg.txt", "f.png.txt"]),
        (["f.png", "f.jpg", "f.png.jpg"], ["f.jpg.txt", "f.png.jpg.txt", "f.png.txt"]),
    ],
)
def test_every_caption_has_a_file_that_finds_its_picture(names: list[str], files: list[str]) -> None:
    assets = [{"file_name": name, "asset_id": f"id of {name}", "caption": f"about {name}"} for name in names]
    written = caption_files(assets)
    assert sorted(written) == files
    for file, text in written.items():
        assert text == f"about {asset_called(assets, Path(file).stem)['file_name']}"


def test_a_picture_without_a_caption_still_shares_its_stem() -> None:
    assets = [{"file_name": "f.png", "caption": {"a": 1}}, {"file_name": "f.jpg", "caption": None}]
    assert list(caption_files(assets)) == ["f.png.json"]
