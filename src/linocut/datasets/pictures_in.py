"""One picture into a dataset: decoded elsewhere, its blob durable, then its row, with a guard for each race."""

from dataclasses import asdict, dataclass

from linocut.datasets import repository
from linocut.datasets.decoder import Decoder
from linocut.datasets.names import stem_of
from linocut.datasets.picture import Decoded
from linocut.datasets.refusal import Refused
from linocut.datasets.types import AcceptedAsset, Limits
from linocut.db.database import Database
from linocut.errors import Internal
from linocut.files import sha256_hex
from linocut.ids import new_id, now
from linocut.storage.store import Store

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Desk:
    """What taking a file needs: where rows and blobs go, who decodes, whose dataset it is, and the limits."""

    db: Database
    store: Store
    decoder: Decoder
    user_id: str
    dataset_id: str
    limits: Limits


def add_picture(desk: Desk, name: str, data: bytes) -> AcceptedAsset:
    """The asset that these bytes are now, or were already. ``Refused``; ``NotFound`` when the dataset is gone."""
    source = sha256_hex(data)
    with desk.db.read() as tx:  # before the slow part: no decoding of what is here already or has no place
        dataset = repository.dataset_of(tx, desk.user_id, desk.dataset_id)
        is_known = repository.asset_of_source(tx, desk.dataset_id, source) is not None
    if not is_known and dataset.image_count >= desk.limits.max_images:
        raise _full(desk.limits)
    decoded = None if is_known else _decode(desk, data)
    for _ in range(_TRIES):
        if decoded is not None:
            desk.store.put(decoded.png)
        try:
            return _record(desk, name, source, len(data), decoded)
        except _Gone:
            decoded = decoded or _decode(desk, data)
    raise Refused("INTERNAL_ERROR", "The server could not store the picture just now; send it again.")


class _Gone(Exception):
    """The row or the blob that the transaction counted on was deleted a moment before it."""


def _decode(desk: Desk, data: bytes) -> Decoded:
    try:
        return desk.decoder.decode(data)
    except Internal as error:
        raise Refused("INTERNAL_ERROR", "The server could not decode pictures just now; send it again.") from error


def _record(desk: Desk, name: str, source: str, size: int, decoded: Decoded | None) -> AcceptedAsset:
    """The row, with the caption that waited for it. The transaction's first statement takes the dataset."""
    at = now()
    with desk.db.transaction() as tx:
        repository.hold(tx, desk.user_id, desk.dataset_id, at)
        waiting = repository.take_waiting(tx, desk.dataset_id, stem_of(name))
        known = repository.asset_of_source(tx, desk.dataset_id, source)
        if known is not None:
            if waiting is not None:
                repository.set_caption(tx, known, waiting)
            return AcceptedAsset(known, name)
        if decoded is None:
            raise _Gone
        if not repository.count_one_more(tx, desk.dataset_id, desk.limits.max_images):
            raise _full(desk.limits)
        asset_id, image_sha256 = new_id(), sha256_hex(decoded.png)
        values = {
            "asset_id": asset_id,
            "source_sha256": source,
            "image_sha256": image_sha256,
            "width": decoded.width,
            "height": decoded.height,
            "file_size_bytes": size,
            "created_at": at,
            "measures": asdict(decoded.measures),
        }
        stored_name = repository.insert_asset(tx, desk.dataset_id, name, values)
        if waiting is not None:
            repository.set_caption(tx, asset_id, waiting)
        if not desk.store.has(image_sha256):  # asked under the write lock: ``garbage`` deletes only while holding it
            raise _Gone
        return AcceptedAsset(asset_id, stored_name)


def _full(limits: Limits) -> Refused:
    return Refused("TOO_MANY_IMAGES", f"A dataset holds at most {limits.max_images} images, and this one is full.")
