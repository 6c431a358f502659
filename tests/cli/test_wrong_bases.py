"""A base that is not whole, or is none: told by the doctor and before a server begins, and never a traceback."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Typed

from linocut import catalogue
from linocut.cli import checks
from linocut.errors import InvalidRequest
from linocut.settings import Settings


def copy_of_mini(folder: Path) -> Path:
    """Mini with links to its weights."""
    folder.mkdir()
    for path in sorted(catalogue.MINI.rglob("*")):
        target = folder / path.relative_to(catalogue.MINI)
        if path.is_dir():
            target.mkdir(parents=True)
        elif path.suffix == ".safetensors":
            target.symlink_to(path)
        else:
            shutil.copy(path, target)
    return folder


def test_mini_is_whole_and_so_is_a_copy(tmp_path: Path) -> None:
    catalogue.check_parts(catalogue.MINI)
    started = time.monotonic()
    catalogue.check_parts(copy_of_mini(tmp_path / "copy"))
    assert time.monotonic() - started < 1.0, "headers only"


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
    "no facts": ("its linocut.json is missing", lambda b: replaced(b / "linocut.json", None)),
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
    shutil.copy(catalogue.MINI / "linocut.json", tmp_path)
    assert not checks.base(Settings(data=tmp_path, base=str(tmp_path))).ok


@pytest.mark.parametrize(
    ("pipeline", "sentence"),
    [
        ("PixArtSigmaPipeline", "it holds a PixArtSigmaPipeline and has no linocut.json."),
        ("StableDiffusionXLPipeline", "it holds a StableDiffusionXLPipeline, and its linocut.json is missing."),
        ("Flux2KleinPipeline", "it holds a Flux2KleinPipeline, and its linocut.json is missing."),
        (None, "it has neither a linocut.json nor a model_index.json."),
    ],
)
def test_a_folder_of_a_real_pipeline_is_told_what_runs_today(
    tmp_path: Path, pipeline: str | None, sentence: str
) -> None:
    if pipeline:
        (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    with pytest.raises(InvalidRequest) as told:
        catalogue.check_parts(tmp_path)
    assert sentence in told.value.message
    assert "Today linocut runs mini" in told.value.message
    assert "docs/bases.md" in told.value.message
    with pytest.raises(InvalidRequest, match="There is no folder"):
        catalogue.load_base(tmp_path / "none")
