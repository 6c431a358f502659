"""Which stored files that rows name are missing or damaged, and whose they are. Reads every one: for a person who asks.

What it finds out of custom models is remembered with them, so that they draw no more, or again
(``custom_models/availability.py``).
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, select

from linocut.custom_models import availability
from linocut.db.database import Database
from linocut.db.tables import assets, checkpoints, drawing_inputs, images, job_inputs, models, run_files, run_images
from linocut.errors import Damaged, Lost
from linocut.storage.store import Store


@dataclass(frozen=True)
class Missing:
    """A stored file that is not whole. ``how``: missing, unreadable or damaged; ``whose``: what it is, with ids."""

    sha256: str
    how: str
    whose: tuple[str, ...]


@dataclass(frozen=True)
class Inventory:
    """``files``: how many different ones rows name; ``back``: the ids of models whose weights are back."""

    files: int
    missing: tuple[Missing, ...]
    back: tuple[str, ...] = ()


def take(db: Database, store: Store, step: Callable[[], object] = lambda: None) -> Inventory:
    """Read every stored file that a row names, and note what that says of models. ``Busy`` when database or store fail.

    ``step`` is called before each file.
    """
    with db.read() as snapshot:
        owners = _owners(snapshot)
    missing, back = [], []
    for sha256, whose in owners.items():
        step()
        try:
            store.get(sha256)
        except Lost as lost:
            missing.append(Missing(sha256, str(lost.details["how"]), tuple(whose)))
    gone = {one.sha256: one.how for one in missing}
    with db.read() as snapshot:
        waiting = set(availability.waiting_for(snapshot))
    with suppress(Damaged):  # then nothing is written, but what was found is still told
        for sha256 in waiting - set(gone):
            back += _note(db, partial(availability.found, sha256=sha256))
        for sha256, how in gone.items():
            _note(db, partial(availability.lost, sha256=sha256, how=how))
    return Inventory(len(owners), tuple(missing), tuple(back))


def look_for_lost(db: Database, store: Store) -> list[str]:
    """Look again for the weights that models have lost; the ids of the models whose weights are back."""
    with db.read() as snapshot:
        waiting = availability.waiting_for(snapshot)
    back: list[str] = []
    for sha256 in waiting:
        try:
            store.get(sha256)
        except Lost:
            continue
        back += _note(db, partial(availability.found, sha256=sha256))
    return back


def _note(db: Database, work: Callable[[Connection], list[str]]) -> list[str]:
    with db.transaction() as tx:
        return work(tx)


def _owners(tx: Connection) -> dict[str, list[str]]:
    """Every stored file that a row names, with what it is there."""
    found: dict[str, list[str]] = {}

    def add(rows: Iterable[tuple[str, str]]) -> None:
        for sha256, what in rows:
            found.setdefault(sha256, []).append(what)

    weights = select(models.c.adapter_sha256, models.c.model_id).where(models.c.adapter_sha256.is_not(None))
    add(
        (sha, f"the weights of model {model_id}") for sha, model_id in tx.execute(weights.order_by(models.c.created_at))
    )
    pictures = select(assets.c.image_sha256, assets.c.dataset_id, assets.c.asset_id)
    ordered = tx.execute(pictures.order_by(assets.c.dataset_id, assets.c.position))
    add((sha, f"picture {asset_id} of dataset {dataset_id}") for sha, dataset_id, asset_id in ordered)
    drawn = tx.execute(select(images.c.image_sha256, images.c.image_id).order_by(images.c.created_at))
    add((sha, f"image {image_id}") for sha, image_id in drawn)
    frozen = tx.execute(select(run_images.c.image_sha256, run_images.c.run_id).order_by(run_images.c.run_id))
    add((sha, f"a picture of run {run_id}") for sha, run_id in frozen)
    inputs = select(job_inputs.c.picture_sha256, job_inputs.c.role, job_inputs.c.job_id)
    ordered = tx.execute(inputs.order_by(job_inputs.c.job_id, job_inputs.c.role, job_inputs.c.position))
    add((sha, f"the {role} of job {job_id}") for sha, role, job_id in ordered)
    given = select(drawing_inputs.c.picture_sha256, drawing_inputs.c.field, drawing_inputs.c.job_id)
    ordered = tx.execute(given.order_by(drawing_inputs.c.job_id, drawing_inputs.c.field, drawing_inputs.c.position))
    add((sha, f"the {field} that images of job {job_id} were made from") for sha, field, job_id in ordered)
    kept = select(checkpoints.c.adapter_sha256, checkpoints.c.step, checkpoints.c.run_id)
    ordered = tx.execute(kept.order_by(checkpoints.c.run_id, checkpoints.c.step))
    add((sha, f"the checkpoint of step {step} of run {run_id}") for sha, step, run_id in ordered)
    carried = select(run_files.c.file_sha256, run_files.c.run_id).order_by(run_files.c.run_id)
    add((sha, f"what run {run_id} goes on from") for sha, run_id in tx.execute(carried))
    return found
