"""A run on the disk: damaged, foreign and half-written files, and which ones are kept."""

import random
from pathlib import Path

import msgspec
import pytest
import torch
from tests.engine.training_support import dataset, train_order
from torch import Tensor

from linocut.engine.noise import normals
from linocut.engine.training.checkpoint import CheckpointFolder, Progress, Trouble, order_sha256
from linocut.engine.training.sealed import Damaged, seal, unseal

_, SAMPLES = dataset()
ORDER = train_order(SAMPLES)


def folder(tmp_path: Path) -> CheckpointFolder:
    return CheckpointFolder.of(ORDER, tmp_path)


def tensors(step: int) -> dict[str, Tensor]:
    return {"weights": normals((40,), "weights", step), "ema": normals((40,), "ema", step)}


def saved(tmp_path: Path, *steps: int, chosen: dict[int, int] | None = None, attempt: int = 0) -> CheckpointFolder:
    """Checkpoints written one after another; ``chosen`` by the step at which it was."""
    checkpoints = folder(tmp_path)
    for step in steps:
        choice = (chosen or {}).get(step, 0)
        progress = Progress(step=step, attempt=attempt, scores={0: 2.0, step: 1.0}, chosen_step=choice)
        checkpoints.save(progress, tensors(step))
    return checkpoints


def files(checkpoints: CheckpointFolder) -> list[Path]:
    return sorted(checkpoints.folder.glob("*.safetensors"))


def steps_on_disk(checkpoints: CheckpointFolder) -> list[int]:
    return [int(path.stem.split("-")[2]) for path in files(checkpoints)]


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    progress = Progress(
        step=7,
        attempt=1,
        learning_rate_scale=0.5,
        trouble=Trouble(what="loss", step=9, position=2, label="picture 2 of 7 (sha256 0a)"),
        scores={0: 3.25, 5: 0.1 + 0.2},
        chosen_step=5,
        chosen_attempt=0,
        seconds=1.5,
    )
    folder(tmp_path).save(progress, tensors(7))
    newest = folder(tmp_path).newest()
    assert newest is not None
    assert newest.progress == progress
    assert all(torch.equal(newest.tensors[name], tensor) for name, tensor in tensors(7).items())


def test_an_empty_folder_has_no_checkpoint(tmp_path: Path) -> None:
    assert folder(tmp_path).newest() is None
    assert folder(tmp_path).chosen(Progress(chosen_step=5)) is None


@pytest.mark.parametrize("seed", range(12))
def test_any_damage_is_noticed_and_the_one_before_is_taken(tmp_path: Path, seed: int) -> None:
    """A flipped bit anywhere, a cut anywhere, bytes lost or added, an empty file."""
    checkpoints = saved(tmp_path, 5, 10)
    newest = files(checkpoints)[-1]
    whole = newest.read_bytes()
    dice = random.Random(seed)
    at = dice.randrange(len(whole))
    damaged = [
        whole[:at] + bytes([whole[at] ^ (1 << dice.randrange(8))]) + whole[at + 1 :],
        whole[:at],
        whole[:at] + whole[at + 1 :],
        whole + b"\0",
    ][seed % 4]
    with pytest.raises(Damaged):
        unseal(damaged)
    newest.write_bytes(damaged)
    found = checkpoints.newest()
    assert found is not None
    assert found.progress.step == 5
    assert steps_on_disk(checkpoints) == [5]


def test_a_header_that_lies_about_its_length_is_damage(tmp_path: Path) -> None:
    for length in (2**63, 2**64 - 1, 10**9):
        with pytest.raises(Damaged):
            unseal(length.to_bytes(8, "little") + b"{}")


def test_facts_are_under_the_checksum_too() -> None:
    sealed = seal(tensors(1), {"progress": "step 1"})
    with pytest.raises(Damaged):
        unseal(sealed.replace(b"step 1", b"step 9"))


def test_both_damaged_means_a_fresh_start(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, 5, 10)
    for path in files(checkpoints):
        path.write_bytes(path.read_bytes()[:-1])
    assert checkpoints.newest() is None


def test_another_orders_checkpoint_is_never_taken(tmp_path: Path) -> None:
    saved(tmp_path, 5)
    other = CheckpointFolder.of(msgspec.structs.replace(ORDER, seed=12), tmp_path)
    assert other.newest() is None
    # Not even when it lies there under this order's name.
    (theirs,) = files(other)
    theirs.rename(theirs.with_name(theirs.name.replace(order_sha256(ORDER)[:16], other.order_sha256[:16])))
    assert other.newest() is None


def test_a_file_under_another_steps_name_is_never_taken(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, 5, 10)
    first, last = files(checkpoints)
    last.write_bytes(first.read_bytes())
    found = checkpoints.newest()
    assert found is not None
    assert found.progress.step == 5
    assert not last.exists()


def test_the_names_of_run_and_payer_do_not_make_another_order() -> None:
    renamed = msgspec.structs.replace(ORDER, run_id="other", organization_id="other")
    assert order_sha256(renamed) == order_sha256(ORDER)
    for change in ({"seed": 1}, {"learning_rate": 0.5}, {"samples": SAMPLES[:-1]}, {"base": "b@1"}, {"steps": 13}):
        assert order_sha256(msgspec.structs.replace(ORDER, **change)) != order_sha256(ORDER)


def test_the_newest_two_and_the_newest_two_fixed_are_kept(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, 0, 5, 10, 15, 16, 17, 18)
    assert steps_on_disk(checkpoints) == [10, 15, 17, 18]


def test_the_chosen_one_is_kept_however_old(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, 0, 5, 10, 15, 20, chosen={5: 5, 10: 5, 15: 5, 20: 5})
    assert steps_on_disk(checkpoints) == [5, 15, 20]
    chosen = checkpoints.chosen(Progress(chosen_step=5, scores={5: 1.0, 20: 1.5}))
    assert chosen is not None
    assert torch.equal(chosen.tensors["ema"], tensors(5)["ema"])


def test_what_an_older_kept_checkpoint_chose_is_kept_too(tmp_path: Path) -> None:
    """Should 20 be damaged, 15 goes on, and its choice must still be there."""
    checkpoints = saved(tmp_path, 0, 5, 10, 15, 20, chosen={5: 5, 10: 5, 15: 5, 20: 20})
    assert steps_on_disk(checkpoints) == [5, 15, 20]


def test_a_damaged_choice_gives_way_to_the_next_best(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, 5, 10, 15)
    progress = Progress(step=15, chosen_step=5, scores={0: 0.1, 5: 1.0, 10: 3.0, 15: 2.0})
    saved(tmp_path, 5)
    path = files(checkpoints)[0]
    path.write_bytes(path.read_bytes()[:-1])
    chosen = checkpoints.chosen(progress)
    assert chosen is not None
    assert chosen.progress.step == 15


def test_only_a_fixed_step_is_gone_back_to(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, 5, 10, 11, 12)
    found = checkpoints.newest(to_go_back=True)
    assert found is not None
    assert found.progress.step == 10


def test_a_later_attempt_is_newer_at_whatever_step(tmp_path: Path) -> None:
    saved(tmp_path, 5, 10, 14)
    found = saved(tmp_path, 10, attempt=1).newest()
    assert found is not None
    assert (found.progress.attempt, found.progress.step) == (1, 10)


def test_leftovers_are_tidied(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, 5)
    partial = checkpoints.folder / ".x.safetensors.0123.partial"
    partial.write_bytes(b"half")
    foreign = checkpoints.folder / "0123456789abcdef-0-00000005.safetensors"
    foreign.write_bytes(b"another order's")
    saved(tmp_path, 10)
    assert not partial.exists()
    assert not foreign.exists()
    assert steps_on_disk(checkpoints) == [5, 10]


def test_a_damaged_file_beside_it_does_not_stop_a_save(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, 5)
    files(checkpoints)[0].write_bytes((2**62).to_bytes(8, "little"))
    saved(tmp_path, 10)
    found = checkpoints.newest()
    assert found is not None
    assert found.progress.step == 10


def test_tensors_lie_where_the_allocator_puts_them() -> None:
    """A matmul may round otherwise on memory that is aligned otherwise; a resumed run must not notice."""
    loaded, _ = unseal(seal({"a": torch.zeros(3), "b": torch.ones(5), "c": torch.ones(7)}, {"odd": "x"}))
    assert all(tensor.data_ptr() % 64 == 0 for tensor in loaded.values())


def test_a_step_that_was_not_scored_is_not_gone_back_to(tmp_path: Path) -> None:
    """A run that is closed in the middle of scoring leaves one: nobody knows yet whether its score is a number."""
    checkpoints = saved(tmp_path, 5)
    checkpoints.save(Progress(step=10, scores={0: 2.0, 5: 1.0}), tensors(10))
    newest, back = checkpoints.newest(), checkpoints.newest(to_go_back=True)
    assert newest is not None
    assert back is not None
    assert (newest.progress.step, back.progress.step) == (10, 5)
