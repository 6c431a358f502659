"""Where a run stands: what learns, what is known of it, and their copies on the disk.

``state`` and ``progress`` are as after the last whole update. Whoever changes them does so between two yields, so
that a run that is closed or killed at any yield goes on from a whole step.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import torch

from linocut.engine.door import Closing
from linocut.engine.families.family import Family
from linocut.engine.training.checkpoint import Checkpoint, CheckpointFolder, Progress, Trouble
from linocut.engine.training.ladder import MemoryPlan, cheaper, rung
from linocut.engine.training.sentences import no_room_to_train, not_finite
from linocut.engine.training.state import TrainState, hyper_of
from linocut.engine.training.together import ALONE, Together, spans
from linocut.engine.work import Background, OutOfMemory, Routine, Yielded
from linocut.observe import log
from linocut.orders import Event, TrainOrder

T = TypeVar("T")

SAVE_SECONDS = 60.0
"""After this long a checkpoint is saved between the fixed steps too, for resuming only."""

Losses = Generator[Yielded, Any, float]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a run is to do, with what, and whom it tells. ``clock`` gives seconds, ``on`` is where the adapter is,
    ``together`` the devices that learn it."""

    order: TrainOrder
    key: str
    family: Family
    workspace: Path
    emit: Callable[[Event], None]
    on: torch.device
    clock: Callable[[], float]
    together: Together = ALONE


class Standing:
    """One run's state and progress, in memory and on the disk."""

    def __init__(self, task: Task, progress: Progress) -> None:
        self.order, self._task = task.order, task
        self._checkpoints = CheckpointFolder.of(task.order, task.workspace)
        self.state: TrainState
        self.progress = progress
        self.last_save = task.clock()
        """When a checkpoint was written last, or the steps began."""

    def restore(self) -> Routine:
        """Stand where the newest sound checkpoint of this order was written, or at the start."""

        def load() -> tuple[TrainState, Progress]:
            state = self._fresh_state()
            checkpoint = self._checkpoints.newest()
            if checkpoint is None:
                return state, self.progress
            state.load(checkpoint.tensors, checkpoint.progress.step)
            return state, checkpoint.progress

        self.state, self.progress = yield Background(load, "read checkpoint")

    def note(self, **changes: Any) -> None:
        """What is known of the run changes so."""
        self.progress = msgspec.structs.replace(self.progress, **changes)

    def choose(self) -> None:
        """The weights as they are now become the adapter, unless better ones come."""
        self.note(chosen_step=self.state.step, chosen_attempt=self.progress.attempt)

    def with_room(self, attempt: Callable[[MemoryPlan], Losses]) -> Losses:
        """``attempt`` on the plan so far, and again on a cheaper one as often as it finds no room on the device.

        A cheaper plan is on the disk before it is used, so that a run killed later goes on with it. ``RunFailed``
        when there is none left.
        """
        while True:
            try:
                return (yield from attempt(self.progress.memory))
            except OutOfMemory:
                found = cheaper(self.progress.memory)
            self.state.drop_gradients()
            if found is None:
                raise no_room_to_train(self.state.step)
            log("engine").warning("out of memory, going on more carefully", step=self.state.step, plan=rung(found))
            self.note(step=self.state.step, memory=found)
            yield from self.save()

    def save(self) -> Routine:
        """The state does not change meanwhile: the routine waits for the disk, other orders go on."""
        yield Background(lambda: self._checkpoints.save(self.progress, self.state.tensors()), "write checkpoint")
        self.last_save = self._task.clock()

    @property
    def is_save_due(self) -> bool:
        """Whether the clock asks for a checkpoint between the fixed steps."""
        return self._task.clock() - self.last_save >= SAVE_SECONDS

    def chosen(self) -> Checkpoint | None:
        """The checkpoint that becomes the adapter. Reads the disk: call it off the device loop."""
        return self._checkpoints.chosen(self.progress)

    def leaving_well(self, work: Generator[Yielded, Any, T]) -> Generator[Yielded, Any, T]:
        """``work``; when the engine is closed meanwhile, the run leaves a checkpoint of the step it has reached.

        For work that changes neither ``state`` nor ``progress`` until its last yield is answered.
        """
        try:
            return (yield from work)
        except Closing:
            if self.state.step:
                self._checkpoints.save(self.progress, self.state.tensors())
            raise

    def go_back(self, trouble: Trouble) -> Routine:
        """Return to the last fixed step with half the learning rate, once; ``RunFailed`` the second time.

        Only fixed steps count, because a save that a clock placed would make the weights depend on the clock. That
        the run went back is on the disk before it goes on, so a kill here changes nothing either.
        """
        if self.progress.trouble is not None:
            raise not_finite(self.order, trouble, self.progress.trouble)
        log("engine").warning("loss not finite, going back", step=trouble.step, what=trouble.what, on=trouble.label)
        checkpoint = yield Background(lambda: self._checkpoints.newest(to_go_back=True), "read checkpoint")
        if checkpoint is None:  # the bare base's own score was no number, or the disk lost both
            self.state, back_then = self._fresh_state(), Progress()
        else:
            self.state.load(checkpoint.tensors, checkpoint.progress.step)
            back_then = checkpoint.progress
        self.progress = msgspec.structs.replace(
            back_then,
            attempt=self.progress.attempt + 1,
            learning_rate_scale=self.progress.learning_rate_scale / 2,
            trouble=trouble,
            memory=self.progress.memory,
            devices=spans(back_then.devices, back_then.step, self._task.together.size),
        )
        yield from self.save()

    def is_fixed(self, step: int) -> bool:
        """Whether the checkpoint after ``step`` updates is scored and may be chosen."""
        return step % self.order.checkpoint_every == 0 or step == self.order.steps

    def has_landed(self) -> bool:
        """Whether what was due at the checkpoint's step is done: it was written after all of it."""
        return self.progress.step in self.progress.scores or not self.is_fixed(self.progress.step)

    def _fresh_state(self) -> TrainState:
        return TrainState(self._task.family.lora_targets(), hyper_of(self.order), self._task.on)
