"""A base is known by its content, and its content is read once."""

import os
import shutil
import time
from pathlib import Path

import pytest
from tests.bases.folders import published, weights

from linocut.bases import identity, load_base
from linocut.bases.identity import Memory

SDXL = "StableDiffusionXLPipeline"
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, in a process that has read none."""
    seen: list[str] = []
    real = identity.sha256_file

    def counted(path: Path) -> str:
        seen.append(path.name)
        return real(path)

    monkeypatch.setattr(identity, "sha256_file", counted)
    monkeypatch.setattr(identity, "_read_here", {})
    return seen


def again(
    monkeypatch: pytest.MonkeyPatch, reads: list[str], memory: Path, folder: Path, **how: bool
) -> tuple[str, list[str]]:
    """A start in a fresh process: the identity, and what was read for it."""
    monkeypatch.setattr(identity, "_read_here", {})
    reads.clear()
    found = Memory(memory, **how).content_hash(folder)
    return found, list(reads)


def test_a_second_start_reads_nothing_and_verify_reads_all(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, memory = published(tmp_path / "base", SDXL), tmp_path / "bases.json"
    first, read = again(monkeypatch, reads, memory, folder)
    assert len(read) == len([p for p in folder.rglob("*") if p.is_file()])
    assert again(monkeypatch, reads, memory, folder) == (first, [])
    verified, read_again = again(monkeypatch, reads, memory, folder, all_again=True)
    assert (verified, sorted(read_again)) == (first, sorted(read))
    assert load_base(folder, Memory(memory)).identity == f"sdxl@{first}"


def test_only_a_changed_file_is_read_again(tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, memory = published(tmp_path / "base", SDXL), tmp_path / "bases.json"
    first, _ = again(monkeypatch, reads, memory, folder)
    weights(folder / UNET, {"unet.weight": (4, 4)}, fill=1)
    other, read = again(monkeypatch, reads, memory, folder)
    assert other != first
    assert read == ["diffusion_pytorch_model.safetensors"]


def test_a_change_that_keeps_size_and_time_is_noticed(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, memory = published(tmp_path / "base", SDXL), tmp_path / "bases.json"
    first, _ = again(monkeypatch, reads, memory, folder)
    before = (folder / UNET).stat()
    with (folder / UNET).open("r+b") as stream:  # in place: the inode stays
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x07")
    os.utime(folder / UNET, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = (folder / UNET).stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    assert again(monkeypatch, reads, memory, folder)[0] != first


def test_a_file_put_in_place_of_another_is_noticed(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, memory = published(tmp_path / "base", SDXL), tmp_path / "bases.json"
    first, _ = again(monkeypatch, reads, memory, folder)
    other = published(tmp_path / "other", SDXL)
    weights(other / UNET, {"unet.weight": (4, 4)}, fill=1)
    shutil.copystat(folder / UNET, other / UNET)
    (other / UNET).replace(folder / UNET)
    assert again(monkeypatch, reads, memory, folder)[0] != first


def test_a_damaged_memory_only_costs_time(tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, memory = published(tmp_path / "base", SDXL), tmp_path / "bases.json"
    first, read = again(monkeypatch, reads, memory, folder)
    for damage in ("", "{", "[]", '{"files": {"a": 3}, "folders": 4}', '{"files": []}'):
        memory.write_text(damage)
        assert again(monkeypatch, reads, memory, folder) == (first, read)


def test_a_large_base_costs_nothing_the_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock too: a sparse quarter of a gigabyte."""
    folder, memory = published(tmp_path / "base", SDXL), tmp_path / "bases.json"
    os.truncate(folder / UNET, 1 << 28)
    monkeypatch.setattr(identity, "_read_here", {})
    began = time.process_time()
    first = Memory(memory).content_hash(folder)
    whole = time.process_time() - began
    monkeypatch.setattr(identity, "_read_here", {})
    began = time.process_time()
    assert Memory(memory).content_hash(folder) == first
    second = time.process_time() - began
    assert second < whole / 20, (whole, second)


def test_it_is_told_while_it_reads_and_remembers_what_a_folder_was(tmp_path: Path, reads: list[str]) -> None:
    folder, told = published(tmp_path / "base", SDXL), list[tuple[int, int]]()
    memory = Memory(tmp_path / "bases.json", told=lambda done, total: told.append((done, total)))
    assert memory.last(folder) == ""
    found = memory.content_hash(folder)
    assert Memory(tmp_path / "bases.json").last(folder) == found
    total = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert told[0] == (0, total)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(told) == len(reads)
