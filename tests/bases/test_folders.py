"""Folders that are no base, or half of one: each is told what it is and what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.bases.folders import published, weights, write

from linocut.bases import check_parts, load_base
from linocut.bases.places import base_at
from linocut.bases.reading import tensors_of, weights_of
from linocut.errors import InvalidRequest

SDXL = "StableDiffusionXLPipeline"
UNET = "unet/diffusion_pytorch_model.safetensors"


def refused(folder: Path) -> str:
    """What both who reads a base and who looks at its parts say of it, in one sentence or more."""
    with pytest.raises(InvalidRequest) as told:
        check_parts(folder)
    message = told.value.message
    assert "Traceback" not in message
    assert message[0].isupper() or message.startswith("/")
    return message


def shard(folder: Path, part: str, present: tuple[int, ...], of: int = 3) -> None:
    """A part in shards, of which some are there."""
    (folder / UNET).unlink()
    names = {n: f"diffusion_pytorch_model-0000{n}-of-0000{of}.safetensors" for n in range(1, of + 1)}
    for n in present:
        weights(folder / part / names[n], {f"layer{n}": (2, 2)})
    index = {"weight_map": {f"layer{n}": name for n, name in names.items()}}
    write(folder / part / "diffusion_pytorch_model.safetensors.index.json", index)


def test_no_folder_and_a_file(tmp_path: Path) -> None:
    assert "There is no folder" in refused(tmp_path / "none")
    weights(tmp_path / "z_image_turbo.safetensors", {"a": (1,)})
    message = refused(tmp_path / "z_image_turbo.safetensors")
    assert "is a file: a base is a folder" in message
    assert "model_index.json" in message


def test_a_folder_of_single_files_and_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "neither a model_index.json nor a linocut.json" in refused(tmp_path / "empty")
    weights(tmp_path / "comfy" / "flux2.safetensors", {"a": (1,)})
    assert "single files of weights (flux2.safetensors) and no model_index.json" in refused(tmp_path / "comfy")


def test_the_folder_above_or_below_is_named(tmp_path: Path) -> None:
    whole = published(tmp_path / "hub" / "snapshots" / "abc", SDXL)
    assert f"{whole} has one: give that folder" in refused(tmp_path / "hub")
    assert f"{whole} has one: give that folder" in refused(whole / "unet")
    check_parts(whole)


def test_an_unknown_class_is_told_which_are_known(tmp_path: Path) -> None:
    message = refused(published(tmp_path / "p", "PixArtSigmaPipeline"))
    assert "it holds a PixArtSigmaPipeline" in message
    assert "ZImagePipeline" in message
    assert "docs/bases.md" in message


def test_half_a_download_is_told_by_its_index(tmp_path: Path) -> None:
    folder = published(tmp_path / "half", SDXL)
    shard(folder, "unet", (1, 2, 3))
    check_parts(folder)
    assert [path.name[-22:-12] for path in weights_of(folder, "unet").files] == [
        "1-of-00003",
        "2-of-00003",
        "3-of-00003",
    ]
    (folder / "unet" / "diffusion_pytorch_model-00002-of-00003.safetensors").unlink()
    message = refused(folder)
    assert "unet/diffusion_pytorch_model-00002-of-00003.safetensors is missing" in message
    assert "half" in message
    (folder / "unet" / "diffusion_pytorch_model-00003-of-00003.safetensors").unlink()
    assert "and 1 more" in refused(folder)


def test_shards_without_their_index_are_half_a_download_too(tmp_path: Path) -> None:
    folder = published(tmp_path / "half", SDXL)
    shard(folder, "unet", (1, 2, 3))
    (folder / "unet" / "diffusion_pytorch_model.safetensors.index.json").unlink()
    assert "the index of the shards in unet is missing" in refused(folder)


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.bin", "model.ckpt", "x.pt", "y.pth"])
def test_pickles_are_never_opened(tmp_path: Path, name: str) -> None:
    folder = published(tmp_path / "old", SDXL)
    (folder / UNET).unlink()
    (folder / "unet" / name).write_bytes(b"\x80\x04")
    message = refused(folder)
    assert f"as {name} only: pickled, which can run code and is never opened here" in message


def test_pickles_beside_safetensors_do_no_harm(tmp_path: Path) -> None:
    folder = published(tmp_path / "both", SDXL)
    before = load_base(folder).identity
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04")
    weights(folder / "everything.safetensors", {"a": (9,)})
    check_parts(folder)
    assert load_base(folder).identity == before, "what is never loaded is no part of it"


def test_half_precision_is_taken_where_it_is_all_there_is(tmp_path: Path) -> None:
    folder = published(tmp_path / "fp16", SDXL)
    assert weights_of(folder, "unet").variant == ""
    shutil.copy(folder / UNET, folder / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    assert weights_of(folder, "unet").variant == ""
    (folder / UNET).unlink()
    assert weights_of(folder, "unet").variant == "fp16"
    check_parts(folder)


def _pointer(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pointer": (lambda f: _pointer(f / UNET), "is damaged (a Git LFS pointer"),
    "cut": (lambda f: (f / UNET).write_bytes((f / UNET).read_bytes()[:-1]), "is not whole"),
    "longer": (lambda f: (f / UNET).write_bytes((f / UNET).read_bytes() + b"x"), "is not whole"),
    "no config": (lambda f: (f / "vae" / "config.json").unlink(), "vae/config.json is missing"),
    "no second tokenizer": (lambda f: shutil.rmtree(f / "tokenizer_2"), "tokenizer_2/tokenizer_config.json is missing"),
    "no second tower": (lambda f: shutil.rmtree(f / "text_encoder_2"), "text_encoder_2/config.json is missing"),
    "no scheduler": (lambda f: shutil.rmtree(f / "scheduler"), "scheduler/scheduler_config.json is missing"),
    "a broken index": (lambda f: (f / "model_index.json").write_text("{"), "model_index.json is damaged"),
    "an index that is a list": (lambda f: (f / "model_index.json").write_text("[1]"), "model_index.json is damaged"),
    "a config that is an empty list": (
        lambda f: (f / "vae/config.json").write_text("[]"),
        "vae/config.json is damaged",
    ),
    "a broken tokenizer": (
        lambda f: (f / "tokenizer_2" / "tokenizer.json").write_text("{"),
        "tokenizer_2/tokenizer.json is damaged",
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_part_is_named(tmp_path: Path, what: str) -> None:
    folder = published(tmp_path / "base", SDXL)
    check_parts(folder)
    breaks, sentence = DAMAGE[what]
    breaks(folder)
    assert sentence in refused(folder)


def test_a_base_that_looks_at_pictures_has_their_processor(tmp_path: Path) -> None:
    folder = published(tmp_path / "edit", "QwenImageEditPlusPipeline")
    check_parts(folder)
    shutil.rmtree(folder / "processor")
    assert "its folder processor is missing" in refused(folder)


def test_what_headers_tell(tmp_path: Path) -> None:
    folder = published(tmp_path / "base", SDXL)
    weights(folder / UNET, {"conv.weight": (2, 3, 1, 1), "to_q.weight": (4, 8)}, kind="BF16")
    facts = {one.name: (one.kind, one.shape, one.size) for one in tensors_of(folder, "unet")}
    assert facts == {"conv.weight": ("BF16", (2, 3, 1, 1), 12), "to_q.weight": ("BF16", (4, 8), 64)}


def test_a_name_is_found_where_it_was_pulled_and_never_fetched_unasked(tmp_path: Path) -> None:
    for asked, command in (("sdxl", "pull sdxl"), ("some/thing", "pull some/thing"), ("Qwen/Qwen-Image", "pull Qwen")):
        with pytest.raises(InvalidRequest, match=f"linocut bases {command}"):
            base_at(asked, tmp_path)
    folder = published(tmp_path / "sdxl", SDXL)
    with pytest.raises(InvalidRequest):
        base_at("sdxl", tmp_path)  # half of a pull
    (folder / ".linocut-pull.json").write_text(json.dumps({"revision": "a"}))
    assert base_at("sdxl", tmp_path) == folder == base_at("stabilityai/stable-diffusion-xl-base-1.0", tmp_path)
    assert base_at(str(folder), tmp_path) == folder
    with pytest.raises(InvalidRequest, match="There is no base 'sdlx'"):
        base_at("sdlx", tmp_path)
    assert base_at("./none", tmp_path) == Path("./none"), "the reader of bases says that it is no folder"
