"""Bytes that are not UTF-8 on the command line, in a variable, in a file's name: a sentence, or the right picture."""

import os
from pathlib import Path

import pytest
from tests.cli.conftest import Typed

from linocut.cli.dataset_captions import asset_called

LATIN = os.fsdecode(b"caf\xe9")
SENTENCE = "linocut: A word of this command, or a variable, is not UTF-8 text; write it in UTF-8.\n"


@pytest.mark.parametrize(
    "words",
    [
        ("generate", LATIN),
        ("generate", "a cat", "--model", LATIN),
        ("datasets", "create", LATIN),
        ("datasets", "get", LATIN),
        ("datasets", "list", "--search", LATIN),
        ("models", "get", LATIN),
    ],
    ids=" ".join,
)
def test_a_word_that_is_not_text_is_one_sentence(client_typing: Typed, words: tuple[str, ...]) -> None:
    assert client_typing(*words) == (1, "", SENTENCE)


def test_so_is_a_label_and_a_server_s_address(typing: Typed, tmp_path: Path) -> None:
    assert typing("keys", "create", "--data", tmp_path / "d", "--label", LATIN) == (1, "", SENTENCE)
    assert typing("keys", "list", "--data", tmp_path / "d")[1].startswith("There are no keys yet")
    code, out, err = typing("datasets", "list", API_KEY="lino_x", URL=LATIN)
    assert (code, out, "Traceback" in err, err.count("\n")) == (1, "", False, 1)


@pytest.mark.parametrize("typed", [LATIN, "café", "cafe\u0301", LATIN + ".png", "cafe\u0301.png", "café.png", "id-1"])
@pytest.mark.parametrize("kept", ["café.png", "cafe\u0301.png"])
def test_a_picture_is_found_however_its_accents_are_written(typed: str, kept: str) -> None:
    assets = [{"asset_id": "id-1", "file_name": kept}, {"asset_id": "id-2", "file_name": "cafe.png"}]
    assert asset_called(assets, typed)["asset_id"] == "id-1"
