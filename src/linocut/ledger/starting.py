"""What is looked at once, when a server starts: that the prices can be read, and are in the ledger's currency."""

from sqlalchemy import Connection, select

from linocut.db.tables import ledger
from linocut.errors import InvalidRequest
from linocut.ledger.prices import prices_of

_OTHERS = select(ledger.c.currency).where(ledger.c.amount != 0).limit(1)


def check_prices(tx: Connection, setting: str) -> None:
    """``InvalidRequest`` with a sentence for a wrong file, and for another currency than the money that has moved."""
    currency = prices_of(setting).currency
    other = tx.execute(_OTHERS.where(ledger.c.currency != currency)).scalar()
    if other is not None:
        raise InvalidRequest(
            f"LINOCUT_PRICES is in {currency}, and the ledger of this server in {other}; amounts are never converted. "
            f"Write the prices in {other}, or start with another data folder."
        )
