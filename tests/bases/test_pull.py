"""A base is fetched whole or not at all: against a hub of our own that breaks off, lies and refuses."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bases.folders import published, weights, write
from tests.bases.hub_server import COMMIT, Hub, of_folder, running

from linocut.bases import check_parts, load_base
from linocut.bases import pull as pulling
from linocut.bases.identity import Memory
from linocut.bases.places import PULLED_NOTE
from linocut.bases.pull import Pulled, pull
from linocut.errors import Busy, Conflict, InvalidRequest

REPOSITORY = "stabilityai/stable-diffusion-xl-base-1.0"
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with SDXL: with pickles, other formats and single files beside what a base is made of."""
    folder = published(tmp_path / "authors", "StableDiffusionXLPipeline", unet={"sample_size": 128})
    weights(folder / UNET, {"to_q.weight": (64, 64), "conv.weight": (16, 16, 3, 3)}, fill=7)
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04pickles")
    (folder / "unet" / "model.onnx").write_bytes(b"onnx")
    weights(folder / "sd_xl_base_1.0.safetensors", {"everything": (64, 64)})
    (folder / "README.md").write_text("# SDXL")
    (folder / "LICENSE.md").write_text("terms")
    (folder / "picture.png").write_bytes(b"png")
    monkeypatch.setattr("linocut.bases.hub.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no-token"))
    with running(Hub({REPOSITORY: of_folder(folder)})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def fetched(tmp_path: Path, asked: str = "sdxl", **how: object) -> Pulled:
    """Pull, watching that what is told never goes back by more than has to come again, and ends at the whole."""
    told: list[tuple[int, int]] = []
    done = pull(asked, tmp_path / "bases", lambda name, here, total: told.append((here, total)), **how)  # type: ignore[arg-type]
    if done.bytes_fetched:
        assert told[-1][0] == told[-1][1] == done.bytes_in_all
    return done


def test_a_pulled_base_has_safetensors_and_configs_of_one_commit_and_is_a_base(tmp_path: Path, hub: Hub) -> None:
    memory = Memory(tmp_path / "bases.json")
    done = fetched(tmp_path, memory=memory)
    folder = Path(done.folder)
    assert (folder, done.repository, done.revision) == (tmp_path / "bases" / "sdxl", REPOSITORY, COMMIT)
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert {UNET, "tokenizer_2/tokenizer_config.json", "LICENSE.md", "README.md", PULLED_NOTE} <= names
    assert not [name for name in names if name.endswith((".bin", ".onnx", ".png", ".part"))]
    assert "sd_xl_base_1.0.safetensors" not in names
    assert (folder / UNET).read_bytes() == hub.repositories[REPOSITORY][UNET]
    check_parts(folder)
    assert load_base(folder, memory).known_as == "sdxl"


def test_a_second_pull_asks_nobody(tmp_path: Path, hub: Hub) -> None:
    first = fetched(tmp_path)
    hub.asked.clear()
    hub.down = 500
    again = fetched(tmp_path)
    assert (again.bytes_fetched, again.bytes_in_all, hub.asked) == (0, first.bytes_in_all, [])


def test_broken_off_it_goes_on_where_it_was(tmp_path: Path, hub: Hub) -> None:
    whole = len(hub.repositories[REPOSITORY][UNET])
    hub.cut[UNET] = [5000] + [0] * 12
    with pytest.raises(Busy, match="ask again to go on"):
        fetched(tmp_path)
    folder = tmp_path / "bases" / "sdxl"
    assert not (folder / PULLED_NOTE).exists()
    assert not (folder / UNET).exists(), "nothing half done is visible"
    [partial] = folder.rglob("*.part")
    assert partial.stat().st_size == 5000
    hub.cut.clear()
    hub.asked.clear()
    hub.sent = 0
    done = fetched(tmp_path)
    assert (UNET, "bytes=5000-") in hub.asked
    assert hub.sent < done.bytes_in_all - 5000 + 1
    assert (folder / UNET).stat().st_size == whole
    assert not list(folder.rglob("*.part"))


def test_a_short_break_is_mended_without_a_word(tmp_path: Path, hub: Hub) -> None:
    hub.cut[UNET] = [3000, 100]
    fetched(tmp_path)
    assert [range_ for path, range_ in hub.asked if path == UNET] == ["", "bytes=3000-", "bytes=3100-"]


def test_what_was_garbled_on_the_way_is_fetched_again(tmp_path: Path, hub: Hub) -> None:
    hub.garbled[UNET] = 1
    hub.garbled["vae/config.json"] = 1
    done = fetched(tmp_path)
    assert (Path(done.folder) / UNET).read_bytes() == hub.repositories[REPOSITORY][UNET]
    assert json.loads((Path(done.folder) / "vae/config.json").read_text()) == {}


@pytest.mark.parametrize("path", [UNET, "vae/config.json"])
def test_what_stays_garbled_is_refused_and_not_kept(tmp_path: Path, hub: Hub, path: str) -> None:
    hub.garbled[path] = 2
    with pytest.raises(InvalidRequest, match=f"{path} of {REPOSITORY} arrives damaged"):
        fetched(tmp_path)
    folder = tmp_path / "bases" / "sdxl"
    assert not (folder / path).exists()
    assert not list(folder.rglob("*.part"))
    fetched(tmp_path)


def test_a_beginning_that_was_damaged_on_the_disk_is_noticed(tmp_path: Path, hub: Hub) -> None:
    hub.cut[UNET] = [5000] + [0] * 12
    with pytest.raises(Busy):
        fetched(tmp_path)
    hub.cut.clear()
    [partial] = (tmp_path / "bases").rglob("*.part")
    partial.write_bytes(b"\x00" * 5000)
    done = fetched(tmp_path)
    assert (Path(done.folder) / UNET).read_bytes() == hub.repositories[REPOSITORY][UNET]


def test_it_stays_on_the_commit_that_it_began_with(tmp_path: Path, hub: Hub) -> None:
    hub.cut[UNET] = [5000] + [0] * 12
    with pytest.raises(Busy):
        fetched(tmp_path)
    hub.cut.clear()
    hub.commits[REPOSITORY] = "f" * 40  # somebody pushes; the old commit is gone from this small hub
    with pytest.raises(InvalidRequest, match=f"no revision {COMMIT}"):
        fetched(tmp_path)
    assert fetched(tmp_path, revision="f" * 40).revision == "f" * 40


def test_a_repository_that_is_in_no_catalogue(tmp_path: Path, hub: Hub) -> None:
    hub.repositories["somebody/house-style"] = hub.repositories[REPOSITORY]
    done = fetched(tmp_path, "somebody/house-style")
    assert Path(done.folder).name == "somebody--house-style"


def test_half_precision_is_preferred_where_both_are_there(tmp_path: Path, hub: Hub) -> None:
    files = hub.repositories[REPOSITORY]
    files["unet/diffusion_pytorch_model.fp16.safetensors"] = files[UNET]
    folder = Path(fetched(tmp_path).folder)
    assert not (folder / UNET).exists()
    assert (folder / "unet/diffusion_pytorch_model.fp16.safetensors").exists()
    check_parts(folder)


def test_shards_come_with_their_index(tmp_path: Path, hub: Hub) -> None:
    files = hub.repositories[REPOSITORY]
    data = files.pop(UNET)
    for n in (1, 2):
        files[f"unet/diffusion_pytorch_model-0000{n}-of-00002.safetensors"] = data
    index = {"weight_map": {f"w{n}": f"diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)}}
    files["unet/diffusion_pytorch_model.safetensors.index.json"] = json.dumps(index).encode()
    check_parts(Path(fetched(tmp_path).folder))


REFUSALS = {
    "nobody/nothing": "There is no repository nobody/nothing",
    "sdlx": "There is no base 'sdlx'",
    "mini": "shipped in the package",
    "a/b/c": "There is no base 'a/b/c'",
}


@pytest.mark.parametrize("asked", REFUSALS)
def test_what_there_is_not(tmp_path: Path, hub: Hub, asked: str) -> None:
    with pytest.raises(InvalidRequest, match=REFUSALS[asked]):
        fetched(tmp_path, asked)


def test_not_found_with_a_token_too(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(InvalidRequest, match="There is no repository nobody/nothing"):
        fetched(tmp_path, "nobody/nothing")


def test_a_gated_one_says_where_to_accept_and_takes_the_usual_token(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.gated.add(REPOSITORY)
    hub.token = "hf_right_and_secret"
    for token in ("", "hf_wrong_and_secret"):
        monkeypatch.setenv("HF_TOKEN", token)
        with pytest.raises(InvalidRequest) as told:
            fetched(tmp_path)
        assert f"accept it at {hub.url}/{REPOSITORY}" in told.value.message
        assert "HF_TOKEN" in told.value.message
        assert "secret" not in told.value.message
    monkeypatch.setenv("HF_TOKEN", hub.token)
    done = fetched(tmp_path)
    kept = [p.read_text() for p in Path(done.folder).rglob("*.json")]
    assert not [text for text in kept if "secret" in text]
    said = capfd.readouterr()
    assert "secret" not in said.out + said.err


def test_a_hub_that_is_away_and_one_that_is_unwell(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.down = 503
    with pytest.raises(Busy, match="answers 503"):
        fetched(tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Busy, match=r"cannot be reached.* offline"):
        fetched(tmp_path)


def test_pickles_only_and_no_pipeline_and_a_wrong_revision(tmp_path: Path, hub: Hub) -> None:
    files = dict(hub.repositories[REPOSITORY])
    del files[UNET]
    hub.repositories["old/pickles"] = files
    with pytest.raises(InvalidRequest, match="weights of unet as pickles only"):
        fetched(tmp_path, "old/pickles")
    hub.repositories["some/single"] = {"model.safetensors": b"x"}
    with pytest.raises(InvalidRequest, match=r"no model_index\.json"):
        fetched(tmp_path, "some/single")
    with pytest.raises(InvalidRequest, match="no revision v9"):
        fetched(tmp_path, revision="v9")


def test_a_file_outside_of_the_repository_is_no_file_of_it(tmp_path: Path, hub: Hub) -> None:
    for path in ("../evil.json", "unet/../../evil.json", "/etc/evil.json"):
        hub.repositories["bad/paths"] = {**hub.repositories[REPOSITORY], path: b"{}"}
        with pytest.raises(InvalidRequest, match="outside of itself"):
            fetched(tmp_path, "bad/paths")
    assert not list(tmp_path.rglob("evil.json"))


def test_no_room_is_said_before_anything_large_comes(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    free = pulling.ROOM + 1000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: os.terminal_size((0, 0)) and _Usage(free))
    with pytest.raises(InvalidRequest, match="There is no room for it"):
        fetched(tmp_path)
    assert not [path for path, _ in hub.asked if path.endswith(".safetensors")]
    free = pulling.ROOM + sum(map(len, hub.repositories[REPOSITORY].values()))
    fetched(tmp_path)


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_one_pull_at_a_time(tmp_path: Path, hub: Hub) -> None:
    folder = tmp_path / "bases" / "sdxl"
    with pulling._alone(folder, "sdxl"), pytest.raises(Conflict, match="Another"):
        fetched(tmp_path)
    fetched(tmp_path)


def test_what_was_pulled_need_not_be_read_to_be_known(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from linocut.bases import identity

    done = fetched(tmp_path, memory=Memory(tmp_path / "bases.json"))
    read: list[str] = []
    real = identity.sha256_file
    monkeypatch.setattr(identity, "_read_here", {})
    monkeypatch.setattr(identity, "sha256_file", lambda path: (read.append(path.name), real(path))[1])
    load_base(Path(done.folder), Memory(tmp_path / "bases.json"))
    assert not [name for name in read if name.endswith(".safetensors")]
    assert read


def test_offline_by_decree(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises((InvalidRequest, Busy)) as told:
        fetched(tmp_path)
    assert "HF_HUB_OFFLINE" in told.value.message
    write(tmp_path / "x.json", {})
