"""The fake engine's training run: the real one's events, checkpoints and endings, with arithmetic in place of learning.

A checkpoint is ``fake-checkpoint.json`` in the workspace, replaced durably every ``checkpoint_every`` steps; a run
admitted again with the same order and workspace goes on from it. Losses and scores are functions of order and step,
so that a killed and resumed run ends with the same adapter bytes as one that was left alone.
"""

import json
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import msgspec

from linocut.engine.door import Closing, Fetch
from linocut.engine.fake_files import adapter_bytes, flat_png
from linocut.engine.keeping import is_kept, kept_file
from linocut.engine.refusals import cancelled
from linocut.errors import RunFailed
from linocut.files import sha256_hex, write_durably
from linocut.orders import (
    AdapterReady,
    CheckpointCompared,
    CheckpointKept,
    CheckpointScored,
    Event,
    PhaseChanged,
    PreviewDrawn,
    TrainFinished,
    TrainOrder,
    TrainProgress,
    order_to_json,
)

CHECKPOINT = "fake-checkpoint.json"
ADAPTER = "adapter.safetensors"
NAN_STEP = 3
ETA_AFTER_STEPS = 10


def train(
    order: TrainOrder, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]
) -> Generator[None, bool, None]:
    """One run; yields before each step and receives whether the owner has cancelled it."""
    run = _Run(order, key, workspace, emit)
    emit(PhaseChanged(key=key, phase="PREPARING_DATA"))
    for sample in order.samples:
        if sha256_hex(fetch(sample.image_sha256)) != sample.image_sha256:
            raise RunFailed("A picture of the dataset is damaged in the store; upload it again and train again.")
    run.resume()
    emit(PhaseChanged(key=key, phase="TRAINING"))
    if not run.scores:
        run.score()
        run.draw()
    stopped_at = None
    try:
        while run.step < order.steps:
            if (yield):
                stopped_at = run.step
                break
            run.take_step()
    except Closing:  # the next worker goes on from here
        if run.step:
            run.save()
        raise
    if stopped_at == 0:
        raise cancelled()
    emit(PhaseChanged(key=key, phase="FINALIZING"))
    yield
    yield from run.finish(stopped_at)


@dataclass
class _Run:
    order: TrainOrder
    key: str
    workspace: Path
    emit: Callable[[Event], None]
    step: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    began_at_step: int = 0
    began: float = 0.0

    def __post_init__(self) -> None:
        self.order_sha256 = sha256_hex(order_to_json(self.order).encode())

    def resume(self) -> None:
        """Go on from the workspace's checkpoint, if it holds one of this very order."""
        self.began = time.monotonic()
        path = self.workspace / CHECKPOINT
        if path.exists() and (saved := json.loads(path.read_text()))["order"] == self.order_sha256:
            self.step = self.began_at_step = saved["step"]
            self.scores = saved["scores"]

    def take_step(self) -> None:
        """One update, with what is due after it: checkpoint, score, previews."""
        self.step += 1
        bad = [index for index, sample in enumerate(self.order.samples) if "[nan]" in sample.caption]
        if bad and self.step == NAN_STEP:
            raise RunFailed(
                f"The loss of sample {bad[0] + 1} was not a finite number, twice; look at that picture and its "
                "caption, or train with a lower learning_rate."
            )
        self._tell_progress()
        last = self.step == self.order.steps
        if last or self.step % self.order.checkpoint_every == 0:
            self.score()
            self.save()
        if not self._previews_come_last and (last or self.step % self.order.preview_every == 0):
            self._draw_previews()

    @property
    def _previews_come_last(self) -> bool:
        return self.step == self.order.steps and self.order.choose_by == "loss"

    def score(self) -> None:
        """Score the present step: falls for three quarters of the run, then rises, so that the last is not the best."""
        way = self.step / self.order.steps
        self.scores[str(self.step)] = round(1 - way + max(0.0, way - 0.75) * 2, 6)
        score = self.scores[str(self.step)]
        self.emit(CheckpointScored(key=self.key, step=self.step, score=score))
        scored = {int(step): one for step, one in self.scores.items()}
        if is_kept(self.order.keep_checkpoints, scored, self.step, score):
            path = kept_file(self.workspace, self.step)
            write_durably(path, adapter_bytes(self.order, self.order_sha256, self.step))
            self.emit(CheckpointKept(key=self.key, step=self.step, score=score, path=path))

    def finish(self, stopped_at: int | None) -> Generator[None, bool, None]:
        """Write the adapter of the best checkpoint (of the present step when there is none yet) and say so; yields
        before the last previews, which are drawn then."""
        if str(self.step) not in self.scores and len(self.scores) == 1:
            self.score()
        chosen = min((int(step) for step in self.scores if step != "0"), key=lambda at: (self.scores[str(at)], at))
        scored_on = "scored_on_held_out_pictures" if self.order.holdout else "scored_on_training_pictures"
        write_durably(self.workspace / ADAPTER, adapter_bytes(self.order, self.order_sha256, chosen))
        ready = AdapterReady(
            key=self.key,
            path=self.workspace / ADAPTER,
            chosen_step=chosen,
            last_step=self.step,
            stopped_at_step=stopped_at,
            scores={**self.scores, scored_on: float(len(self.order.holdout or self.order.samples)), "effect": 0.25},
        )
        if self._previews_come_last and self.order.previews:
            self.emit(ready)
            yield
            self._draw_previews()
        self.emit(TrainFinished(**msgspec.structs.asdict(ready)))

    def _tell_progress(self) -> None:
        done = self.step - self.began_at_step
        left = (time.monotonic() - self.began) / done * (self.order.steps - self.step)
        self.emit(
            TrainProgress(
                key=self.key,
                step=self.step,
                total_steps=self.order.steps,
                loss=round(0.2 + 0.8 / (1 + 4 * self.step / self.order.steps), 6),
                eta_seconds=ceil(left) if self.step > ETA_AFTER_STEPS else None,
            )
        )

    def save(self) -> None:
        """Write the checkpoint of the present step, durably."""
        saved = {"order": self.order_sha256, "step": self.step, "scores": self.scores}
        write_durably(self.workspace / CHECKPOINT, json.dumps(saved).encode())

    def draw(self) -> None:
        """Draw the previews of the present step; at step 0 the bare base's."""
        side = self.order.native_pixels
        for index, preview in enumerate(self.order.previews):
            png = flat_png(f"{preview.caption}|{preview.seed}|{self.order.run_id}|{self.step}", side, side)
            self.emit(PreviewDrawn(key=self.key, step=self.step, index=index, png=png))

    def _draw_previews(self) -> None:
        self.draw()
        way = self.step / self.order.steps
        self.emit(CheckpointCompared(key=self.key, step=self.step, style=round(2 - way, 4), copy=round(way / 4, 4)))
