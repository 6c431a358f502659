"""All SQL of models, their runs and their shares. Rows in, rows out: what may be done is decided in ``service.py``."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, bindparam, delete, insert, select, update

from linocut import ids
from linocut.accounts.types import Caller
from linocut.custom_models.slugs import uri_of
from linocut.custom_models.types import Imported, ModelView, Progress, Promoted, RunView, Scope
from linocut.db.dialect import insert_if_absent
from linocut.db.moment import after_all, later
from linocut.db.prepared import REMEMBERED, Prepared
from linocut.db.prepared import Row as Row
from linocut.db.tables import members, model_shares, models, organizations, run_images, training_runs

_BATCH = 500  # ids in one query

_MODEL = Prepared(select(models).where(models.c.model_id == bindparam("model_id")))
_MODEL_OF_URI = Prepared(
    select(models).where(models.c.slug == bindparam("slug"), models.c.version == bindparam("version"))
)
_RUN = Prepared(select(training_runs).where(training_runs.c.run_id == bindparam("run_id")))
_RUN_OF_JOB = Prepared(select(training_runs).where(training_runs.c.job_id == bindparam("job_id")))
_RUNS = Prepared(
    select(training_runs)
    .where(training_runs.c.model_id == bindparam("model_id"))
    .order_by(training_runs.c.created_at, training_runs.c.run_id)
)
_RUNS_OF_MANY = (
    select(training_runs)
    .where(training_runs.c.model_id.in_(bindparam("model_ids", expanding=True)))
    .order_by(training_runs.c.created_at, training_runs.c.run_id)
)
_SHARED = Prepared(
    select(model_shares.c.model_id)
    .join(members, members.c.organization_id == model_shares.c.organization_id)
    .where(
        model_shares.c.model_id == bindparam("model_id"),
        model_shares.c.organization_id == bindparam("organization_id"),
        members.c.user_id == bindparam("user_id"),
    )
)


def insert_model(tx: Connection, values: Mapping[str, Any]) -> None:
    """Add a model row; both times are now, and not before any other model of its user."""
    moment = after_all(tx, models.c.created_at, models.c.user_id == values["user_id"], moment=ids.now())
    tx.execute(insert(models).values(**values, created_at=moment, updated_at=moment))


def insert_run(tx: Connection, values: Mapping[str, Any], image_hashes: Sequence[str]) -> None:
    """Add a run row and a reference to each picture it needs, so that no garbage collection takes them."""
    moment = after_all(tx, models.c.created_at, models.c.model_id == values["model_id"], moment=ids.now())
    tx.execute(insert(training_runs).values(**values, created_at=moment, updated_at=moment))
    if image_hashes:
        run_id = values["run_id"]
        tx.execute(insert(run_images), [{"run_id": run_id, "image_sha256": one} for one in sorted(set(image_hashes))])


def model_row(tx: Connection, model_id: str) -> Row | None:
    """The model's row."""
    return _MODEL.first(tx, model_id=model_id)


def model_of_uri(tx: Connection, slug: str, version: int) -> Row | None:
    """The row of the model that has this slug and version."""
    return _MODEL_OF_URI.first(tx, slug=slug, version=version)


def run_row(tx: Connection, run_id: str) -> Row | None:
    """The run's row."""
    return _RUN.first(tx, run_id=run_id)


def run_of_job(tx: Connection, job_id: str) -> Row | None:
    """The row of the run that this job carries."""
    return _RUN_OF_JOB.first(tx, job_id=job_id)


def runs_of_model(tx: Connection, model_id: str) -> tuple[Row, ...]:
    """The runs of one model, oldest first."""
    return _RUNS.all(tx, model_id=model_id)


def runs_of(tx: Connection, model_ids: Sequence[str]) -> dict[str, list[Row]]:
    """The runs of each model, oldest first."""
    found: dict[str, list[Row]] = {model_id: [] for model_id in model_ids}
    for start in range(0, len(model_ids), _BATCH):
        batch = {"model_ids": model_ids[start : start + _BATCH]}
        for row in tx.execute(_RUNS_OF_MANY, batch):
            found[row.model_id].append(row._asdict())
    return found


def update_model(tx: Connection, model_id: str, values: Mapping[str, Any]) -> None:
    """Change a model's columns and its time of change."""
    moment = later(models.c.updated_at, ids.now())
    tx.execute(update(models).where(models.c.model_id == model_id).values(**values, updated_at=moment))


def update_run(tx: Connection, run_id: str, values: Mapping[str, Any]) -> None:
    """Change a run's columns and its time of change."""
    moment = later(training_runs.c.updated_at, ids.now())
    tx.execute(update(training_runs).where(training_runs.c.run_id == run_id).values(**values, updated_at=moment))


def add_share(tx: Connection, model_id: str, organization_id: str) -> bool:
    """Share the model with the organisation; False when it is already."""
    values = {"model_id": model_id, "organization_id": organization_id, "created_at": ids.now()}
    return insert_if_absent(tx, model_shares, values, keys=["model_id", "organization_id"])


def remove_shares(tx: Connection, model_id: str, organization_id: str | None) -> bool:
    """Take the model back from one organisation, or (None) from all; whether it was shared there."""
    shares = delete(model_shares).where(model_shares.c.model_id == model_id)
    if organization_id is not None:
        shares = shares.where(model_shares.c.organization_id == organization_id)
    return tx.execute(shares).rowcount > 0


def shared_with(tx: Connection, model_id: str) -> list[str]:
    """The ids of the organisations that the model is shared with, but for those that are being removed."""
    shares = (
        select(model_shares.c.organization_id)
        .join(organizations, organizations.c.organization_id == model_shares.c.organization_id)
        .where(model_shares.c.model_id == model_id, organizations.c.deleted_at.is_(None))
    )
    return list(tx.execute(shares.order_by(model_shares.c.created_at, model_shares.c.organization_id)).scalars())


def is_shared_with(tx: Connection, caller: Caller, model_id: str) -> bool:
    """True when the model is shared with the organisation of the caller's key, and the caller is still a member."""
    who = {"organization_id": caller.organization_id, "user_id": caller.user_id}
    return _SHARED.first(tx, model_id=model_id, **who) is not None


def visible_rows(tx: Connection, caller: Caller, scope: Scope | None, statuses: Sequence[str]) -> list[Row]:
    """The models a caller sees in a list, newest first. ``statuses`` (empty: all) narrow the owned ones only."""
    owned = models.c.user_id == caller.user_id
    if statuses:
        owned = and_(owned, models.c.status.in_(list(statuses)))
    shared = and_(
        models.c.user_id != caller.user_id,
        models.c.status == "COMPLETED",
        models.c.model_id.in_(_shared_with(caller)),
    )
    # One query each: PostgreSQL would read all models for the two in one condition.
    wanted = {"owned": (owned,), "shared": (shared,), None: (owned, shared)}[scope]
    rows = [row._asdict() for one in wanted for row in tx.execute(select(models).where(one))]
    return sorted(rows, key=lambda row: (row["created_at"], row["model_id"]), reverse=True)


def _shared_with(caller: Caller) -> Select[tuple[str]]:
    return (
        select(model_shares.c.model_id)
        .join(members, members.c.organization_id == model_shares.c.organization_id)
        .where(
            model_shares.c.organization_id == caller.organization_id,
            members.c.user_id == caller.user_id,
        )
    )


def view_of(row: Row, runs: Sequence[Row], *, is_owned: bool, with_runs: bool) -> ModelView:
    """The facts of a row that this caller may have."""
    slug, version = row["slug"], row["version"]
    return ModelView(
        model_id=row["model_id"],
        custom_model_uri=None if slug is None else uri_of(slug, version),
        name=row["name"],
        status=row["status"],
        dataset_id=row["dataset_id"] if is_owned else None,
        base=row["base"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        is_available=row["status"] == "COMPLETED" and row["unavailable_reason"] is None,
        is_owned=is_owned,
        error=row["error"] if is_owned else None,
        notes=_notes(row) if is_owned else (),
        imported=_imported(row) if is_owned else None,
        promoted=_promoted(row) if is_owned else None,
        progress=_progress(runs[-1]) if is_owned and runs else None,
        runs=tuple(_run_view(run) for run in runs) if is_owned and with_runs else (),
    )


def _imported(row: Row) -> Imported | None:
    return None if row["imported"] is None else msgspec.convert(row["imported"], Imported)


def _promoted(row: Row) -> Promoted | None:
    return None if row["promoted_from"] is None else Promoted(row["promoted_from"], row["promoted_step"])


def _notes(row: Row) -> tuple[str, ...]:
    """What the owner is to know: that the weights are lost, and what was assumed when they were imported."""
    lost, imported = row["unavailable_reason"], _imported(row)
    return (*([lost] if lost else []), *(imported.notes if imported else ()))


def _progress(run: Row) -> Progress:
    return Progress(
        run_status=run["status"],
        step=run["step"],
        total_steps=run["training_steps"],
        loss=run["loss"],
        eta_seconds=run["eta_seconds"],
        scores=run["scores"],
        stopped_at_step=run["stopped_at_step"],
    )


view_of_read = lru_cache(REMEMBERED)(view_of)
"""``view_of`` for rows of prepared reads: rows that have not changed give the same view again, the same object."""

_run_facts = itemgetter(*RunView.__struct_fields__)


def _run_view(run: Row) -> RunView:
    return RunView(*_run_facts(run))
