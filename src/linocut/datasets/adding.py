"""One picture into a dataset: decoded elsewhere, its blob durable, then its row, with a guard for each race."""

from dataclasses import asdict, dataclass

from linocut.datasets import repository
from linocut.datasets.names import stem_of
from linocut.datasets.types import AcceptedAsset, Limits
from linocut.db.database import Database
from linocut.errors import Internal
from linocut.files import sha256_hex
from linocut.ids import new_id, now
from linocut.pictures.decoder import Decoder
from linocut.pictures.refusal import Refused
from linocut.pictures.types import Decoded
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """An uploaded file (``data``, and its sha256), looked at. ``decoded``: its picture, durable as a blob; None where
    the dataset has it already."""

    data: bytes
    source: str
    decoded: Decoded | None


def prepare(desk: Desk, data: bytes) -> Prepared:
    """The slow part of adding a picture, which writes no row; several may be under way at once. ``Refused``;
    ``NotFound`` when the dataset is gone.

    Bytes that the dataset has are not decoded again, unless their stored picture is missing or damaged: it is then
    stored again.
    """
    source = sha256_hex(data)
    with desk.db.read() as tx:  # before the slow part: no decoding of what is here already or has no place
        dataset = repository.dataset_of(tx, desk.user_id, desk.dataset_id)
        known = repository.asset_of_source(tx, desk.dataset_id, source)
    if known is None and dataset.image_count >= desk.limits.max_images:
        raise _full(desk.limits)
    if known is not None and desk.store.is_whole(known[1]):
        return Prepared(data, source, None)
    decoded = _decode(desk, data)
    desk.store.put(decoded.file)
    return Prepared(data, source, decoded)


def add(desk: Desk, name: str, prepared: Prepared) -> AcceptedAsset:
    """The asset that these bytes are now, or were already. Errors as ``prepare``."""
    decoded = prepared.decoded
    for _ in range(_TRIES):
        try:
            return _record(desk, name, prepared, decoded)
        except _Gone:
            decoded = decoded or _decode(desk, prepared.data)
            desk.store.put(decoded.file)
    raise Refused("INTERNAL_ERROR", "The server could not store the picture just now; send it again.")


class _Gone(Exception):
    """The row or the blob that the transaction counted on was deleted a moment before it."""


def _decode(desk: Desk, data: bytes) -> Decoded:
    try:
        return desk.decoder.decode(data)
    except Internal as error:
        raise Refused("INTERNAL_ERROR", "The server could not decode pictures just now; send it again.") from error


def _record(desk: Desk, name: str, prepared: Prepared, decoded: Decoded | None) -> AcceptedAsset:
    """The row, with the caption that waited for it. The transaction's first statement takes the dataset."""
    at, source = now(), prepared.source
    with desk.db.transaction() as tx:
        repository.hold(tx, desk.user_id, desk.dataset_id, at)
        waiting = repository.take_waiting(tx, desk.dataset_id, stem_of(name))
        known = repository.asset_of_source(tx, desk.dataset_id, source)
        if known is not None:
            asset_id, stored_name, same_as = known[0], name, known[2]
            if decoded is not None:  # stored again, perhaps by a newer decoder whose file differs
                repository.set_picture(tx, asset_id, _stored(decoded))
        elif decoded is None:
            raise _Gone
        else:
            if not repository.count_one_more(tx, desk.dataset_id, desk.limits.max_images):
                raise _full(desk.limits)
            asset_id = new_id()
            values = {
                "asset_id": asset_id,
                "source_sha256": source,
                "file_size_bytes": len(prepared.data),
                "created_at": at,
            }
            stored_name, same_as = repository.insert_asset(tx, desk.dataset_id, name, values | _stored(decoded)), ""
        is_recaptioned = waiting is not None and bool(repository.recaptioned(tx, asset_id, waiting))
        if waiting is not None:
            repository.set_caption(tx, asset_id, waiting)
        # Asked under the write lock: ``garbage`` deletes only while holding it.
        if decoded is not None and not desk.store.has(sha256_hex(decoded.file)):
            raise _Gone
        is_animated, judged_by = (decoded.is_animated, decoded.judged_by) if decoded else (False, None)
        return AcceptedAsset(asset_id, stored_name, is_animated, judged_by, same_as, is_recaptioned)


def _stored(decoded: Decoded) -> dict[str, object]:
    return {
        "image_sha256": sha256_hex(decoded.file),
        "width": decoded.width,
        "height": decoded.height,
        "measures": asdict(decoded.measures),
    }


def _full(limits: Limits) -> Refused:
    return Refused("TOO_MANY_IMAGES", f"A dataset holds at most {limits.max_images} images, and this one is full.")
