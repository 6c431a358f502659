"""A training run as a routine: prepare, train, keep, choose, prove. Read it from ``_Run.whole`` downwards.

Whatever a step does is a function of the order and the step's number (``plan``, ``noise``), so a run that is killed
and goes on from its last checkpoint ends with the same bytes. Everything that the outside hears of a step is said
before the step's checkpoint is written: after a kill it is said again rather than never.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import msgspec
import torch

from linocut.engine.door import Closing
from linocut.engine.families.family import Family
from linocut.engine.refusals import cancelled
from linocut.engine.training.checkpoint import CheckpointFolder, Progress, Trouble
from linocut.engine.training.examples import Fetch, Sample, prepare
from linocut.engine.training.export import export
from linocut.engine.training.holding import held
from linocut.engine.training.ladder import LADDER, MemoryPlan, cheaper, rung
from linocut.engine.training.likeness import Comparison, Likeness
from linocut.engine.training.plan import learning_rate, scored_samples, trained_samples
from linocut.engine.training.previews import draw_previews
from linocut.engine.training.sentences import check_order, disk_failed, no_room_to_train, not_finite
from linocut.engine.training.state import Hyper, TrainState
from linocut.engine.training.steps import NotFinite, score, train_step
from linocut.engine.work import Background, OutOfMemory, Routine, StopRequested, Yielded
from linocut.errors import LinocutError
from linocut.observe import log
from linocut.orders import (
    CheckpointCompared,
    CheckpointScored,
    Event,
    Failed,
    PhaseChanged,
    PreviewDrawn,
    TrainFinished,
    TrainOrder,
    TrainProgress,
)

T = TypeVar("T")

SAVE_SECONDS = 60.0
"""After this long a checkpoint is saved between the fixed steps too, for resuming only."""

ETA_AFTER_STEPS = 10

Losses = Generator[Yielded, Any, float]


def train(
    order: TrainOrder,
    key: str,
    family: Family,
    fetch: Fetch,
    workspace: Path,
    emit: Callable[[Event], None],
    *,
    on: torch.device | None = None,
    careful: bool = False,
    clock: Callable[[], float] = monotonic,
    comparison: Comparison | None = None,
) -> Routine:
    """Train ``order``'s adapter; the same order with the same ``workspace`` goes on from its newest checkpoint.

    ``family`` answers questions about names and shapes only; all its tensor work is yielded as units. ``fetch`` is
    called from the helper thread. ``on`` is the device of the adapter's weights (None: the CPU), ``clock`` gives
    seconds, ``careful`` begins with the plan that needs least memory, ``comparison``
    says what previews are like (None: nobody does). Ends with exactly one ``TrainFinished`` or
    ``Failed`` event; an error that is no ``LinocutError`` and none of the disk's is raised.
    ``StopRequested`` may be thrown in at any yield: see ``_Run.whole``.
    """
    run = _Run(order, key, family, fetch, workspace, emit, on or torch.device("cpu"), clock, comparison)
    if careful:
        run.progress = Progress(memory=LADDER[-1])
    try:
        yield from run.whole()
    except StopRequested:
        emit(Failed(key=key, error=cancelled()))
    except NotFinite as trouble:
        emit(Failed(key=key, error=not_finite(trouble.trouble, None)))
    except LinocutError as error:
        emit(Failed(key=key, error=error))
    except OSError as disk:
        log("engine").error("a run's disk failed", exc_info=disk)
        emit(Failed(key=key, error=disk_failed(disk)))


class _Run:
    """One run. ``state`` is what learns, ``progress`` what is known of it; both are as after the last whole update."""

    def __init__(
        self,
        order: TrainOrder,
        key: str,
        family: Family,
        fetch: Fetch,
        workspace: Path,
        emit: Callable[[Event], None],
        on: torch.device,
        clock: Callable[[], float],
        comparison: Comparison | None,
    ) -> None:
        self.order, self.key, self.family, self.fetch, self.workspace = order, key, family, fetch, workspace
        self.emit, self.on, self.clock, self.comparison = emit, on, clock, comparison
        self.checkpoints = CheckpointFolder.of(order, workspace)
        self.state: TrainState
        self.progress = Progress()
        self.scored: list[Sample] = []
        self.last_tick = self.last_save = clock()

    def whole(self) -> Routine:
        """The run from the pictures to the proved adapter.

        A stop before the first update leaves as ``StopRequested``; a later one ends the loop, and the best checkpoint
        so far becomes the adapter. Nothing stops the finish.
        """
        order = self.order
        check_order(order)
        self.emit(PhaseChanged(key=self.key, phase="PREPARING_DATA"))
        self.state, stopped = yield from held(self._restore())
        preparing = prepare(order, self.family, self.fetch, self.workspace / "features")
        if self.state.step == 0:
            if stopped:
                raise StopRequested
            samples = yield from preparing
        else:
            samples, again = yield from held(preparing)
            stopped = stopped or again
        training = [samples[i] for i in trained_samples(order)]
        self.scored = [samples[i] for i in scored_samples(order)]

        self.emit(PhaseChanged(key=self.key, phase="TRAINING"))
        self.last_tick = self.last_save = self.clock()
        landed = self._has_landed()
        try:
            while not stopped:
                try:
                    if not landed:
                        yield from self._land()
                    if self.state.step == order.steps:
                        break
                    landed = False
                    rate = learning_rate(order, self.state.step, self.progress.learning_rate_scale)
                    step = self._with_room(partial(train_step, order, self.state, training, rate))
                    loss = yield from self._leaving_well(step)
                    self._tell(loss)
                except NotFinite as found:
                    yield from self._go_back(found.trouble)
                    landed = self._has_landed()
        except StopRequested:
            stopped = True
        if self.state.step == 0:
            raise StopRequested

        self.emit(PhaseChanged(key=self.key, phase="FINALIZING"))
        yield from held(self._finish(stopped))

    def _restore(self) -> Generator[Yielded, Any, TrainState]:
        """The state of the newest sound checkpoint of this order, or a fresh one."""

        def load() -> tuple[TrainState, Progress]:
            state = self._fresh_state()
            checkpoint = self.checkpoints.newest()
            if checkpoint is None:
                return state, self.progress
            state.load(checkpoint.tensors, checkpoint.progress.step)
            return state, checkpoint.progress

        restored: tuple[TrainState, Progress] = yield Background(load, "read checkpoint")
        state, self.progress = restored
        return state

    def _land(self) -> Routine:
        """What is due after ``state.step`` updates: a score, previews, a checkpoint, in this order."""
        order, step = self.order, self.state.step
        if self._is_fixed(step):
            yield from self._leaving_well(self._score())
        if step and (step == order.steps or step % order.preview_every == 0):
            pictures = yield from draw_previews(order, self.family, self.state.ema_adapter())
            for index, png in pictures.items():
                self.emit(PreviewDrawn(key=self.key, step=step, index=index, png=png))
            if self.comparison is not None and pictures:
                yield from self._leaving_well(self._compare(self.comparison, list(pictures.values())))
        if self._is_fixed(step) or self.clock() - self.last_save >= SAVE_SECONDS:
            yield from self._save()

    def _score(self) -> Routine:
        """Score the averaged weights (at step 0 the bare base) and choose them if they are the best so far."""
        step = self.state.step
        adapter = self.state.ema_adapter() if step else None
        value = yield from self._with_room(partial(score, self.order, adapter, self.scored, step))
        progress = self.progress
        self.emit(CheckpointScored(key=self.key, step=step, score=value))
        better = step > 0 and (not progress.chosen_step or value < progress.scores[progress.chosen_step])
        self.progress = msgspec.structs.replace(progress, step=step, scores={**progress.scores, step: value})
        if better and (self.order.choose_by == "loss" or not progress.likeness):
            self._choose()

    def _compare(self, comparison: Comparison, pngs: list[bytes]) -> Routine:
        """Say what the previews are like, and choose the weights by it where that is asked for. A comparison is a
        help: one that cannot be made is left out and logged."""
        step, progress = self.state.step, self.progress
        found: Likeness | None = yield Background(lambda: comparison.of(pngs), "compare previews")
        if found is None:
            return
        self.emit(CheckpointCompared(key=self.key, step=step, style=found.style, copy=found.copy))
        best = progress.likeness.get(progress.chosen_step)
        self.progress = msgspec.structs.replace(progress, likeness={**progress.likeness, step: found})
        if self.order.choose_by == "style" and self._is_fixed(step) and (best is None or found.rank < best.rank):
            self._choose()

    def _choose(self) -> None:
        """The weights as they are now become the adapter, unless better ones come."""
        progress = self.progress
        self.progress = msgspec.structs.replace(progress, chosen_step=self.state.step, chosen_attempt=progress.attempt)

    def _with_room(self, attempt: Callable[[MemoryPlan], Losses]) -> Losses:
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
            self.progress = msgspec.structs.replace(self.progress, step=self.state.step, memory=found)
            yield from self._save()

    def _save(self) -> Routine:
        """The state does not change meanwhile: the routine waits for the disk, other orders go on."""
        yield Background(lambda: self.checkpoints.save(self.progress, self.state.tensors()), "write checkpoint")
        self.last_save = self.clock()

    def _leaving_well(self, work: Generator[Yielded, Any, T]) -> Generator[Yielded, Any, T]:
        """``work``; when the engine is closed meanwhile, the run leaves a checkpoint of the step it has reached.

        For work that changes neither ``state`` nor ``progress`` until its last yield is answered.
        """
        try:
            return (yield from work)
        except Closing:
            if self.state.step:
                self.checkpoints.save(self.progress, self.state.tensors())
            raise

    def _tell(self, loss: float) -> None:
        """Say that a step is done and how long the rest will take at the pace so far."""
        now, total, step = self.clock(), self.order.steps, self.state.step
        seconds = self.progress.seconds + now - self.last_tick
        self.last_tick = now
        self.progress = msgspec.structs.replace(self.progress, step=step, seconds=seconds)
        eta = ceil(seconds / step * (total - step)) if step > ETA_AFTER_STEPS else None
        self.emit(TrainProgress(key=self.key, step=step, total_steps=total, loss=loss, eta_seconds=eta))

    def _go_back(self, trouble: Trouble) -> Routine:
        """Return to the last fixed step with half the learning rate, once; ``RunFailed`` the second time.

        Only fixed steps count, because a save that a clock placed would make the weights depend on the clock. That
        the run went back is on the disk before it goes on, so a kill here changes nothing either.
        """
        if self.progress.trouble is not None:
            raise not_finite(trouble, self.progress.trouble)
        log("engine").warning("loss not finite, going back", step=trouble.step, what=trouble.what, on=trouble.label)
        checkpoint = yield Background(lambda: self.checkpoints.newest(to_go_back=True), "read checkpoint")
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
        )
        yield from self._save()

    def _finish(self, stopped: bool) -> Routine:
        """Choose, export, prove, and say so. A run stopped before its first fixed step is scored where it stands."""
        state = self.state
        if not self.progress.chosen_step:
            yield from self._score()
        if self.progress.chosen_step == state.step:  # a stop may have come between its score and its checkpoint
            yield from self._save()
        best = yield Background(lambda: self.checkpoints.chosen(self.progress), "read checkpoint")
        adapter = state.adapter_of(best.tensors["ema"]) if best else state.ema_adapter()
        path, effect = yield from export(self.order, self.family, adapter, self.workspace, self.on)
        self.emit(
            TrainFinished(
                key=self.key,
                path=path,
                chosen_step=best.progress.step if best else state.step,
                last_step=state.step,
                stopped_at_step=state.step if stopped else None,
                scores=_published(self.order, self.progress, self.scored, effect),
            )
        )

    def _fresh_state(self) -> TrainState:
        order = self.order
        hyper = Hyper(
            rank=order.rank,
            alpha=order.alpha,
            seed=order.seed,
            weight_decay=order.weight_decay,
            clip_norm=order.clip_norm,
            ema=order.ema,
        )
        return TrainState(self.family.lora_targets(), hyper, self.on)

    def _is_fixed(self, step: int) -> bool:
        """Whether the checkpoint after ``step`` updates is scored and may be chosen."""
        return step % self.order.checkpoint_every == 0 or step == self.order.steps

    def _has_landed(self) -> bool:
        """Whether what was due at the checkpoint's step is done: it was written after all of it."""
        return self.progress.step in self.progress.scores or not self._is_fixed(self.progress.step)


def _published(order: TrainOrder, progress: Progress, scored: Sequence[Sample], effect: float) -> dict[str, float]:
    """Every score by its step, what they were taken on, the adapter's effect, and whether the run had to go back."""
    on = "scored_on_held_out_pictures" if order.holdout else "scored_on_training_pictures"
    scores = {str(step): value for step, value in sorted(progress.scores.items())}
    scores |= {on: float(len(scored)), "effect": effect}
    for step, found in sorted(progress.likeness.items()):
        scores |= {f"style_at_{step}": found.style, f"copy_at_{step}": found.copy}
    if rung(progress.memory):
        scores["memory_plan"] = float(rung(progress.memory))
    if progress.trouble is not None:
        scores |= {
            "went_back_at_step": float(progress.trouble.step),
            "went_back_for_picture": float(progress.trouble.position),
        }
    return scores
