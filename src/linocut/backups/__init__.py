"""Backups: everything that a server remembers in one file, whichever database and store it has; and back.

The rows are of one moment. Stored files are named by their content, so they are copied before and after that moment
without harm. A backup of SQLite and a folder goes into PostgreSQL and a bucket, and the other way.
"""

from linocut.backups.restore import Restored, look_through, restore
from linocut.backups.take import Taken, take

__all__ = ["Restored", "Taken", "look_through", "restore", "take"]
