"""Do the prices fit the ledger? Looked at when a server starts, and by the verbs that tell of money."""

from sqlalchemy import Connection, select

from linocut.db.tables import ledger
from linocut.errors import InvalidRequest
from linocut.ledger.prices import FREE, prices_of

_MOVED = select(ledger.c.currency).where(ledger.c.amount != 0).limit(1)


def check_prices(tx: Connection, setting: str) -> None:
    """``InvalidRequest`` with a sentence for a wrong file, and for another currency than the money that has moved."""
    currency = prices_of(setting).currency
    other = tx.execute(_MOVED.where(ledger.c.currency != currency)).scalar()
    if other is not None:
        named = f"free, which is in {currency}," if setting == FREE else f"in {currency},"
        raise InvalidRequest(
            f"LINOCUT_PRICES is {named} and the ledger of this server in {other}; amounts are never converted. "
            f"Name a price list in {other}, or start with another data folder."
        )


def decides_the_currency(tx: Connection, setting: str) -> bool:
    """Whether the next credit gives the ledger its currency while no price list is named: after it, a server whose list
    is in another one does not start."""
    return setting == FREE and tx.execute(_MOVED).first() is None
