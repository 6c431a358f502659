"""Who has drawn with a custom model, counted from the ledger: what is deleted or too old to be kept still counts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from linocut.db.tables import ledger, organizations, training_runs, users


@dataclass(frozen=True)
class Use:
    """What one member has drawn with it, in one organisation."""

    user_id: str
    name: str
    organization_id: str
    organization_name: str
    images: int
    last_at: datetime


def of_model(tx: Connection, model_id: str) -> list[Use]:
    """Who has drawn with a model, those who drew most first. Its own training does not count."""
    own = select(training_runs.c.job_id).where(training_runs.c.model_id == model_id)
    images = func.sum(ledger.c.quantity)
    query = (
        select(
            ledger.c.user_id,
            users.c.name,
            ledger.c.organization_id,
            organizations.c.name.label("organization_name"),
            images.label("images"),
            func.max(ledger.c.at).label("last_at"),
        )
        .join(users, users.c.user_id == ledger.c.user_id)
        .join(organizations, organizations.c.organization_id == ledger.c.organization_id)
        .where(ledger.c.model_id == model_id, ledger.c.kind == "charge", ledger.c.job_id.not_in(own))
        .group_by(ledger.c.user_id, users.c.name, ledger.c.organization_id, organizations.c.name)
        .having(images > 0)
        .order_by(images.desc(), ledger.c.user_id)
    )
    return [Use(**row._mapping) for row in tx.execute(query)]
