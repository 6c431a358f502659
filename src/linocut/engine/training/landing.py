"""What is due when a run has done a step: a score, previews and what they are like, the choice, a checkpoint."""

from collections.abc import Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.file import save_adapter
from linocut.engine.families.items import Text
from linocut.engine.keeping import is_kept, kept_file
from linocut.engine.training.examples import Sample
from linocut.engine.training.likeness import Comparison, Likeness
from linocut.engine.training.previews import draw_previews
from linocut.engine.training.standing import Standing, Task
from linocut.engine.training.steps import score
from linocut.engine.work import Background, Routine, Yielded
from linocut.lora_files.stored import AdapterMetadata
from linocut.orders import CheckpointCompared, CheckpointKept, CheckpointScored, PreviewDrawn


class Landing:
    """The landings of one run. ``scored``: the samples that it is scored on; ``texts`` by caption, for the previews;
    ``comparison`` says what these are like (None: nobody does)."""

    def __init__(
        self,
        task: Task,
        standing: Standing,
        scored: Sequence[Sample],
        texts: Mapping[str, Text],
        comparison: Comparison | None,
    ) -> None:
        self._task, self._standing = task, standing
        self.scored, self._texts, self._comparison = scored, texts, comparison

    def whole(self) -> Routine:
        """What is due after ``state.step`` updates: a score, previews, a checkpoint, in this order."""
        order, standing = self._task.order, self._standing
        step = standing.state.step
        if standing.is_fixed(step):
            yield from standing.leaving_well(self.score())
        if step == 0:
            yield from self._draw(None)  # the bare base's, which all others are laid beside
        elif not self.previews_come_last and (step == order.steps or step % order.preview_every == 0):
            yield from self.preview()
        if standing.is_fixed(step) or standing.is_save_due:
            yield from standing.save()

    @property
    def previews_come_last(self) -> bool:
        """Whether those of the last step are drawn once the adapter can be used already: not where they choose it."""
        order = self._task.order
        return self._standing.state.step == order.steps and order.choose_by == "loss"

    def preview(self) -> Routine:
        """The previews of the averaged weights as they are, and what they are like."""
        pictures = yield from self._draw(self._standing.state.ema_adapter())
        if self._comparison is not None and pictures:
            yield from self._standing.leaving_well(self._compare(self._comparison, list(pictures.values())))

    def _draw(self, adapter: Adapter | None) -> Generator[Yielded, Any, dict[int, bytes]]:
        """The previews with these weights, told of."""
        task, step = self._task, self._standing.state.step
        pictures = yield from draw_previews(task.order, task.family, adapter, self._texts)
        for index, png in pictures.items():
            task.emit(PreviewDrawn(key=task.key, step=step, index=index, png=png))
        return pictures

    def score(self) -> Routine:
        """Score the averaged weights (at step 0 the bare base) and choose them if they are the best so far."""
        task, standing = self._task, self._standing
        order, step = task.order, standing.state.step
        adapter = standing.state.ema_adapter() if step else None
        value = yield from standing.with_room(partial(score, order, adapter, self.scored, step))
        progress = standing.progress
        kept: Path | None = None
        if adapter is not None and is_kept(order.keep_checkpoints, progress.scores, step, value):
            kept = yield Background(partial(self._write, adapter, kept_file(task.workspace, step)), "write adapter")
        task.emit(CheckpointScored(key=task.key, step=step, score=value))
        if kept is not None:
            task.emit(CheckpointKept(key=task.key, step=step, score=value, path=kept))
        better = step > 0 and (not progress.chosen_step or value < progress.scores[progress.chosen_step])
        standing.note(step=step, scores={**progress.scores, step: value})
        if better and (order.choose_by == "loss" or not progress.likeness):
            standing.choose()

    def _compare(self, comparison: Comparison, pngs: list[bytes]) -> Routine:
        """Say what the previews are like, and choose the weights by it where that is asked for. A comparison is a
        help: one that cannot be made is left out and logged."""
        task, standing = self._task, self._standing
        step, progress = standing.state.step, standing.progress
        found: Likeness | None = yield Background(lambda: comparison.of(pngs), "compare previews")
        if found is None:
            return
        task.emit(CheckpointCompared(key=task.key, step=step, style=found.style, copy=found.copy))
        best = progress.likeness.get(progress.chosen_step)
        standing.note(likeness={**progress.likeness, step: found})
        by_style = task.order.choose_by == "style" and standing.is_fixed(step)
        if by_style and (best is None or found.rank < best.rank):
            standing.choose()

    def _write(self, adapter: Adapter, path: Path) -> Path:
        order = self._task.order
        save_adapter(path, adapter, AdapterMetadata(base=order.base, rank=order.rank, alpha=order.alpha))
        return path
