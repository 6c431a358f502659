"""What ``linocut doctor`` says of the prices."""

from linocut.cli.checks import Finding
from linocut.errors import InvalidRequest
from linocut.ledger.prices import prices_of
from linocut.settings import Settings


def prices(settings: Settings) -> Finding:
    """Whether they can be read, and what else limits spending."""
    try:
        currency = prices_of(settings.prices).currency
    except InvalidRequest as wrong:
        return Finding("prices", False, wrong.message, "Mend LINOCUT_PRICES or its file (docs/usage.md).")
    limit = f", {settings.requests_per_minute} requests a minute a key" if settings.requests_per_minute else ""
    return Finding("prices", True, f"{settings.prices} ({currency}), {settings.credit}{limit}")
