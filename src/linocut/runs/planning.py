"""What a training would be, said before it is started. Nothing is written and no job is placed.

Its speed is that of the latest runs on the same base here: from the moment a run began to learn to the moment it chose
its checkpoint, previews and what was drawn meanwhile included, by its steps. Its memory is arithmetic.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, func, select

from linocut.accounts.types import Caller
from linocut.bases import Base
from linocut.bases.plan import STATE_COPIES
from linocut.bases.types import DatasetKind
from linocut.datasets import service as datasets
from linocut.db.tables import model_events, models, training_runs
from linocut.errors import InvalidRequest
from linocut.ledger.prices import prices_of
from linocut.lora_files.targets import targets_in
from linocut.runs import recipes
from linocut.runs.recipes import Recipe
from linocut.runs.service import SOLD_AS, settled
from linocut.runs.types import Means, TrainAsk

RUNS_LOOKED_AT = 5
_BEGUN, _DONE = "TRAINING", "FINALIZING"


@dataclass(frozen=True)
class HeldOut:
    """A picture that scores the checkpoints and is not learned."""

    asset_id: str
    file_name: str


@dataclass(frozen=True)
class Plan:
    """What a training would be. ``passes``: how often each picture is learned from, on average. ``seconds_a_step``
    None: not known, no run has ended on this base. ``adapter_bytes`` None: the base's files do not tell.
    ``state_bytes``: what learns, on the device, beside the base. ``waiting``: trainings that come first.
    ``dataset_kind``: what the dataset is of, None where nobody knows.
    ``cost``: millionths of ``currency``; None where nothing has a price."""

    pictures: int
    held_out: tuple[HeldOut, ...]
    recipe: Recipe
    seed: int | None
    passes: float
    seconds_a_step: float | None
    measured_runs: int
    adapter_bytes: int | None
    state_bytes: int | None
    waiting: int
    cost: int | None
    currency: str
    previews: tuple[str, ...]
    dataset_kind: DatasetKind | None
    notes: tuple[str, ...]

    @property
    def minutes(self) -> float | None:
        """How long it would take, once it has begun."""
        return None if self.seconds_a_step is None else self.seconds_a_step * self.recipe.steps / 60


def plan(tx: Connection, caller: Caller, ask: TrainAsk, means: Means, base_folder: Path) -> Plan:
    """The plan of this ask. It refuses what ``service.start`` refuses, with the same sentences."""
    found = settled(tx, caller, ask, means)
    samples, recipe = found.samples, found.recipe
    chosen = recipes.holdout_of(samples)
    learned = len(samples) - len(chosen)
    times = _seconds_a_picture(tx, means.base)
    values = _values(base_folder, means.base.family, recipe.rank)
    waiting = select(func.count()).where(training_runs.c.status.not_in(["COMPLETED", "FAILED"]))
    prices = prices_of(means.settings.prices)
    ahead = int(tx.execute(waiting).scalar_one())
    return Plan(
        pictures=len(samples),
        held_out=_held_out(tx, caller, ask.dataset_id, [samples[index].image_sha256 for index in chosen]),
        recipe=recipe,
        seed=ask.advanced.seed if ask.advanced else None,
        passes=recipe.steps * recipe.batch_size / learned,
        seconds_a_step=recipe.batch_size * median(times) if times else None,
        measured_runs=len(times),
        adapter_bytes=None if values is None else 4 * values,
        state_bytes=None if values is None else 4 * STATE_COPIES * values,
        waiting=ahead,
        cost=prices.unit_price(SOLD_AS) if prices.prices else None,
        currency=prices.currency,
        previews=tuple(one.caption for one in recipes.previews_of(samples, chosen)),
        dataset_kind=found.kind.kind,
        notes=(*found.notes, *_notes(times=times, values=values, ahead=ahead)),
    )


def _notes(*, times: list[float], values: int | None, ahead: int) -> tuple[str, ...]:
    notes = []
    if not times:
        notes.append("How long it takes is not known: no training has ended on this base here.")
    if values is None:
        notes.append("What it takes of memory is not known: the base's files do not tell the sizes of its linears.")
    if ahead:
        others = "1 training comes" if ahead == 1 else f"{ahead} trainings come"
        notes.append(f"{others} first, waiting or under way; the minutes count from when this one begins.")
    return tuple(notes)


def _held_out(tx: Connection, caller: Caller, dataset_id: str, sha256s: list[str]) -> tuple[HeldOut, ...]:
    files = datasets.get(tx, caller.user_id, dataset_id).files
    by_content = {file.image_sha256: file for file in reversed(files)}
    return tuple(HeldOut(by_content[sha256].asset_id, by_content[sha256].file_name) for sha256 in sha256s)


def _seconds_a_picture(tx: Connection, base: Base) -> list[float]:
    """That a step took for each of its pictures, in the latest runs that have ended on this base, by any user."""
    latest = (
        select(training_runs.c.model_id, training_runs.c.step, training_runs.c.batch_size)
        .join(models, models.c.model_id == training_runs.c.model_id)
        .where(models.c.base == base.identity, training_runs.c.status == "COMPLETED", training_runs.c.step > 0)
        .order_by(training_runs.c.updated_at.desc())
        .limit(RUNS_LOOKED_AT)
    )
    times = []
    for run in tx.execute(latest).all():
        told = select(model_events.c.data, model_events.c.created_at).where(
            model_events.c.model_id == run.model_id, model_events.c.kind == "status"
        )
        moments: dict[str, datetime] = {}
        for event in tx.execute(told.order_by(model_events.c.event_id)):
            moments.setdefault(str(event.data["run_status"]), event.created_at)
        if _BEGUN in moments and _DONE in moments:
            seconds = (moments[_DONE] - moments[_BEGUN]).total_seconds()
            times.append(seconds / run.step / (run.batch_size or base.training.batch_size))
    return [one for one in times if one > 0]


@lru_cache
def _values(folder: Path, family: str, rank: int) -> int | None:
    """The numbers of an adapter of this rank; None where the base's files do not tell."""
    try:
        return rank * sum(sum(sides) for sides in targets_in(folder, family).values())
    except (InvalidRequest, OSError, ValueError, KeyError):
        return None
