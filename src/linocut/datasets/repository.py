"""All SQL of datasets. Writers take the dataset first (``hold``), so that what they read stays true until they commit.

Every transaction of ``db.Database`` has the database's one write lock; the counts here rest on it.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from linocut.datasets.caption_files import Caption
from linocut.datasets.names import free_name, stem_of
from linocut.datasets.types import Dataset, DatasetFile, UnreadableCaption
from linocut.db.dialect import upsert
from linocut.db.moment import after_all, later
from linocut.db.tables import assets, datasets, models, unreadable_captions, waiting_captions
from linocut.errors import NotFound
from linocut.pictures.types import Measures

_first = assets.alias("first")
_cover = (
    select(_first.c.asset_id)
    .where(_first.c.dataset_id == datasets.c.dataset_id)
    .order_by(_first.c.position)
    .limit(1)
    .scalar_subquery()
    .label("cover_asset_id")
)
_DATASET = select(
    datasets.c.dataset_id,
    datasets.c.user_id,
    datasets.c.name,
    datasets.c.image_count,
    _cover,
    datasets.c.created_at,
    datasets.c.updated_at,
).where(datasets.c.deleted_at.is_(None))
_FILE = select(
    assets.c.asset_id,
    assets.c.file_name,
    assets.c.file_size_bytes,
    assets.c.image_sha256,
    assets.c.width,
    assets.c.height,
    assets.c.caption,
    assets.c.caption_is_json,
    assets.c.created_at,
)


def insert_dataset(tx: Connection, dataset: Dataset) -> Dataset:
    """A new, empty dataset, as it is kept: its times are not before those of any other of its user."""
    made_at = after_all(tx, datasets.c.created_at, datasets.c.user_id == dataset.user_id, moment=dataset.created_at)
    tx.execute(
        insert(datasets).values(
            dataset_id=dataset.dataset_id,
            user_id=dataset.user_id,
            name=dataset.name,
            created_at=made_at,
            updated_at=made_at,
        )
    )
    return replace(dataset, created_at=made_at, updated_at=made_at)


def datasets_of(tx: Connection, user_id: str) -> list[Dataset]:
    """The user's datasets, the most recently updated first."""
    newest_first = (datasets.c.updated_at.desc(), datasets.c.created_at.desc(), datasets.c.dataset_id)
    rows = tx.execute(_DATASET.where(datasets.c.user_id == user_id).order_by(*newest_first))
    return [Dataset(**row) for row in rows.mappings()]


def dataset_of(tx: Connection, user_id: str, dataset_id: str) -> Dataset:
    """``NotFound`` when it is absent, deleted or somebody else's: the three look the same."""
    mine = (datasets.c.dataset_id == dataset_id, datasets.c.user_id == user_id)
    row = tx.execute(_DATASET.where(*mine)).mappings().first()
    if row is None:
        raise NotFound("There is no such dataset, or none that you may see.")
    return Dataset(**row)


def hold(tx: Connection, user_id: str, dataset_id: str, at: datetime) -> None:
    """Note that the dataset is being changed. ``NotFound`` as ``dataset_of``: also when it was deleted meanwhile."""
    mine = (datasets.c.dataset_id == dataset_id, datasets.c.user_id == user_id, datasets.c.deleted_at.is_(None))
    if tx.execute(update(datasets).where(*mine).values(updated_at=later(datasets.c.updated_at, at))).rowcount != 1:
        raise NotFound("There is no such dataset, or none that you may see.")


def files_of(tx: Connection, dataset_id: str) -> list[DatasetFile]:
    """The pictures of a dataset in upload order."""
    rows = tx.execute(_FILE.where(assets.c.dataset_id == dataset_id).order_by(assets.c.position))
    return [DatasetFile(**row) for row in rows.mappings()]


def file_of(tx: Connection, dataset_id: str, asset_id: str) -> DatasetFile:
    """One picture of a dataset. ``NotFound``, also when it belongs to another dataset."""
    here = (assets.c.dataset_id == dataset_id, assets.c.asset_id == asset_id)
    row = tx.execute(_FILE.where(*here)).mappings().first()
    if row is None:
        raise _no_such_picture()
    return DatasetFile(**row)


def measures_of(tx: Connection, dataset_id: str) -> dict[str, Measures]:
    """What was measured of each picture, by asset; pictures that never were are left out."""
    query = select(assets.c.asset_id, assets.c.measures).where(assets.c.dataset_id == dataset_id)
    found = ((row.asset_id, row.measures) for row in tx.execute(query) if row.measures is not None)
    return {asset_id: _measures(one) for asset_id, one in found}


def _measures(one: dict[str, Any]) -> Measures:
    return Measures(one["way"], tuple(one["likeness"]), one["sharpness"], one.get("pixels", ""))


def set_measures(tx: Connection, dataset_id: str, image_sha256: str, measures: Measures) -> None:
    """Note what was measured of a stored picture of the dataset."""
    same = (assets.c.dataset_id == dataset_id, assets.c.image_sha256 == image_sha256)
    tx.execute(update(assets).where(*same).values(measures=asdict(measures)))


def models_of(tx: Connection, user_id: str, dataset_id: str) -> list[str]:
    """Ids of the user's models trained on the dataset, newest first, archived ones left out."""
    query = (
        select(models.c.model_id)
        .where(models.c.dataset_id == dataset_id, models.c.user_id == user_id, models.c.status != "ARCHIVED")
        .order_by(models.c.created_at.desc(), models.c.model_id)
    )
    return list(tx.execute(query).scalars())


def first_asset(tx: Connection, dataset_id: str) -> str | None:
    """The picture that was uploaded first."""
    query = select(assets.c.asset_id).where(assets.c.dataset_id == dataset_id).order_by(assets.c.position).limit(1)
    return tx.execute(query).scalar()


def erase(tx: Connection, dataset_id: str, at: datetime) -> None:
    """Hide the dataset; let go of its pictures, captions and models (they stay, without a dataset)."""
    tx.execute(delete(assets).where(assets.c.dataset_id == dataset_id))
    tx.execute(delete(waiting_captions).where(waiting_captions.c.dataset_id == dataset_id))
    tx.execute(delete(unreadable_captions).where(unreadable_captions.c.dataset_id == dataset_id))
    tx.execute(update(models).where(models.c.dataset_id == dataset_id).values(dataset_id=None))
    tx.execute(update(datasets).where(datasets.c.dataset_id == dataset_id).values(deleted_at=at, image_count=0))


def asset_of_source(tx: Connection, dataset_id: str, source_sha256: str) -> tuple[str, str, str] | None:
    """(asset, its stored picture's sha256, its name as it was uploaded) that these uploaded bytes gave before, if they
    did."""
    same = (assets.c.dataset_id == dataset_id, assets.c.source_sha256 == source_sha256)
    columns = (assets.c.asset_id, assets.c.image_sha256, assets.c.file_name, assets.c.stem)
    row = tx.execute(select(*columns).where(*same)).first()
    return None if row is None else (row.asset_id, row.image_sha256, _upload_name(row.file_name, row.stem))


def set_picture(tx: Connection, asset_id: str, values: dict[str, Any]) -> None:
    """Let an asset name another stored picture: the same upload, decoded again."""
    tx.execute(update(assets).where(assets.c.asset_id == asset_id).values(**values))


def count_one_more(tx: Connection, dataset_id: str, most: int) -> bool:
    """Take one of the dataset's places for pictures; False when all are taken."""
    free = (datasets.c.dataset_id == dataset_id, datasets.c.image_count < most)
    counted = update(datasets).where(*free).values(image_count=datasets.c.image_count + 1)
    return tx.execute(counted).rowcount == 1


def insert_asset(tx: Connection, dataset_id: str, file_name: str, values: dict[str, Any]) -> str:
    """A new picture, last in order, under ``file_name`` or a numbered one if that is taken; the name it got."""
    here = assets.c.dataset_id == dataset_id
    last, newest = tx.execute(select(func.max(assets.c.position), func.max(assets.c.created_at)).where(here)).one()
    made_at = max(values["created_at"], newest or values["created_at"])  # the clock may have been set back
    name = free_name(file_name, set(tx.execute(select(assets.c.file_name).where(here)).scalars()))
    tx.execute(
        insert(assets).values(
            dataset_id=dataset_id,
            position=(last or 0) + 1,
            file_name=name,
            stem=stem_of(file_name),
            **(values | {"created_at": made_at}),
        )
    )
    return name


def delete_asset(tx: Connection, dataset_id: str, asset_id: str) -> None:
    """Let go of one picture and its caption. ``NotFound``."""
    here = (assets.c.dataset_id == dataset_id, assets.c.asset_id == asset_id)
    if tx.execute(delete(assets).where(*here)).rowcount != 1:
        raise _no_such_picture()
    counted = update(datasets).where(datasets.c.dataset_id == dataset_id)
    tx.execute(counted.values(image_count=datasets.c.image_count - 1))


def newest_of_stem(tx: Connection, dataset_id: str, stem: str) -> str | None:
    """The newest picture uploaded under this stem; failing that, the one that a number was given to make it."""
    query = select(assets.c.asset_id, assets.c.file_name, assets.c.stem).where(assets.c.dataset_id == dataset_id)
    rows = tx.execute(query.order_by(assets.c.position.desc())).all()
    by_upload = [row.asset_id for row in rows if row.stem == stem]
    by_number = [row.asset_id for row in rows if stem_of(row.file_name) == stem]
    return next(iter(by_upload + by_number), None)


def upload_names_of(tx: Connection, dataset_id: str) -> list[tuple[str, str]]:
    """(asset, name as it was uploaded) of each picture: without the number that a name may have been given."""
    query = select(assets.c.asset_id, assets.c.file_name, assets.c.stem).where(assets.c.dataset_id == dataset_id)
    return [(row.asset_id, _upload_name(row.file_name, row.stem)) for row in tx.execute(query)]


def _upload_name(file_name: str, stem: str) -> str:
    return stem + file_name[len(stem_of(file_name)) :]


def captioned_assets(tx: Connection, dataset_id: str) -> list[str]:
    """The pictures that have a caption."""
    query = select(assets.c.asset_id).where(assets.c.dataset_id == dataset_id, assets.c.caption.is_not(None))
    return list(tx.execute(query).scalars())


def recaptioned(tx: Connection, asset_id: str, caption: Caption) -> str:
    """The name of this picture, if it has another caption than this one; "" if it has none or the same, or is gone."""
    columns = (assets.c.file_name, assets.c.caption, assets.c.caption_is_json)
    row = tx.execute(select(*columns).where(assets.c.asset_id == asset_id)).first()
    if row is None or row.caption is None or (row.caption, row.caption_is_json) == (caption.text, caption.is_json):
        return ""
    return str(row.file_name)


def set_caption(tx: Connection, asset_id: str, caption: Caption | None) -> None:
    """Give a picture its caption, in place of one it had; None takes it away."""
    values = {
        "caption": None if caption is None else caption.text,
        "caption_is_json": caption is not None and caption.is_json,
    }
    tx.execute(update(assets).where(assets.c.asset_id == asset_id).values(**values))


def take_waiting(tx: Connection, dataset_id: str, stem: str) -> Caption | None:
    """The caption that waits for a picture of this stem; it waits no longer."""
    here = (waiting_captions.c.dataset_id == dataset_id, waiting_captions.c.stem == stem)
    row = tx.execute(select(waiting_captions.c.caption, waiting_captions.c.caption_is_json).where(*here)).first()
    if row is None:
        return None
    tx.execute(delete(waiting_captions).where(*here))
    return Caption(row.caption, row.caption_is_json)


def leave_waiting(tx: Connection, dataset_id: str, file_name: str, caption: Caption, at: datetime) -> None:
    """Keep a caption until its picture comes, in place of one that waits under the same stem."""
    values = {
        "dataset_id": dataset_id,
        "stem": stem_of(file_name),
        "file_name": file_name,
        "caption": caption.text,
        "caption_is_json": caption.is_json,
        "created_at": at,
    }
    changing = ("file_name", "caption", "caption_is_json", "created_at")
    upsert(tx, waiting_captions, values, keys=("dataset_id", "stem"), update=changing)


def waiting_of(tx: Connection, dataset_id: str) -> Sequence[str]:
    """Names of the caption files whose picture has not come, sorted."""
    query = select(waiting_captions.c.file_name).where(waiting_captions.c.dataset_id == dataset_id)
    return sorted(tx.execute(query).scalars())


def note_unreadable(tx: Connection, dataset_id: str, caption: UnreadableCaption, at: datetime, most: int) -> None:
    """Remember a caption file that was refused; at most ``most`` a dataset, the later ones are not kept."""
    here = unreadable_captions.c.dataset_id == dataset_id
    if (tx.execute(select(func.count()).select_from(unreadable_captions).where(here)).scalar() or 0) >= most:
        return
    values = {
        "dataset_id": dataset_id,
        "file_name": caption.file_name,
        "stem": stem_of(caption.file_name),
        "message": caption.message,
        "created_at": at,
    }
    upsert(tx, unreadable_captions, values, keys=("dataset_id", "file_name"), update=("message", "created_at"))


def forget_unreadable(tx: Connection, dataset_id: str, stem: str) -> None:
    """A good caption came for that stem: what was refused before it does not matter any more."""
    same = (unreadable_captions.c.dataset_id == dataset_id, unreadable_captions.c.stem == stem)
    tx.execute(delete(unreadable_captions).where(*same))


def unreadable_of(tx: Connection, dataset_id: str) -> list[UnreadableCaption]:
    """The caption files that were refused and not replaced by a good one, by name."""
    columns = (unreadable_captions.c.file_name, unreadable_captions.c.message)
    query = select(*columns).where(unreadable_captions.c.dataset_id == dataset_id)
    return [UnreadableCaption(**row) for row in tx.execute(query.order_by(columns[0])).mappings()]


def _no_such_picture() -> NotFound:
    return NotFound("There is no such picture in this dataset; GET /datasets/{dataset_id}/assets lists them.")
