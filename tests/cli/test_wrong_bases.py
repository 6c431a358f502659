"""A base that is not whole, or is none: told by the doctor and before a server begins, and never a traceback."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Typed
from tests.pace import paced_seconds

from linocut import bases
from linocut.cli import checks
from linocut.settings import Settings


def copy_of_mini(folder: Path) -> Path:
    """Mini with links to its weights."""
    folder.mkdir()
    for path in sorted(bases.MINI.rglob("*")):
        target = folder / path.relative_to(bases.MINI)
        if path.is_dir():
            target.mkdir(parents=True)
        elif path.suffix == ".safetensors":
            target.symlink_to(path)
        else:
            shutil.copy(path, target)
    return folder


def test_mini_is_whole_and_so_is_a_copy(tmp_path: Path) -> None:
    bases.check_parts(bases.MINI)
    copy = copy_of_mini(tmp_path / "copy")
    assert paced_seconds(lambda: bases.check_parts(copy), 0.5) < 0.5, "headers only"


def replaced(path: Path, data: bytes | None) -> None:
    path.unlink()
    if data is not None:
        path.write_bytes(data)


def cut(path: Path) -> None:
    whole = path.read_bytes()
    replaced(path, whole[:-1])


BREAKS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "no weights": ("has no weights in transformer", lambda b: replaced(b / "transformer" / WEIGHTS, None)),
    "a pointer": (
        "is damaged",
        lambda b: replaced(b / "vae" / WEIGHTS, b"version https://git-lfs.github.com/spec/v1\n"),
    ),
    "an empty file": ("is damaged", lambda b: replaced(b / "vae" / WEIGHTS, b"")),
    "cut off": ("is not whole", lambda b: cut(b / "unconditional_transformer" / WEIGHTS)),
    "no text encoder": ("text_encoder/config.json is missing", lambda b: shutil.rmtree(b / "text_encoder")),
    "no tokenizer": ("tokenizer/tokenizer_config.json is missing", lambda b: shutil.rmtree(b / "tokenizer")),
    "a shard": (
        "model-00002.safetensors is missing",
        lambda b: (
            (b / "text_encoder" / "model.safetensors.index.json").write_text(
                '{"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}'
            )
            and None
        ),
    ),
    "no facts": ("--accept-licence ideogram-4", lambda b: replaced(b / "linocut.json", None)),
    "broken facts": ("linocut.json is damaged", lambda b: replaced(b / "linocut.json", b"{")),
    "facts of another": ("docs/bases.md", lambda b: replaced(b / "linocut.json", b'{"family": "pixart"}')),
    "half the facts": ("docs/bases.md", lambda b: replaced(b / "linocut.json", b'{"family": "flux2", "name": 3}')),
}
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.mark.parametrize("what", BREAKS)
def test_a_base_that_is_not_whole_passes_neither_doctor_nor_serve(typing: Typed, tmp_path: Path, what: str) -> None:
    sentence, breaks = BREAKS[what]
    base = copy_of_mini(tmp_path / "base")
    breaks(base)
    found = checks.base(Settings(data=tmp_path, base=str(base)))
    assert (found.ok, sentence in found.found) == (False, True), found
    if what in ("facts of another", "half the facts"):
        return  # the API tells it
    code, _, err = typing("serve", "--data", tmp_path / "d", "--base", base, "--port", 0)
    assert (code, sentence in err) == (1, True), err
    assert "serving" not in err


def test_an_empty_folder_with_mini_s_facts(tmp_path: Path) -> None:
    shutil.copy(bases.MINI / "linocut.json", tmp_path)
    assert not checks.base(Settings(data=tmp_path, base=str(tmp_path))).ok
