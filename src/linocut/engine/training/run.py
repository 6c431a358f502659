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
from typing import Any

import msgspec
import torch

from linocut.engine.families.family import Family
from linocut.engine.refusals import cancelled
from linocut.engine.training.checkpoint import Progress
from linocut.engine.training.examples import Fetch, Sample, prepare
from linocut.engine.training.export import export
from linocut.engine.training.holding import held
from linocut.engine.training.ladder import LADDER, MemoryPlan, rung
from linocut.engine.training.landing import Landing
from linocut.engine.training.likeness import Comparison
from linocut.engine.training.plan import learning_rate, scored_samples, trained_samples
from linocut.engine.training.sentences import check_order, disk_failed, not_finite
from linocut.engine.training.standing import Losses, Standing, Task
from linocut.engine.training.steps import NotFinite, train_step
from linocut.engine.training.together import ALONE, RankLost, Together, spans, told, unused
from linocut.engine.work import Background, Routine, StopRequested, Yielded
from linocut.errors import LinocutError
from linocut.observe import log
from linocut.orders import AdapterReady, Event, Failed, PhaseChanged, RunNoted, TrainFinished, TrainOrder, TrainProgress

ETA_AFTER_STEPS = 10


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
    give_back: Callable[[], None] = lambda: None,
    together: Together = ALONE,
) -> Routine:
    """Train ``order``'s adapter; the same order with the same ``workspace`` goes on from its newest checkpoint.

    ``family`` answers questions about names and shapes only; all its tensor work is yielded as units. ``fetch`` is
    called from the helper thread. ``on`` is the device of the adapter's weights (None: the CPU), ``clock`` gives
    seconds, ``careful`` begins with the plan that needs least memory, ``comparison`` says what previews are like (None:
    nobody does); ``give_back`` is called once all captions are read; ``together``: the devices that learn. Ends with
    exactly one ``TrainFinished`` or ``Failed`` event; an error that is no ``LinocutError`` and none of the disk's is
    raised.
    ``StopRequested`` may be thrown in at any yield: see ``_Run.whole``.
    """
    here = on or torch.device("cpu")
    task = Task(
        order=order, key=key, family=family, workspace=workspace, emit=emit, on=here, clock=clock, together=together
    )
    run = _Run(task, comparison, Progress(memory=LADDER[-1] if careful else LADDER[0]))
    try:
        yield from run.whole(fetch, give_back)
    except StopRequested:
        emit(Failed(key=key, error=cancelled()))
    except NotFinite as trouble:
        emit(Failed(key=key, error=not_finite(order, trouble.trouble, None)))
    except LinocutError as error:
        emit(Failed(key=key, error=error))
    except OSError as disk:
        log("engine").error("a run's disk failed", exc_info=disk)
        emit(Failed(key=key, error=disk_failed(disk)))


class _Run:
    """One run, from its pictures to its adapter."""

    def __init__(self, task: Task, comparison: Comparison | None, progress: Progress) -> None:
        self.task, self.order, self.comparison = task, task.order, comparison
        self.standing = Standing(task, progress)
        self.last_tick = task.clock()

    def whole(self, fetch: Fetch, give_back: Callable[[], None]) -> Routine:
        """The run from the pictures to the proved adapter.

        A stop before the first update leaves as ``StopRequested``; a later one ends the loop, and the best checkpoint
        so far becomes the adapter. Nothing stops the finish.
        """
        order, task, standing = self.order, self.task, self.standing
        check_order(order)
        task.emit(PhaseChanged(key=task.key, phase="PREPARING_DATA"))
        _, stopped = yield from held(standing.restore())
        preparing = prepare(order, task.family, fetch, task.workspace / "features")
        if standing.state.step == 0:
            if stopped:
                raise StopRequested
            samples = yield from preparing
        else:
            samples, again = yield from held(preparing)
            stopped = stopped or again
        give_back()
        texts = {given.caption: sample.text for given, sample in zip(order.samples, samples, strict=True)}
        scored = [samples[i] for i in scored_samples(order)]
        landing = Landing(task, standing, scored, texts, self.comparison)

        _, again = yield from held(task.together.begin(order, task.workspace / "features"))
        stopped = stopped or again
        self._count_devices()
        self._note(unused(task.together.idle, order.batch_size))

        task.emit(PhaseChanged(key=task.key, phase="TRAINING"))
        self.last_tick = standing.last_save = task.clock()
        if not stopped:
            stopped = yield from self._steps([samples[i] for i in trained_samples(order)], landing)
        if standing.state.step == 0:
            raise StopRequested

        task.emit(PhaseChanged(key=task.key, phase="FINALIZING"))
        yield from held(self._finish(landing, stopped))

    def _steps(self, training: Sequence[Sample], landing: Landing) -> Generator[Yielded, Any, bool]:
        """Every step that is left, with what is due after each -> whether a stop was asked for."""
        standing = self.standing
        landed = standing.has_landed()
        try:
            while True:
                try:
                    if not landed:
                        yield from landing.whole()
                    if standing.state.step == self.order.steps:
                        return False
                    landed = False
                    rate = learning_rate(self.order, standing.state.step, standing.progress.learning_rate_scale)
                    step = standing.with_room(partial(self._step, training, rate))
                    loss = yield from standing.leaving_well(step)
                    self._tell(loss)
                except NotFinite as found:
                    yield from standing.go_back(found.trouble)
                    landed = standing.has_landed()
        except StopRequested:
            return True

    def _step(self, training: Sequence[Sample], rate: float, memory: MemoryPlan) -> Losses:
        """One step on all devices; again, with those that are left, where one is lost."""
        together, state = self.task.together, self.standing.state
        while True:
            try:
                return (yield from train_step(self.order, state, training, rate, memory, together))
            except RankLost:
                state.drop_gradients()
            yield from together.again()
            self._count_devices(lost=True)

    def _count_devices(self, *, lost: bool = False) -> None:
        """How many learn from here on stands in the checkpoints, and its owner is told of a change."""
        task, standing = self.task, self.standing
        before = standing.progress.devices
        now = spans(before, standing.state.step, task.together.size)
        standing.note(devices=now)
        self._note(told(before, now, standing.state.step, task.together.missing, lost=lost))

    def _note(self, said: str | None) -> None:
        """What its owner is to know of the run, if anything."""
        if said is not None:
            log("engine").info(said, key=self.task.key)
            self.task.emit(RunNoted(key=self.task.key, note=said))

    def _tell(self, loss: float) -> None:
        """Say that a step is done and how long the rest will take at the pace so far."""
        task, now, total, step = self.task, self.task.clock(), self.order.steps, self.standing.state.step
        seconds = self.standing.progress.seconds + now - self.last_tick
        self.last_tick = now
        self.standing.note(step=step, seconds=seconds)
        eta = ceil(seconds / step * (total - step)) if step > ETA_AFTER_STEPS else None
        task.emit(TrainProgress(key=task.key, step=step, total_steps=total, loss=loss, eta_seconds=eta))

    def _finish(self, landing: Landing, stopped: bool) -> Routine:
        """Choose, export, prove, and say so; then draw the last previews. A run stopped before its first fixed step is
        scored where it stands.

        A kill between the two costs neither: the run goes on from its last checkpoint, exports the same bytes and
        draws what is missing.
        """
        task, standing = self.task, self.standing
        state = standing.state
        if not standing.progress.chosen_step:
            yield from landing.score()
        if standing.progress.chosen_step == state.step:  # a stop may have come between its score and its checkpoint
            yield from standing.save()
        best = yield Background(standing.chosen, "read checkpoint")
        adapter = state.adapter_of(best.tensors["ema"]) if best else state.ema_adapter()
        path, effect = yield from export(self.order, task.family, adapter, task.workspace, task.on)
        ready = AdapterReady(
            key=task.key,
            path=path,
            chosen_step=best.progress.step if best else state.step,
            last_step=state.step,
            stopped_at_step=state.step if stopped else None,
            scores=_published(self.order, standing.progress, landing.scored, effect),
        )
        if landing.previews_come_last and self.order.previews:
            task.emit(ready)
            yield from landing.preview()
        scores = _published(self.order, standing.progress, landing.scored, effect)
        task.emit(TrainFinished(**{**msgspec.structs.asdict(ready), "scores": scores, "device_seconds": 0.0}))


def _published(order: TrainOrder, progress: Progress, scored: Sequence[Sample], effect: float) -> dict[str, float]:
    """Every score by its step, what they were taken on, the adapter's effect, and whether the run had to go back."""
    on = "scored_on_held_out_pictures" if order.holdout else "scored_on_training_pictures"
    scores = {str(step): value for step, value in sorted(progress.scores.items())}
    scores |= {on: float(len(scored)), "effect": effect}
    for step, found in sorted(progress.likeness.items()):
        scores |= {f"style_at_{step}": found.style, f"copy_at_{step}": found.copy}
    scores |= {f"devices_from_step_{step + 1}": float(count) for step, count in progress.devices.items()}
    if rung(progress.memory):
        scores["memory_plan"] = float(rung(progress.memory))
    if progress.trouble is not None:
        scores |= {
            "went_back_at_step": float(progress.trouble.step),
            "went_back_for_picture": float(progress.trouble.position),
        }
    return scores
