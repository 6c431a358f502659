"""A run on the disk: everything that goes on after a kill is in one sealed file, written beside its place and renamed.

Files are named ``<order>-<attempt>-<step>``: the attempt rises when a run goes back after a loss that was no number,
so the newest file is the last in name order whatever the clock says. Kept are the newest two, so that a damaged one
has another before it; the newest two of the steps that may be gone back to; and the ones that any of these has chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import torch
from torch import Tensor

from linocut.engine.training.ladder import MemoryPlan
from linocut.engine.training.likeness import Likeness
from linocut.engine.training.sealed import Damaged, seal, unseal
from linocut.files import fsync_folder, sha256_hex, write_durably
from linocut.lora_files.stored import MAX_HEADER_BYTES, read_header
from linocut.observe import log
from linocut.orders import TrainOrder, order_to_json

FORMAT = "1"
"""Raise it when an older checkpoint would not go on to the same weights."""

_KEPT = 2


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A loss or gradient that was no finite number: in the step after ``step`` updates, on the picture ``label``."""

    what: Literal["loss", "gradient", "held-out loss"]
    step: int
    position: int
    label: str


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is, beside its tensors. ``scores`` by step; ``chosen_step`` 0: none chosen yet.

    ``attempt`` 1 and ``learning_rate_scale`` 0.5 after going back once, for the reason in ``trouble``. ``seconds`` is
    the time spent on steps so far, in all processes; nothing but the estimate of the rest depends on it. ``memory``:
    the plan of the steps from here on. ``likeness`` by step, of those whose previews were compared.
    ``devices``: how many learn, by the number of updates done when that began; none: one, from the start.
    """

    step: int = 0
    attempt: int = 0
    learning_rate_scale: float = 1.0
    trouble: Trouble | None = None
    scores: dict[int, float] = msgspec.field(default_factory=dict)
    chosen_step: int = 0
    chosen_attempt: int = 0
    seconds: float = 0.0
    memory: MemoryPlan = MemoryPlan()
    likeness: dict[int, Likeness] = msgspec.field(default_factory=dict)
    devices: dict[int, int] = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """One file, read and checked."""

    progress: Progress
    tensors: dict[str, Tensor]


def order_sha256(order: TrainOrder) -> str:
    """What a checkpoint belongs to: the order without the names of its run and of who pays, and the file format."""
    plain = msgspec.structs.replace(order, run_id="", organization_id="")
    return sha256_hex(f"{FORMAT}\n{order_to_json(plain)}".encode())


@dataclass(frozen=True)
class CheckpointFolder:
    """The checkpoints of one order. All methods read or write the disk: call them off the device loop."""

    folder: Path
    order_sha256: str
    may_go_back_every: int
    facts: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(order: TrainOrder, workspace: Path) -> "CheckpointFolder":
        """The checkpoints of ``order`` in its workspace."""
        surroundings = {"torch": str(torch.__version__), "threads": str(torch.get_num_threads())}
        folder = workspace / "checkpoints"
        return CheckpointFolder(folder, order_sha256(order), order.checkpoint_every, surroundings)

    def save(self, progress: Progress, tensors: Mapping[str, Tensor]) -> None:
        """Write a checkpoint durably, then remove those that nothing needs any more."""
        facts = {**self.facts, "order": self.order_sha256, "progress": msgspec.json.encode(progress).decode()}
        write_durably(self._path(progress.attempt, progress.step), seal(tensors, facts))
        self._tidy()

    def newest(self, *, to_go_back: bool = False) -> Checkpoint | None:
        """The newest sound checkpoint of this order; with ``to_go_back`` only of the fixed steps that were scored: no
        clock decides their place. Newer ones that are damaged are removed: the run goes on from before them and writes
        them again."""
        for attempt, step in sorted(self._present(), reverse=True):
            if to_go_back and not self._may_go_back(step):
                continue
            checkpoint = self.read(attempt, step)
            if checkpoint is not None:
                if to_go_back and step not in checkpoint.progress.scores:
                    continue  # left by a run that was stopped before it could know whether its score is a number
                return checkpoint
            log("engine").warning("checkpoint damaged, trying the one before", step=step, attempt=attempt)
            self._path(attempt, step).unlink(missing_ok=True)
        return None

    def read(self, attempt: int, step: int) -> Checkpoint | None:
        """The checkpoint of ``step``; None when there is none, or none that is sound."""
        try:
            tensors, facts = unseal(self._path(attempt, step).read_bytes())
            progress = msgspec.json.decode(facts["progress"], type=Progress)
        except (FileNotFoundError, Damaged, KeyError, msgspec.MsgspecError):
            return None
        if facts.get("order") != self.order_sha256 or (progress.attempt, progress.step) != (attempt, step):
            return None
        return Checkpoint(progress, tensors)

    def chosen(self, progress: Progress) -> Checkpoint | None:
        """The checkpoint that was chosen; should the disk have damaged it, the sound one with the best score."""
        first = self.read(progress.chosen_attempt, progress.chosen_step) if progress.chosen_step else None
        others = sorted(
            (progress.scores[step], attempt, step)
            for attempt, step in self._present()
            if step and step in progress.scores and attempt <= progress.attempt
        )
        return first or next((found for _, a, s in others if (found := self.read(a, s)) is not None), None)

    def _may_go_back(self, step: int) -> bool:
        return step % self.may_go_back_every == 0

    def _path(self, attempt: int, step: int) -> Path:
        return self.folder / f"{self.order_sha256[:16]}-{attempt}-{step:08d}.safetensors"

    def _present(self) -> set[tuple[int, int]]:
        """(attempt, step) of every file of this order that is there by name."""
        found = set()
        for path in self.folder.glob(f"{self.order_sha256[:16]}-*.safetensors"):
            _, attempt, step = path.stem.split("-")
            found.add((int(attempt), int(step)))
        return found

    def _chosen_by(self, attempt: int, step: int) -> tuple[int, int] | None:
        """The choice that a checkpoint records, read from its header alone."""
        try:
            with self._path(attempt, step).open("rb") as stream:
                length = stream.read(8)
                header = read_header(length + stream.read(min(int.from_bytes(length, "little"), MAX_HEADER_BYTES)))
            progress = msgspec.json.decode(header["__metadata__"]["progress"], type=Progress)
        except (OSError, ValueError, KeyError, TypeError, msgspec.MsgspecError):
            return None  # a damaged one: it is noticed, and said, when it is needed
        return (progress.chosen_attempt, progress.chosen_step) if progress.chosen_step else None

    def _tidy(self) -> None:
        """Remove checkpoints past their use, another order's, and what killed writers left."""
        present = sorted(self._present(), reverse=True)
        fixed = [name for name in present if self._may_go_back(name[1])]
        kept = {*present[:_KEPT], *fixed[:_KEPT]}
        kept |= {chosen for name in kept if (chosen := self._chosen_by(*name)) is not None}
        paths = {self._path(*name) for name in kept}
        for path in [*self.folder.glob("*.safetensors"), *self.folder.glob(".*.partial")]:
            if path not in paths:
                path.unlink(missing_ok=True)
        fsync_folder(self.folder)
