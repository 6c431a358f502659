"""Copyright detection: asked for by a request, or by its organisation for all that it has drawn."""

from sqlalchemy import Connection

from linocut.accounts.organizations import detects_copyright
from linocut.accounts.types import Caller

NO_DETECTOR = (
    "enable_copyright_detection: this server has no detector of copyrighted material, so nothing was looked for."
)


def as_organized(tx: Connection, caller: Caller, notes: tuple[str, ...]) -> tuple[str, ...]:
    """The notes on pictures, with the one on detection where the caller's organisation asks for it. Every placer of
    pictures ends with this."""
    if NO_DETECTOR in notes or not detects_copyright(tx, caller.organization_id):
        return notes
    return (NO_DETECTOR, *notes)
