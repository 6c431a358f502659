"""Whether the weights of a COMPLETED model lie in the store: what was found missing is remembered until it is back.

A model without its weights draws nothing and says so to its owner; nobody has to try first.
"""

from sqlalchemy import Connection, select, update

from linocut import ids
from linocut.db.moment import later
from linocut.db.tables import models
from linocut.errors import Lost


def lost(tx: Connection, sha256: str, how: str) -> list[str]:
    """The stored file of this hash is missing, unreadable or damaged: the models that draw with it draw no more.

    The ids of those that were available until now.
    """
    reason = (
        f"The weights of this model are {how} in the server's store, so it draws nothing. Its operator can put the "
        "file back from a backup (`linocut doctor --blobs` then finds it); or train the model again."
    )
    return _set(tx, sha256, reason)


def found(tx: Connection, sha256: str) -> list[str]:
    """The stored file of this hash is whole: models that had lost it draw again. Their ids."""
    return _set(tx, sha256, None)


def waiting_for(tx: Connection) -> list[str]:
    """The hashes of the files that models have lost."""
    return list(tx.scalars(select(models.c.adapter_sha256).where(models.c.unavailable_reason.is_not(None)).distinct()))


def unavailable() -> Lost:
    """What whoever asks for an image with such a model is told."""
    return Lost(
        "The weights of this custom model are missing from the server's store, or damaged there. Its owner reads the "
        "reason with GET /models/{model_id}; the server's operator can put the file back from a backup."
    )


def _set(tx: Connection, sha256: str, reason: str | None) -> list[str]:
    before = models.c.unavailable_reason.is_(None) if reason else models.c.unavailable_reason.is_not(None)
    changed = select(models.c.model_id).where(models.c.adapter_sha256 == sha256, before)
    rows = tx.execute(changed).all()
    for row in rows:
        values = {"unavailable_reason": reason, "updated_at": later(models.c.updated_at, ids.now())}
        tx.execute(update(models).where(models.c.model_id == row.model_id).values(values))
    return [row.model_id for row in rows]
