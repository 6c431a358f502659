"""Who owns a slug, and which version comes next: one row a slug, one counter a row."""

from sqlalchemy import Connection, select, update

from linocut.custom_models.slugs import candidates, slug_of
from linocut.db.dialect import insert_if_absent
from linocut.db.tables import slugs


def next_uri(tx: Connection, user_id: str, name: str, first_version: int) -> tuple[str, int]:
    """Claim (slug, version) for a model of ``user_id`` called ``name``; never the same pair twice.

    A slug that nobody has becomes the user's and starts at ``first_version``; one that is the user's counts up; one
    of another user gets a number behind it. Call it only in the transaction that completes the model, so that a
    version is spent only on a model that exists.
    """
    for slug in candidates(slug_of(name)):
        fresh = {"slug": slug, "user_id": user_id, "next_version": first_version + 1}
        if insert_if_absent(tx, slugs, fresh, keys=["slug"]):
            return slug, first_version
        row = tx.execute(select(slugs.c.user_id, slugs.c.next_version).where(slugs.c.slug == slug)).one()
        if row.user_id == user_id:
            tx.execute(update(slugs).where(slugs.c.slug == slug).values(next_version=row.next_version + 1))
            return slug, row.next_version
    raise AssertionError("the candidates never end")
