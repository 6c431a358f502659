"""The verbs of datasets. ``tx`` is the caller's transaction; ``ingest`` opens its own, because it is slow.

What a caller may not see does not exist for it: ``NotFound`` says the same of an absent, a deleted and somebody
else's dataset.
"""

import unicodedata
from collections.abc import Callable

from sqlalchemy import Connection

from linocut.datasets import caption_files, repository
from linocut.datasets.ingest import ingest
from linocut.datasets.names import stem_of
from linocut.datasets.types import Dataset, DatasetDetail, DatasetFile, Frozen, Limits
from linocut.errors import InvalidRequest
from linocut.files import sha256_hex
from linocut.ids import new_id, now
from linocut.orders.types import TrainSample
from linocut.pictures.types import Measures

__all__ = [
    "MAX_NAME",
    "cover",
    "create",
    "delete",
    "delete_asset",
    "freeze",
    "get",
    "get_asset",
    "ingest",
    "list_for",
    "set_caption",
]

MAX_NAME = 64
"""Most characters of a dataset's name, and of a search for one."""

Restate = Callable[[str], str]
"""A caption, or "", to the text of a structured one that makes nothing up; the same each time."""


def create(tx: Connection, user_id: str, name: str) -> Dataset:
    """A new, empty dataset. Names need not be unique. ``InvalidRequest`` for a name that is none."""
    if not name.strip() or len(name) > MAX_NAME:
        raise InvalidRequest(f"name must have 1 to {MAX_NAME} characters.", field="name")
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        raise InvalidRequest("name must not contain control characters; leave them out.", field="name")
    at = now()
    dataset = Dataset(
        dataset_id=new_id(),
        user_id=user_id,
        name=name,
        image_count=0,
        cover_asset_id=None,
        created_at=at,
        updated_at=at,
    )
    return repository.insert_dataset(tx, dataset)


def list_for(tx: Connection, user_id: str, search: str | None = None) -> list[Dataset]:
    """The user's datasets, the most recently updated first; with ``search``, those whose name contains it.

    Case does not matter, in any alphabet, and ``%`` and ``_`` mean themselves: hence not SQL's LIKE. An empty search
    finds all. ``InvalidRequest`` for a search of more than 64 characters.
    """
    if search is not None and len(search) > MAX_NAME:
        raise InvalidRequest(f"search may have at most {MAX_NAME} characters.", field="search")
    wanted = _folded(search or "")
    return [dataset for dataset in repository.datasets_of(tx, user_id) if wanted in _folded(dataset.name)]


def get(tx: Connection, user_id: str, dataset_id: str) -> DatasetDetail:
    """The dataset with its pictures, its models and the captions that wait. ``NotFound``."""
    return DatasetDetail(
        dataset=repository.dataset_of(tx, user_id, dataset_id),
        files=tuple(repository.files_of(tx, dataset_id)),
        custom_model_ids=tuple(repository.models_of(tx, user_id, dataset_id)),
        waiting_captions=tuple(repository.waiting_of(tx, dataset_id)),
    )


def delete(tx: Connection, user_id: str, dataset_id: str) -> None:
    """Hide the dataset at once. Its models stay, without a dataset; runs go on, on blobs of their own manifest; the
    other blobs go with the next collection of garbage. ``NotFound``."""
    at = now()
    repository.hold(tx, user_id, dataset_id, at)
    repository.erase(tx, dataset_id, at)


def get_asset(tx: Connection, user_id: str, dataset_id: str, asset_id: str) -> DatasetFile:
    """One picture. ``NotFound``."""
    repository.dataset_of(tx, user_id, dataset_id)
    return repository.file_of(tx, dataset_id, asset_id)


def delete_asset(tx: Connection, user_id: str, dataset_id: str, asset_id: str) -> None:
    """Take one picture and its caption out of the dataset. Runs go on, on blobs of their own manifest. ``NotFound``."""
    repository.hold(tx, user_id, dataset_id, now())
    repository.delete_asset(tx, dataset_id, asset_id)


def set_caption(tx: Connection, user_id: str, dataset_id: str, asset_id: str, value: object) -> DatasetFile:
    """Write a picture's caption: text, a structured caption, or None (also: only spaces) for none; as it is then.

    ``NotFound``; ``InvalidRequest`` for what is no caption. Runs that were started before keep the old one.
    """
    caption = caption_files.caption_of(value, Limits().max_caption_characters)
    repository.hold(tx, user_id, dataset_id, now())
    file = repository.file_of(tx, dataset_id, asset_id)
    repository.set_caption(tx, asset_id, caption)
    repository.forget_unreadable(tx, dataset_id, stem_of(file.file_name))
    return repository.file_of(tx, dataset_id, asset_id)


def cover(tx: Connection, dataset_id: str) -> str | None:
    """The asset that stands for the dataset: its first picture; None while it is empty."""
    return repository.first_asset(tx, dataset_id)


def freeze(tx: Connection, user_id: str, dataset_id: str, restate: Restate) -> Frozen:
    """What a run learns, independent of ids and of the order of uploads: sorted by picture, then caption hash.

    Captions, and the lack of one (""), go through ``restate``, which adds nothing that may be untrue of the picture and
    leaves structured ones as they are, as far as the base has their words. The stored captions stay as they were
    uploaded. Call it in the transaction that also writes the run's ``run_images``. ``NotFound``.
    """
    repository.dataset_of(tx, user_id, dataset_id)
    measures = repository.measures_of(tx, dataset_id)
    samples = [_sample(file, measures.get(file.asset_id), restate) for file in repository.files_of(tx, dataset_id)]
    return Frozen(tuple(sorted(samples, key=lambda s: (s.content, sha256_hex(s.caption.encode())))))


def _sample(file: DatasetFile, measures: Measures | None, restate: Restate) -> TrainSample:
    return TrainSample(
        image_sha256=file.image_sha256,
        width=file.width,
        height=file.height,
        caption=restate((file.caption or "").strip()),
        pixels_sha256=measures.pixels if measures else "",
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
